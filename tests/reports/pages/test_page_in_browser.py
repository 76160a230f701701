"""The study page in a real browser, from the file system, at a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from reports.sources.results import Results
from tests.reports.chromium import NEEDS_CHROMIUM, PHONE, watched_tab

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]


@pytest.fixture
def opened(browser: Browser, page: Path) -> Iterator[Page]:
    with watched_tab(browser) as tab:
        tab.goto(page.as_uri() + "#evidence")  # which opens it
        yield tab


def test_the_table_fits_a_desk_until_all_columns_are_asked_for(opened: Page) -> None:
    scrolled = opened.locator("#rows .scroll")
    fits = "field => field.scrollWidth <= field.clientWidth"
    assert scrolled.evaluate(fits)
    opened.get_by_label("all columns").check()
    assert not scrolled.evaluate(fits)


def test_a_phone_sees_model_and_error_first_and_keeps_the_model(opened: Page) -> None:
    opened.set_viewport_size(PHONE)
    for name in ("model", "esr", "validation_esr"):
        box = opened.locator(f"#runs th[data-name={name}]").bounding_box()
        assert box is not None and box["x"] + box["width"] <= PHONE["width"]
    opened.locator("#rows .scroll").evaluate("field => { field.scrollLeft = 200; }")
    box = opened.locator("#runs tbody th").first.bounding_box()
    assert box is not None and 0 <= box["x"] < 60
    assert opened.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_headings_sort_and_names_lead_to_pages_and_back(opened: Page, results: Results) -> None:
    opened.locator("#runs th[data-name=esr] button").click()
    first = opened.locator("#runs tbody tr.final").first
    best = min(results.finals, key=lambda row: row["esr"])
    assert first.get_attribute("data-run") == best["run_id"]
    first.locator("th a").click()
    expect(opened.locator(".kicker")).to_contain_text(best["run_id"])
    assert opened.url.endswith(f"/runs/{best['run_id']}.html")
    opened.get_by_role("link", name="All runs").click()
    assert opened.url.endswith("index.html#rows")


def test_marks_tell_their_details_to_pointer_keyboard_and_touch(
    browser: Browser, page: Path, opened: Page
) -> None:
    plot = opened.locator("figure.plot").first
    mark, told = plot.locator("svg a").nth(2), plot.locator(".pointed")
    details = mark.get_attribute("aria-label") or ""
    assert "multiply-accumulates" in details
    mark.scroll_into_view_if_needed()
    mark.locator("circle").hover()
    expect(told).to_have_text(details)
    plot.locator("svg a").nth(3).focus()
    expect(told).to_have_text(plot.locator("svg a").nth(3).get_attribute("aria-label") or "")
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    phone = context.new_page()
    phone.goto(page.as_uri() + "#evidence")
    touched = phone.locator("figure.plot").first.locator("svg a").nth(2)
    touched.locator("circle").tap()
    expect(phone.locator(".pointed").first).to_have_text(details)
    assert phone.url.endswith("index.html#evidence")
    touched.locator("circle").tap()
    phone.wait_for_url("**/runs/*.html")
    context.close()
