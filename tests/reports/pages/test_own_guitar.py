"""One's own recording through the models of a page, in a real browser, from the file system."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from data import audio
from embedded.network import reference
from embedded.wasm import browser as wasm
from embedded.wasm import compiler
from reports.pages import study_page
from reports.sections.own_guitar import NOT_COMPILED, own_guitar
from reports.sources.results import read
from study.rendering.weights import load_weights
from study.store.folders import Store
from tests.reports.chromium import NEEDS_CHROMIUM, PHONE, watched_tab
from tests.reports.synthetic import RATE_HZ, config, plucked, write_study
from tests.study import finished

CONFIGS = [config(family=family, units=6) for family in ("dense", "conv")]


def test_what_was_not_compiled_is_told(tmp_path: Path) -> None:
    store = write_study(tmp_path / "grid", CONFIGS[:1])
    assert own_guitar(read(store)).problem == NOT_COMPILED
    (store.root / "browser.json").write_text('{"problem": "", "models": [{"wasm": 1}]}')
    assert "browser.json" in own_guitar(read(store)).problem
    assert own_guitar(read(store)).script.endswith("Pedalframe.models = [];\n")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same runs with weights."""
    return finished.grid(
        tmp_path_factory.mktemp("models") / "grid", *CONFIGS, validation_esr=0.1, esr=0.1
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, models: Store) -> Path:
    if compiler.found() is None:
        pytest.skip("needs clang and lld: run `make system`")
    store = write_study(tmp_path_factory.mktemp("runs") / "grid", CONFIGS)
    wasm.write(models)
    shutil.copyfile(wasm.path(models), store.root / "browser.json")
    return study_page.build(store)


@pytest.fixture
def opened(browser: Browser, built: Path) -> Iterator[Page]:
    with watched_tab(browser) as tab:
        tab.goto(built.as_uri())
        yield tab


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "my riff.wav"
    audio.write(path, plucked(3.0, seed=5), RATE_HZ)
    return path


class TestInBrowser:
    pytestmark: ClassVar = [*NEEDS_CHROMIUM, pytest.mark.slow]

    def test_golden_vectors_are_checked_on_load(self, opened: Page) -> None:
        proof = opened.locator(".own .proof")
        expect(proof).to_contain_text("All 2 models repeat their golden vectors here")
        assert float(opened.locator(".own").get_attribute("data-worst") or 1) < 1e-4

    def test_a_model_that_computes_otherwise_is_told(self, opened: Page, built: Path) -> None:
        script = built.parent / "models.js"
        whole = script.read_text()
        try:
            script.write_text(re.sub(r'"tolerance": [^,]+', '"tolerance": 1e-12', whole))
            opened.reload()
            expect(opened.locator(".own .proof")).to_contain_text("does not compute what")
        finally:
            script.write_text(whole)

    def test_what_is_saved_is_what_the_reference_computes(
        self, opened: Page, recording: Path, models: Store, tmp_path: Path
    ) -> None:
        opened.locator(".own input[type=file]").set_input_files(recording)
        expect(opened.locator(".own")).to_have_attribute("data-ready", "true")
        expect(opened.locator(".own .said")).to_contain_text("my riff.wav: 3.0 s at 8,000 Hz")
        chosen = opened.locator(".own option:checked").text_content()
        family = "dense" if "Dense" in (chosen or "") else "conv"
        with opened.expect_download() as download:
            opened.get_by_role("button", name="Save the result").click()
        saved = tmp_path / "saved.wav"
        download.value.save_as(saved)
        found = audio.read(saved)
        [run] = [own for own in models.runs() if own.config().family == family]
        weights = [np.asarray(w) for w in load_weights(run.config(), run.model_file())]
        dry = audio.read(recording).samples
        expected = reference.respond(run.config().architecture, weights, dry)
        assert (found.sample_rate_hz, found.subtype) == (RATE_HZ, "FLOAT")
        assert np.abs(found.samples - expected).max() < 1e-4

    def test_it_plays_switches_and_loops(self, opened: Page, recording: Path) -> None:
        opened.locator(".own input[type=file]").set_input_files(recording)
        expect(opened.locator(".own")).to_have_attribute("data-ready", "true")
        opened.locator(".own .play").click()
        opened.wait_for_function(
            "parseFloat(document.querySelector('.own .time').textContent) > 0.2"
        )
        opened.locator(".own .save").focus()
        for key, name in (("1", "dry"), ("2", "wet")):
            opened.keyboard.press(key)
            button = opened.locator(f".own [data-sound={name}]")
            expect(button).to_have_attribute("aria-pressed", "true")
        box = opened.locator(".own .timeline").bounding_box()
        assert box is not None
        y = box["y"] + box["height"] / 2
        opened.mouse.move(box["x"] + 0.5 * box["width"], y)
        opened.mouse.down()
        opened.mouse.move(box["x"] + 0.75 * box["width"], y)
        opened.mouse.up()
        region = opened.locator(".own .region")
        assert region.evaluate("own => [own.style.left, own.style.width].map(parseFloat)") == (
            pytest.approx([50, 25], abs=1)
        )
        opened.wait_for_function(
            "parseFloat(document.querySelector('.own .time').textContent) >= 1.5"
        )

    def test_the_players_of_effects_load_switch_by_keys_and_stop_each_other(
        self, opened: Page, recording: Path
    ) -> None:
        mixer = opened.locator(".mixer").first
        mixer.locator(".play").click()
        expect(mixer).to_have_attribute("data-ready", "true")
        opened.wait_for_function(
            "parseFloat(document.querySelector('.mixer .time').textContent) > 0.1"
        )
        for key in "1234":
            opened.keyboard.press(key)
            pressed = mixer.locator("[aria-pressed=true]")
            expect(pressed).to_have_count(1)
            expect(pressed).to_have_attribute("data-key", key)
        opened.locator(".own input[type=file]").set_input_files(recording)
        expect(opened.locator(".own")).to_have_attribute("data-ready", "true")
        opened.locator(".own .play").click()
        expect(opened.locator(".own .play")).to_have_text("Pause")
        expect(mixer.locator(".play")).to_have_text("Play")
        opened.keyboard.press(" ")
        expect(opened.locator(".own .play")).to_have_text("Play")

    def test_what_is_no_recording_is_refused_in_a_sentence(
        self, opened: Page, tmp_path: Path
    ) -> None:
        (tmp_path / "notes.wav").write_text("no sound")
        opened.locator(".own input[type=file]").set_input_files(tmp_path / "notes.wav")
        expect(opened.locator(".own .said")).to_contain_text("notes.wav could not be read")

    def test_the_first_level_is_short_and_fits_a_phone(self, opened: Page) -> None:
        words = opened.evaluate("document.body.innerText.split(/\\s+/).length")
        assert words < 700
        assert opened.evaluate("document.documentElement.scrollHeight") < 4 * 900
        assert "streaming_tuned" not in opened.locator("body").inner_text()
        opened.set_viewport_size(PHONE)
        assert opened.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
