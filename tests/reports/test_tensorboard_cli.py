"""Event files are read back by TensorBoard's own reader."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("tensorboard", reason="needs requirements-tensorboard")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from data import files
from reports import tensorboard_cli
from reports.sources.results import read
from tests.reports.synthetic import config, write_study


def test_losses_settings_and_metrics_are_read_back(tmp_path: Path) -> None:
    run = config()
    store = write_study(tmp_path / "toy", [run])
    result_file = store.run(run.run_id).result_file
    result = json.loads(result_file.read_text())
    result["rows"][-1]["asr_worst_db"] = -20.5
    files.write_json(result_file, result)
    pd.DataFrame(
        {
            "run_id": run.run_id,
            "rendering": run.main_rendering,
            "board": ["a", "b", "c"],
            "share_pessimistic": [0.5, 0.25, None],
        }
    ).to_parquet(store.root / "budget.parquet")
    results = read(store)
    (row,) = results.finals
    for _ in range(2):  # the second in the place of the first
        folder = tensorboard_cli.write(results)
    events = EventAccumulator(str(folder / run.run_id)).Reload()
    for name in ("loss", "validation_loss"):
        own = events.Scalars(name)
        assert [each.step for each in own] == results.history["epoch"].tolist()
        assert [each.value for each in own] == pytest.approx(results.history[name].tolist())
    told = {label: events.Scalars(label)[0].value for label in tensorboard_cli.METRICS.values()}
    assert told == pytest.approx(
        {
            "validation ESR": row["validation_esr"],
            "worst ASR, dB": row["asr_worst_db"],
            "least share of a board": 0.25,
        }
    )
    content = events.PluginTagToContent(metadata.PLUGIN_NAME)[metadata.SESSION_START_INFO_TAG]
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    hparams = data.session_start_info.hparams
    assert hparams["effect"].string_value == run.effect_name
    assert hparams["units"].number_value == run.units
    assert hparams["learning_rate"].number_value == run.learning_rate
    assert hparams["residual"].HasField("bool_value")
