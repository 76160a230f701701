"""Whole pages: a study's report and a page for every run."""
