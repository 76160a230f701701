"""Listening tests from the command line: ``python -m reports.listening_cli --help``."""
