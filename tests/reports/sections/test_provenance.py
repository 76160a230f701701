"""The commands of a report repeat it as it was asked for."""

from pathlib import Path

from reports.sections.provenance import provenance
from reports.sources.results import read
from study.config.grid import Grid
from study.store.folders import Store
from tests.reports import synthetic


def commands(store: Store) -> tuple[str, ...]:
    return provenance(read(store)).commands


def test_commands_name_the_grid_and_the_recording_as_they_were_given(tmp_path: Path) -> None:
    config = synthetic.config()
    store = synthetic.write_study(tmp_path / "mine", [config])
    assert commands(store) == ("make grid GRID=mine", "make report GRID=mine")
    store.write_grid(Grid("mine", "Mine", (config,), "grids/mine.toml"))
    assert commands(store) == ("make grid GRID=grids/mine.toml", "make report GRID=grids/mine.toml")
    store.write_grid(Grid("mine", "Mine", (config,), "mine.toml", ("a.wav", "b.wav")))
    assert commands(store)[0] == "make grid GRID=mine.toml DRY=a.wav WET=b.wav"
