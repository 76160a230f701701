"""Which run goes into which file, and what is said when none does."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from data import files
from data.errors import InputError
from embedded.cli import app
from embedded.exports import exporting
from embedded.exports.exporting import FORMATS, export
from models.architecture import Architecture
from models.families import FAMILIES
from study.selection import choose
from study.store import tables
from study.store.folders import Store
from tests import tiny
from tests.study import finished

LOADED = {
    "nam": Architecture("lstm", 2, 7, 64),
    "aidax": Architecture("gru", 1, 16, 64, residual=True),
    "proteus": Architecture("lstm", 1, 40, 64, residual=True),
    "neuralseed": Architecture("gru", 1, 10, 64, residual=True),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The better LSTM second, a GRU at 48 kHz, a dense one, and nothing for Proteus."""
    configs = [
        finished.config(seed=0),
        finished.config(seed=1),
        finished.config(family="gru", units=8, sample_rate_hz=48_000),
        finished.config(family="dense"),
    ]
    made = finished.grid(tmp_path_factory.mktemp("runs") / "mine", *configs)
    for config, validation_esr in zip(configs, [0.2, 0.1, 0.05, 0.01], strict=True):
        finished.finish(
            made.run(config.run_id), config, esr=2 * validation_esr, validation_esr=validation_esr
        )
    return made


def ids(store: Store) -> list[str]:
    return [folder.run_id for folder in store.runs()]


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_takes_what_its_hosts_load_and_says_what_else_it_got(name: str) -> None:
    form = FORMATS[name]
    assert form.objection(LOADED[name]) is None
    for family in set(FAMILIES) - {"lstm", "gru"} - ({"tcn"} if name == "nam" else set()):
        other = Architecture(family, 1, 16, 64)
        assert f"{FAMILIES[family].label} 1x16" in str(form.objection(other))
    a = LOADED[name]
    turned = Architecture(a.family, a.layers, a.units, a.frame_size, not a.residual)
    assert (form.objection(turned) is None) == (name == "aidax")


@pytest.mark.parametrize("name", FORMATS)
def test_a_model_that_is_told_controls_is_refused(name: str) -> None:
    told = replace(LOADED[name], controls=1)
    assert "told 1 controls" in str(FORMATS[name].objection(told))


@pytest.mark.parametrize("name", FORMATS)
def test_a_model_of_features_is_refused(name: str) -> None:
    told = FORMATS[name].objection(replace(LOADED[name], features=4))
    assert told is not None and "on 4 features of 64 samples" in told


@pytest.mark.parametrize("name", ["aidax", "proteus", "neuralseed"])
def test_other_sizes_and_rates_are_refused(name: str) -> None:
    form, a = FORMATS[name], LOADED[name]
    assert form.objection(Architecture(a.family, 2, a.units, 64, a.residual))
    assert form.objection(Architecture(a.family, 1, a.units + 1, 64, a.residual))
    assert form.rate_objection(form.rates_hz[0]) is None
    assert "22050 Hz" in str(form.rate_objection(22_050))
    assert FORMATS["nam"].rate_objection(22_050) is None


def test_without_a_run_the_best_on_validation_that_fits_is_taken(store: Store) -> None:
    written = export(store, "nam")
    assert written.run_id == ids(store)[1]
    assert written.esr == 0.2
    assert written.path == store.root / "exports" / f"{ids(store)[1]}.nam"
    assert export(store, "aidax").run_id == ids(store)[2]
    assert written.whose.startswith("the best model of clipper for FORMAT=nam")
    assert written.whose.endswith(f"does not load the rule's choice for clipper, {ids(store)[3]}")


def test_the_file_says_where_the_model_comes_from(store: Store) -> None:
    facts = json.loads(export(store, "nam", ids(store)[0]).path.read_text())
    told = facts["metadata"]["pedalframe"]
    assert told["run_id"] == ids(store)[0]
    assert (told["esr"], told["rendering"]) == (0.4, "streaming")
    assert told["effect"] == "clipper"
    assert told["program"].startswith("Pedalframe ")
    assert facts["sample_rate"] == 8000


def test_the_choice_of_the_grid_comes_first(store: Store) -> None:
    chosen = ids(store)[0]
    file = store.root / "chosen.json"
    choose.write(store, [choose.by_user(tables.collect(store), chosen)])
    try:
        assert export(store, "nam").run_id == chosen
        assert export(store, "nam").whose == "the user's choice for clipper"
        with pytest.raises(InputError, match="found LSTM"):
            export(store, "aidax")
    finally:
        file.unlink()


def test_a_model_that_no_host_loads_is_refused_with_those_that_they_do(store: Store) -> None:
    with pytest.raises(InputError, match="found GRU 1x8 without residual") as told:
        export(store, "nam", "clipper-gru", force=True)
    assert f"It loads {ids(store)[1]}, {ids(store)[0]}." in str(told.value)


def test_a_model_without_state_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="found Dense 1x6"):
        export(store, "aidax", "clipper-dense")


def test_a_format_that_loads_no_run_says_which_formats_do(store: Store) -> None:
    with pytest.raises(InputError, match="LSTM 1x40 with residual") as told:
        export(store, "proteus")
    assert "Of its runs, nam loads 2, aidax loads 1." in str(told.value)


@pytest.mark.slow
def test_another_rate_is_written_when_forced_and_told(tmp_path: Path) -> None:
    config = finished.config(units=8)
    store = finished.grid(tmp_path / "mine", config, esr=0.1, validation_esr=0.1)
    with pytest.raises(InputError, match="trained at 8000 Hz") as told:
        export(store, "aidax", config.run_id)
    assert "FORCE=1" in str(told.value)
    [warning] = export(store, "aidax", config.run_id, force=True).warnings
    assert "44100 or 48000 Hz" in warning


def test_checkpoint_epochs_of_the_same_rendering_are_not_told(tmp_path: Path) -> None:
    config = tiny.sequence_config(units=8)
    store = finished.grid(tmp_path / "mine", config, esr=0.1, validation_esr=0.1)
    result = store.run(config.run_id).result_file
    found = files.read_json(result)
    checkpoint = {**found["rows"][0], "is_final": False, "epoch": 1, "esr": 0.9}
    files.write_json(result, {**found, "rows": [checkpoint, *found["rows"]]})
    assert exporting.loaded(store, config.run_id).esr == 0.1


def test_an_unknown_format_is_guessed() -> None:
    with pytest.raises(InputError, match="Did you mean 'proteus'"):
        exporting.format_named("protius")


def call(store: Store, *arguments: str) -> Result:
    words = ["export", "mine.toml", "--runs", str(store.root.parent), *arguments]
    return CliRunner().invoke(app, words, env={"COLUMNS": "200", "NO_COLOR": "1"})


def test_the_command_writes_and_refuses_in_one_line(store: Store) -> None:
    written = call(store, "--format", "nam")
    assert written.exit_code == 0, written.output
    assert f"{ids(store)[1]}.nam: {ids(store)[1]}, ESR 0.2000 in streaming use" in written.output
    refused = call(store, "--format", "nam", "--run", "clipper-gru")
    assert refused.exit_code == 2
    [line] = refused.stderr.strip().splitlines()
    assert line.startswith("error: run clipper-gru")
