"""The page in a real browser, driven with clicks and keys, with the server and without it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from typer.testing import CliRunner

from data.audio import Samples
from reports.listening import building, database, levels, sessions
from reports.listening.blinding import hidden_sides
from reports.listening.key import REFERENCE, Key
from reports.listening.server import Site, listening_on
from reports.listening.sessions import MushraSession
from reports.listening_cli.commands import app
from study.store.folders import Store
from tests.reports.chromium import NEEDS_CHROMIUM, PHONE, watched_tab
from tests.reports.listening.studies import SETTINGS, audible_study, families

HOSTILE = "<img src=x onerror=alert(1)>"

pytestmark = NEEDS_CHROMIUM


@dataclass(frozen=True)
class Place:
    """A study's page as a listener finds it."""

    store: Store
    key: Key
    url: str
    is_served: bool


@pytest.fixture(scope="module", params=["server", "folder"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("runs") / "grid"
    store = audible_study(root, families("gru", "lstm"), title=HOSTILE)
    key = building.build(store, SETTINGS)
    if request.param == "folder":
        # As a listener gets it: a copy, with neither key nor answers beside it.
        copy = tmp_path_factory.mktemp("sent") / "listening"
        shutil.copytree(building.page_folder(store), copy)
        yield Place(store, key, (copy / "index.html").as_uri(), is_served=False)
        return
    with listening_on(Site.of(store, key), 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield Place(store, key, running.url, is_served=True)
        running.shutdown()
        thread.join()


@pytest.fixture
def page(browser: Browser, place: Place) -> Iterator[Page]:
    """A page of a new listener, on which nothing may go wrong unseen."""
    with watched_tab(browser) as opened:
        opened.goto(place.url)
        yield opened


def ready(page: Page) -> None:
    expect(page.get_by_role("button", name="Play")).to_be_enabled()


def documents(page: Page, place: Place) -> list[Any]:
    """Stored sessions: by the server, or by the browser alone."""
    if place.is_served:
        return list(database.load_all(place.store))
    kept = page.evaluate(
        "Object.entries(localStorage).filter(([k]) => k.includes('/session/')).map(([, v]) => v)"
    )
    return [sessions.parse(text.encode(), "browser") for text in kept]


def save_and_import(page: Page, place: Place, folder: Path) -> None:
    """What somebody does with the answers to a page without a server."""
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save answers").click()
    file = folder / saved.value.suggested_filename
    saved.value.save_as(file)
    root = place.store.root
    done = CliRunner().invoke(app, ["import", str(file), root.name, "--runs", str(root.parent)])
    assert done.exit_code == 0, done.output


@pytest.mark.slow
def test_a_whole_abx_session(page: Page, place: Place, tmp_path: Path) -> None:
    page.get_by_label("Your name").fill(HOSTILE)
    expect(page.get_by_text("6 trials")).to_be_visible()
    page.get_by_role("button", name="Start ABX").click()
    seed, answers = "", []
    for trial in range(6):
        expect(page.get_by_text(f"Trial {trial + 1} of 6")).to_be_visible()
        ready(page)
        if trial == 0:
            seed = next(s.seed for s in documents(page, place) if s.test == "abx")
        truth = hidden_sides(seed, 6)[trial]
        answers.append(truth if trial != 4 else "ab"[truth == "a"])  # one wrong
        if trial % 2:  # by pointer
            page.get_by_role("button", name="Play").click()
            page.locator('[data-sound="x"]').click()
            expect(page.locator('[data-sound="x"]')).to_have_attribute("aria-pressed", "true")
            page.get_by_label(f"X is {answers[-1].upper()}").check()
            page.get_by_role("button", name="Confirm").click()
        else:  # by keys
            page.keyboard.press("Space")
            expect(page.get_by_role("button", name="Pause")).to_be_visible()
            for key_name in ("a", "2", "x"):
                page.keyboard.press(key_name)
            expect(page.locator('[data-sound="x"]')).to_have_attribute("aria-pressed", "true")
            page.keyboard.press("Enter")
            expect(page.get_by_text("first.")).to_be_visible()  # no answer yet
            page.keyboard.press("ArrowRight" if answers[-1] == "b" else "ArrowLeft")
            page.keyboard.press("Enter")
        if trial == 2:
            expect(page.get_by_text("Trial 4 of 6")).to_be_visible()
            before = page.evaluate("document.querySelector('.item').textContent")
            page.reload()
            expect(page.get_by_text("Trial 4 of 6")).to_be_visible()
            assert page.evaluate("document.querySelector('.item').textContent") == before
        if trial < 5:  # no feedback before the end
            assert not page.get_by_text("right").is_visible()
    verdict = page.get_by_text("5 of 6 right")
    expect(verdict).to_contain_text("0.11")  # (6 + 1) / 64
    [stored] = [s for s in documents(page, place) if s.test == "abx"]
    assert list(stored.answers) == answers and stored.participant == HOSTILE
    if not place.is_served:
        save_and_import(page, place, tmp_path)
    assert stored in database.load_all(place.store)
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_text("finished")).to_be_visible()
    assert page.locator("img").count() == 0


@pytest.mark.slow
def test_a_whole_mushra_session(page: Page, place: Place, tmp_path: Path) -> None:
    page.get_by_role("button", name="Start MUSHRA").click()
    expect(page.get_by_text("Item 1 of 2")).to_be_visible()
    ready(page)
    rows = page.locator(".row")
    assert rows.count() == 5
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not rated yet: A, B, C, D, E.")).to_be_visible()
    # Letters and numbers choose a sound, arrows move its slider.
    page.keyboard.press("a")
    expect(rows.nth(0).locator("button")).to_have_attribute("aria-pressed", "true")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(rows.nth(0).locator("output")).to_have_text("3")
    page.keyboard.press("2")
    page.keyboard.press("PageUp")
    expect(rows.nth(1).locator("output")).to_have_text("10")
    page.keyboard.press("r")
    expect(page.get_by_role("button", name="Reference")).to_have_attribute("aria-pressed", "true")
    # A pointer on a button chooses the sound, and keys go on to work.
    rows.nth(2).locator("button").click()
    page.keyboard.press("ArrowUp")
    expect(rows.nth(2).locator("output")).to_have_text("1")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    # Loaded anew, the same item is there in the same order, with the scores so far.
    page.reload()
    expect(page.get_by_text("Item 1 of 2")).to_be_visible()
    ready(page)
    assert rows.locator("output").all_text_contents() == ["3", "10", "1", *2 * ["\N{EN DASH}"]]
    for row, score in zip(rows.all()[2:], (60, 80, 90), strict=True):
        row.get_by_role("slider").fill(str(score))
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("deserves 100. Listen once more")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Item 2 of 2")).to_be_visible()
    ready(page)
    [begun] = [s for s in documents(page, place) if s.test == "mushra"]
    assert list(begun.ratings[0].scores.values()) and len(begun.ratings) == 1
    assert sorted(begun.ratings[0].scores.values()) == [3, 10, 60, 80, 90]
    for row in rows.all():
        row.get_by_role("slider").fill("100")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("All items are rated")).to_be_visible()
    if place.is_served:
        expect(page.locator("tbody tr")).to_have_count(5)
        expect(page.get_by_text("Hidden reference")).to_be_visible()
    else:
        assert not page.get_by_text("Hidden reference").is_visible()  # it cannot know
        save_and_import(page, place, tmp_path)
    [stored] = [s for s in database.load_all(place.store) if isinstance(s, MushraSession)]
    assert stored.is_finished and set(stored.ratings[1].scores.values()) == {100}


RENDER = """async ([tokens, seconds, loop, actions]) => {
  const rate = Pedalframe.content.sample_rate_hz;
  const context = new OfflineAudioContext(1, Math.round(seconds * rate), rate);
  const deck = new Pedalframe.Deck(context, await Pedalframe.decoded(context, tokens));
  if (loop) deck.setLoop(...loop);
  for (const [name, at] of actions) deck.select(name, at);
  deck.play(0);
  const rendered = await context.startRendering();
  deck.close();
  return [...rendered.getChannelData(0)];
}"""


@pytest.fixture
def render(page: Page) -> Callable[..., Samples]:
    """What the page's graph puts out, computed by the browser without a sound card."""

    def rendered(
        tokens: dict[str, str],
        actions: list[tuple[str, float]],
        seconds: float = 1.9,
        loop: tuple[float, float] | None = None,
    ) -> Samples:
        output = page.evaluate(RENDER, [tokens, seconds, loop, actions])
        return np.asarray(output, np.float32)

    return rendered


@pytest.mark.slow
def test_what_is_heard_is_equally_loud(place: Place, render: Callable[..., Samples]) -> None:
    rate_hz = place.key.sample_rate_hz
    for item in place.key.items:
        names = {place.key.stimuli[t].condition: t for t in place.key.stimuli_of(item)}
        names["open"] = place.key.open_references[item]
        found = {name: levels.loudness_lufs(render(names, [(name, 0)]), rate_hz) for name in names}
        assert max(found.values()) - min(found.values()) < 0.1, found
        assert set(found) > {REFERENCE}


def test_switching_leaves_no_gap_and_keeps_the_place(
    place: Place, render: Callable[..., Samples]
) -> None:
    token = next(iter(place.key.open_references.values()))
    # Two names of one sound: what is heard must be that sound, whenever one switches.
    tokens = {"first": token, "second": token}
    switched = render(tokens, [("first", 0), ("second", 0.4), ("first", 0.7), ("second", 0.701)])
    steady = render(tokens, [("first", 0)])
    assert np.abs(steady).max() > 0.05
    np.testing.assert_allclose(switched, steady, atol=1e-6)


@pytest.mark.slow
def test_switching_and_looping_do_not_click(page: Page) -> None:
    # Opposite sines: a hard switch would jump by up to 1, a loop's seam by 0.5.
    output = np.asarray(
        page.evaluate(
            """async () => {
          const rate = 22050;
          const context = new OfflineAudioContext(1, 3 * rate, rate);
          const sine = (sign) => {
            const buffer = context.createBuffer(1, 2 * rate, rate);
            buffer.getChannelData(0).forEach((_, n, all) => {
              all[n] = sign * 0.5 * Math.cos((2 * Math.PI * 200.25 * n) / rate);
            });
            return buffer;
          };
          const deck = new Pedalframe.Deck(context, { up: sine(1), down: sine(-1) });
          deck.setLoop(0, 1.5025);
          deck.select("up", 0);
          deck.play(0);
          for (let n = 1; n < 8; n += 1) deck.select(n % 2 ? "down" : "up", 0.15 * n + 0.0012 * n);
          const rendered = await context.startRendering();
          deck.close();
          return [...rendered.getChannelData(0)];
        }"""
        )
    )
    slope = 0.5 * 2 * np.pi * 200.25 / 22_050
    fade = 1.0 / (0.008 * 22_050)
    assert np.abs(np.diff(output)).max() < slope + fade + 1e-3
    seam = round(1.5025 * 22_050)
    assert np.abs(output[seam - 2 : seam + 3]).max() < 0.02  # the dip between two passes
    after = output[seam + 1000 : seam + 2000]
    assert np.abs(after).max() == pytest.approx(0.5, abs=0.01)


@pytest.mark.slow
def test_the_loop_can_be_set_and_the_sound_stays_in_it(page: Page) -> None:
    page.get_by_role("button", name="Start ABX").click()
    ready(page)
    page.get_by_label("to", exact=True).fill("0.8")
    page.get_by_label("Loop from").fill("0.5")
    page.get_by_role("button", name="Play").click()
    heads = []
    for _ in range(12):
        page.wait_for_timeout(60)
        heads.append(page.locator(".time").text_content() or "")
    places = [float(text.split()[0]) for text in heads]
    assert min(places) >= 0.5 and max(places) <= 0.8 and len(set(places)) > 2
    page.keyboard.press("\\")
    expect(page.get_by_label("to", exact=True)).to_have_value("1.9")


@pytest.mark.slow
@pytest.mark.parametrize("test", ["ABX", "MUSHRA"])
def test_a_phone_shows_everything(page: Page, test: str) -> None:
    page.set_viewport_size(PHONE)
    wide = "document.documentElement.scrollWidth"
    small = """[...document.querySelectorAll('button, select, input, summary, fieldset label')]
      .filter((e) => e.checkVisibility() && e.type !== 'radio')
      .filter((e) => Math.min(e.offsetHeight, e.offsetWidth) < 40).map((e) => e.outerHTML)"""
    assert page.evaluate(wide) <= PHONE["width"] and page.evaluate(small) == []
    page.get_by_role("button", name=f"Start {test}").click()
    ready(page)
    assert page.evaluate(wide) <= PHONE["width"] and page.evaluate(small) == []
    nameless = """[...document.querySelectorAll('button, select, input')]
      .filter((e) => !e.ariaLabel && !e.textContent.trim() && !e.labels?.length)
      .map((e) => e.outerHTML)"""
    assert page.evaluate(nameless) == []


@pytest.mark.slow
def test_the_page_draws_what_python_derives(page: Page) -> None:
    for number in range(1, 20):
        seed = f"{number:08x}9e3779b97f4a7c15f39cc06{number % 10}"
        drawn = page.evaluate("s => Pedalframe.abxTrials(s, 50, ['i']).map((t) => t.x)", seed)
        assert drawn == hidden_sides(seed, 50)
    assert page.evaluate("Pedalframe.guessing(12, 16)") == pytest.approx(2517 / 65536)
    assert page.evaluate("Pedalframe.guessing(0, 200)") == pytest.approx(1)
    orders = page.evaluate(
        """() => Array.from({ length: 600 }, () => Pedalframe.mushraTrials(
          Pedalframe.newToken(), { i: ['p', 'q', 'r'] })[0].stimuli.join(''))"""
    )
    counts = [orders.count(order) for order in ("pqr", "prq", "qpr", "qrp", "rpq", "rqp")]
    assert sum(counts) == 600 and min(counts) > 50  # 100 +- 9 each


@pytest.mark.slow
def test_answers_that_cannot_be_stored_are_not_lost(page: Page, place: Place) -> None:
    if not place.is_served:
        pytest.skip("there is no server to lose")
    page.get_by_role("button", name="Start ABX").click()
    ready(page)
    page.context.set_offline(True)
    page.get_by_label("X is A").check()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("try again when it runs")
    expect(page.get_by_text("Trial 1 of 6")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Trial 2 of 6")).to_be_visible()
    newest = max(documents(page, place), key=lambda session: session.started)
    assert newest.answers == ("a",)
