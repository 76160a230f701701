from pathlib import Path
from typing import Any

import pytest

from data import files
from reports.sections.streaming import StreamingSection, streaming_section
from reports.sources import results
from study.config.run import RunConfig
from study.store import tables
from study.store.folders import Store
from tests.study import finished


def store_of(tmp_path: Path, *configs: RunConfig, **esr: list[float]) -> Store:
    """Each rendering's ESRs, one a configuration."""
    store = finished.grid(tmp_path / "grid", *configs)
    for number, config in enumerate(configs):
        shared: dict[str, Any] = {
            **tables.described(config), "status": "ok", "epoch": config.epochs,
            "validation_esr": 0.1, "mae": 0.1, "asr_worst_db": -20.0,
        }  # fmt: skip
        rows = [
            {**shared, "rendering": name, "esr": values[number], "is_final": name == "framed"}
            for name, values in esr.items()
        ]
        files.write_json(store.run(config.run_id).result_file, {"status": "ok", "rows": rows})
    return store


def section_of(tmp_path: Path, *configs: RunConfig, **esr: list[float]) -> StreamingSection:
    section = streaming_section(results.read(store_of(tmp_path, *configs, **esr)))
    assert section is not None
    return section


def plain(text: str) -> str:
    return text.replace("\N{MINUS SIGN}", "-")


def test_models_that_hold_no_state_have_no_section(tmp_path: Path) -> None:
    store = store_of(tmp_path, finished.config(family="dense"), framed=[0.1])
    assert streaming_section(results.read(store)) is None


@pytest.mark.slow
def test_a_model_stands_in_every_rendering_with_its_range_over_seeds(tmp_path: Path) -> None:
    configs = [finished.config(seed=seed, streaming_epochs=2) for seed in (0, 1)]
    section = section_of(
        tmp_path, *configs,
        streaming=[0.02, 0.04], streaming_tuned=[0.008, 0.012], framed=[0.01, 0.01],
    )  # fmt: skip
    assert [line.rendering.split(",")[0] for line in section.lines] == [
        "framed", "streaming", "streaming",
    ]  # fmt: skip
    assert [line.seeds for line in section.lines] == [2, 2, 2]
    assert [line.esr for line in section.lines] == [
        "0.0100 (0.0100 to 0.0100)", "0.0300 (0.0200 to 0.0400)", "0.0100 (0.00800 to 0.0120)",
    ]  # fmt: skip
    assert plain(section.lines[0].asr_db) == "-20 (-20 to -20)"
    assert section.lines[0].model and not section.lines[1].model
    growth, cure = section.sentences
    assert "none is better" in growth
    assert "3.0 times the framed one in the median, from 2.0 to 4.0 times" in growth
    assert "in 2 of 2 seeds; in 1 it is then below the framed" in cure


def test_a_model_that_breaks_is_named_with_its_seed(tmp_path: Path) -> None:
    configs = [finished.config(seed=seed) for seed in (0, 1)]
    section = section_of(tmp_path, *configs, streaming=[0.009, 0.7], framed=[0.01, 0.01])
    growth, broken = section.sentences
    assert "1 is better" in growth
    assert broken.startswith("1 run can no longer be used so")
    assert broken.endswith("seed 1: 0.700, where its framed ESR is 0.0100.")


def test_a_fall_is_not_called_growth(tmp_path: Path) -> None:
    section = section_of(tmp_path, finished.config(), streaming=[0.08], framed=[0.1])
    [told] = section.sentences
    assert "The test ESR is 0.80 times the framed one" in told and "grows" not in told


@pytest.mark.parametrize("missing", ["mae", "asr_worst_db"])
def test_what_was_not_measured_is_left_out(tmp_path: Path, missing: str) -> None:
    store = store_of(tmp_path, finished.config(), streaming=[0.02], framed=[0.01])
    for run in store.runs():
        kept = files.read_json(run.result_file)
        for row in kept["rows"]:
            row[missing] = None
        files.write_json(run.result_file, kept)
    section = streaming_section(results.read(store))
    assert section is not None
    column = {"mae": "mae", "asr_worst_db": "asr_db"}[missing]
    assert {getattr(line, column) for line in section.lines} == {""}
