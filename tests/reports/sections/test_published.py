"""Published figures stand beside ours, with their source, and only in their own section."""

from pathlib import Path

import pytest

from data import files
from reports.pages import study_page
from reports.sections.published import published_section
from reports.sources import results
from tests.reports import synthetic


@pytest.mark.slow
def test_a_line_has_their_figure_and_ours(tmp_path: Path) -> None:
    configs = [synthetic.config("fuzz", seed=seed) for seed in (0, 1)]
    store = synthetic.write_study(tmp_path / "runs", configs)
    assert published_section(results.read(store)) == ()

    entries = [
        {"effect": "fuzz", "structure": "LSTM 1x16", "esr": 0.0625, "source": "a <paper>"},
        {"effect": "phaser", "structure": "LSTM", "esr": None, "source": "another"},
    ]
    files.write_json(store.manifest_file, {**store.manifest(), "published": entries})
    read = results.read(store)
    ours, missing = published_section(read)
    assert (ours.esr, ours.source) == ("0.0625", "a <paper>")
    mean = sum(row["esr"] for row in read.finals) / 2
    assert abs(float(ours.our_esr) - mean) < 0.01 * mean
    assert (missing.esr, missing.our_esr) == ("none given", "not finished")

    page = study_page.build(store).read_text("utf-8")
    assert page.count("a &lt;paper&gt;") == page.count("0.0625") == 1
