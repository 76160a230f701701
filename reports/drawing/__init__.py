"""Figures in one style, as files that a page can show in the light and in the dark."""
