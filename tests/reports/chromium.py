"""The browser that pages are tested in."""

import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import ViewportSize

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)
NEEDS_CHROMIUM = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: run `make system`"),
]


def in_chromium(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that needs the browser, among others that do not."""
    for mark in NEEDS_CHROMIUM:
        test = mark(test)
    return test
