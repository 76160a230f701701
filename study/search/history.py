"""What a search leaves for the report: tables of its trials, and what mattered."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from data import files
from study.search import search_file, trials
from study.search.importance import importances, lowest_loss
from study.search.trials import Trials
from study.store.folders import Store


def write(own: Trials, store: Store) -> None:
    """Write trials.parquet, epochs.parquet, importances.json and searched.json.

    ``trials`` has a row a trial: trial, state (complete, pruned or fail), validation_loss
    (the lowest), epochs, reason, and a column a setting. ``epochs`` has trial, epoch and
    validation_loss. searched.json is what these are trials of.
    """
    ended = [trial for trial in own.all() if trial.state in trials.ENDED]
    rows: list[dict[str, Any]] = [
        {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "validation_loss": lowest_loss(trial),
            "epochs": max(trial.intermediate_values, default=0),
            "reason": trial.user_attrs.get("reason", ""),
            **{name: trial.params.get(name) for name in own.search.space},
        }
        for trial in ended
    ]
    epochs = [
        {"trial": trial.number, "epoch": epoch, "validation_loss": loss}
        for trial in ended
        for epoch, loss in sorted(trial.intermediate_values.items())
    ]
    folder = search_file.folder(store)
    for name, table in (("trials", rows), ("epochs", epochs)):
        frame = pd.DataFrame(table)
        files.write_whole(
            folder / f"{name}.parquet",
            lambda path, frame=frame: frame.to_parquet(path, index=False),  # type: ignore[misc]
        )
    files.write_json(folder / "importances.json", [asdict(own) for own in importances(ended)])
    files.write_json(search_file.searched_file(store), own.search.to_dict())
