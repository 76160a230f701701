"""Candidates as WebAssembly: the modules compute what the exact reference does."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright

from data import files
from data.errors import InputError
from embedded.c.generate import CSource
from embedded.network import reference
from embedded.wasm import browser, compiler
from embedded.wasm.browser import BrowserModel
from study.rendering.weights import load_weights
from study.selection import choose
from study.selection.candidates import candidates
from study.store import received, tables
from study.store.folders import Store
from tests import tiny
from tests.reports.chromium import CHROMIUM, in_chromium
from tests.study import finished

NEEDS_COMPILER = pytest.mark.skipif(
    compiler.found() is None, reason="needs clang and lld: run `make system`"
)
# Blocks of uneven length, one longer than a module takes at once, against the whole answer.
ANSWER = """async ({wasm, dry}) => {
  const bytes = Uint8Array.from(atob(wasm), (letter) => letter.charCodeAt(0));
  const {exports} = (await WebAssembly.instantiate(bytes, {})).instance;
  exports.reset();
  const wet = [];
  for (let start = 0; start < dry.length;) {
    const count = Math.min(start % 3 ? 129 : 1, dry.length - start);
    const block = new Float32Array(exports.memory.buffer, exports.samples(), exports.block());
    block.set(dry.slice(start, start + count));
    exports.process(count);
    wet.push(...block.subarray(0, count));
    start += count;
  }
  return wet;
}"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A finished run of every family, and one of features."""
    configs = [
        *(finished.config(family=family, units=6) for family in tiny.FAMILIES),
        tiny.sequence_config(units=6, frame_size=16, features=4),
    ]
    root = tmp_path_factory.mktemp("runs") / "grid"
    return finished.grid(root, *configs, validation_esr=0.1, esr=0.1)


@pytest.fixture
def tab() -> Iterator[Page]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched.new_page()
        launched.close()


def floats(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


@pytest.mark.slow
@in_chromium
@NEEDS_COMPILER
def test_modules_answer_as_the_reference_and_stay_until_something_changes(
    store: Store, tab: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "PRESENTED", 9)
    made = browser.write(store)
    assert made.problem == "" and len(made.models) == 6
    rng = np.random.default_rng(3)
    for own in made.models:
        config = store.run(own.run_id).config()
        weights = [np.asarray(w) for w in load_weights(config, store.run(own.run_id).model_file())]
        dry = (0.3 * rng.standard_normal(1500)).astype(np.float32)
        expected = reference.respond(config.architecture, weights, dry)
        wet = tab.evaluate(ANSWER, {"wasm": own.wasm, "dry": dry.tolist()})
        assert np.abs(np.array(wet) - expected).max() < own.tolerance, own.run_id
        golden = reference.respond(config.architecture, weights, floats(own.dry))
        assert np.abs(floats(own.wet) - golden).max() < 1e-6
        assert len(base64.b64decode(own.wasm)) < 40_000

    def refuse(*_: object) -> bytes:
        raise AssertionError("compiled again")

    monkeypatch.setattr(compiler, "compiled", refuse)
    assert browser.write(store) == made
    stored = received.browser(browser.path(store))
    assert [BrowserModel(**own) for own in stored["models"]] == made.models


def test_without_a_compiler_it_says_what_to_install_and_keeps_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = finished.config(family="dense")
    store = finished.grid(tmp_path / "grid", config, validation_esr=0.1, esr=0.1)
    monkeypatch.setattr(compiler, "found", lambda: None)
    made = browser.write(store)
    assert made.models == [] and "make system" in made.problem and "ziglang" in made.problem
    [candidate] = candidates(tables.collect(store))
    made_from = browser._fingerprint(store.run(config.run_id), candidate)
    kept = BrowserModel("clipper", config.run_id, "framed", 8000, made_from, "", "", "", 1e-3)
    files.write_json(browser.path(store), {"problem": "", "models": [dataclasses.asdict(kept)]})
    assert browser.write(store).models == [kept]
    store.run(config.run_id).model_file().unlink()
    assert browser.write(store).models == [] and "is missing" in browser.write(store).problem


@NEEDS_COMPILER
def test_a_compiler_that_refuses_is_told(tmp_path: Path) -> None:
    words = compiler.found()
    assert words is not None
    broken = CSource(compiler.NAME, "#error no\n", "", "")
    with pytest.raises(InputError, match="exit status 1"):
        compiler.compiled(broken, words)


def test_a_choice_that_cannot_be_used_is_a_problem_and_no_end(tmp_path: Path) -> None:
    config = finished.config(family="dense")
    store = finished.grid(tmp_path / "grid", config, validation_esr=0.1, esr=0.1)
    choose.choice_file(store).write_text("{}")
    made = browser.write(store)
    assert made.models == [] and "make choose" in made.problem


def test_what_no_board_renders_is_not_compiled_even_if_its_user_chose_it(tmp_path: Path) -> None:
    configs = [finished.config(family=family) for family in ("lstm", "dense")]
    store = finished.grid(tmp_path / "grid", *configs, validation_esr=0.1, esr=0.1)
    choice = choose.by_user(tables.collect(store), configs[0].run_id, "framed")
    assert choice.candidate.research
    choose.write(store, [choice])
    found = list(browser._presented(store, []))
    assert found and not any(own.research for own in found)


def test_what_is_presented_begins_with_the_choice_and_has_every_family(store: Store) -> None:
    table = tables.collect(store)
    everything = [own for own in candidates(table) if not own.research]
    choice = choose.by_user(table, "clipper-conv")
    found = choose.presented(choice, everything, 9)
    assert found[0].run_id == choice.run_id
    families = [own.row["family"] for own in found]
    assert sorted(families[:5]) == sorted(tiny.FAMILIES) and families[5:] == ["gru"]
    assert [own.run_id for own in choose.presented(choice, everything, 2)] == [
        own.run_id for own in found[:2]
    ]


def test_runs_that_differ_in_their_seed_alone_are_presented_once(tmp_path: Path) -> None:
    changes: tuple[dict[str, Any], ...] = ({}, {"seed": 1}, {"loss": "mse"}, {"epochs": 7})
    configs = [finished.config(family="dense", **own) for own in changes]
    store = finished.grid(tmp_path / "grid", *configs, validation_esr=0.1, esr=0.1)
    everything = candidates(tables.collect(store))
    found = choose.presented(choose.chosen(store), everything, 9)
    assert [own.run_id for own in found] == [configs[n].run_id for n in (0, 2, 3)]
