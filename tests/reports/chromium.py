"""The browser that pages are tested in."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

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


@contextmanager
def watched_tab(browser: Browser) -> Iterator[Page]:
    """A tab of its own on a desk, on which nothing may go wrong unseen."""
    context = browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(10_000)
    tab = context.new_page()
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on(
        "console",
        # Being offline is what one test is about.
        lambda message: (
            problems.append(message.text)
            if message.type == "error" and "ERR_INTERNET_DISCONNECTED" not in message.text
            else None
        ),
    )
    tab.on(
        "requestfailed",
        # A browser that seeks aborts the request that it began with.
        lambda request: (
            None
            if request.failure in ("net::ERR_ABORTED", "net::ERR_INTERNET_DISCONNECTED")
            else problems.append(request.url)
        ),
    )
    tab.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
    yield tab
    context.close()
    assert problems == []
