"""Error against cost: every model once a rendering, the front, and what is enough."""

from pathlib import Path
from typing import Any

import pytest

from data import files
from reports.sections import size
from reports.sections.size import Entry
from reports.sources.results import Model, Results, Row, read
from study.store.columns import BUDGET_COLUMNS
from tests.reports.page_reader import read_page
from tests.reports.synthetic import config, write_study
from tests.study.stored_tables import filled


def entry(name: str, macs: int, *validation_esr: float, rendering: str = "framed") -> Entry:
    rows: tuple[Row, ...] = tuple(
        {
            "run_id": f"{name}-{seed}",
            "effect": "fuzz",
            "family": "lstm",
            "training": "framed",
            "training_frames": 1000,
            "seed": seed,
            "rendering": rendering,
            "esr": 1.1 * esr,
            "validation_esr": esr,
            "asr_worst_db": None,
            "macs_per_sample": macs,
        }
        for seed, esr in enumerate(validation_esr)
    )
    return Entry(Model(name, rows), rendering, rows)


def test_the_front_holds_what_nothing_cheaper_beats() -> None:
    a, b, c, d = (entry(n, m, e) for n, m, e in
                  (("a", 10, 0.3), ("b", 20, 0.4), ("c", 30, 0.1), ("d", 30, 0.2)))  # fmt: skip
    assert size.pareto([d, c, b, a]) == [a, c]


@pytest.mark.parametrize(
    ("best", "cheap", "said"),
    [
        ((0.10,), (0.12,), "other seeds may widen or reverse"),
        ((0.09, 0.11), (0.105, 0.13), "ranges over their seeds overlap"),
        ((0.10, 0.101), (0.11, 0.12), "do not overlap"),
    ],
)
def test_enough_is_the_cheapest_within_a_decibel_and_says_how_sure(
    best: tuple[float, ...], cheap: tuple[float, ...], said: str
) -> None:
    every = [entry("big", 1000, *best), entry("small", 100, *cheap), entry("tiny", 1, 0.5)]
    lead, verdict = size.enough(every)
    assert "big" in lead and "1,000" in lead
    assert "small" in verdict and "10 times fewer" in verdict and said in verdict


def test_nothing_near_is_said() -> None:
    every = [entry("big", 1000, 0.1), entry("small", 100, 0.13)]
    assert size.enough(every)[1] == "Nothing cheaper comes within 1 dB of it."


def test_marks_lie_inside_and_in_order(results: Results) -> None:
    found = size.sizes(results, "fuzz")
    assert found is not None and found.by_frames is not None
    for plot in (found.by_cost, found.by_frames):
        assert len(plot.marks) == 6
        for mark in plot.marks:
            assert size.LEFT <= mark.x <= size.WIDTH - size.RIGHT
            assert size.TOP <= mark.high <= mark.y <= mark.low <= size.HEIGHT - size.BOTTOM
        assert len(plot.x_ticks) >= 2 and len(plot.y_ticks) >= 2
    by_run = {mark.run_id: mark for mark in found.by_cost.marks}
    best = {model.best_run["run_id"]: model for model in results.models_of("fuzz")}
    heights = [
        by_run[run_id].y for run_id in sorted(best, key=lambda r: best[r].spread("esr").mean)
    ]
    assert heights == sorted(heights, reverse=True)
    assert [text for _, text in found.by_frames.x_ticks] == ["1k", "4k"]


def test_a_mark_leads_to_the_best_seed_of_its_own_rendering(tmp_path: Path) -> None:
    runs = [config(seed=seed) for seed in (0, 1)]
    store = write_study(tmp_path / "grid", runs)
    for run, streaming in zip(runs, (0.2, 0.1), strict=True):
        file = store.run(run.run_id).result_file
        [row] = files.read_json(file)["rows"]
        framed = {**row, "validation_esr": 0.3 - streaming}
        other = {**row, "validation_esr": streaming, "rendering": "streaming", "is_final": False}
        files.write_json(file, {"status": "ok", "rows": [other, framed]})
    by_rendering = {entry.rendering: entry for entry in size.entries(read(store), "fuzz")}
    firsts = {name: entry.rows[0]["run_id"] for name, entry in by_rendering.items()}
    assert firsts == {"framed": runs[0].run_id, "streaming": runs[1].run_id}


def test_hollow_is_drawn_only_where_the_key_explains_it() -> None:
    def hollow(*every: Entry) -> list[bool]:
        plot = size._plot(every, lambda own: own.macs, "", "", None, alt="")
        return [mark.is_hollow for mark in plot.marks]

    framed, carried = entry("a", 10, 0.3), entry("b", 20, 0.2, rendering="streaming")
    assert hollow(carried) == [False]
    assert hollow(carried, framed) == [False, True]  # the best last


def test_a_chosen_model_is_pointed_out(results: Results) -> None:
    run_id = results.models_of("fuzz")[2].rows[1]["run_id"]

    def pointed_out(rendering: str) -> int:
        found = size.sizes(results, "fuzz", (run_id, rendering))
        assert found is not None
        return sum(mark.is_chosen for mark in found.by_cost.marks)

    assert pointed_out("framed") == 1
    assert pointed_out("x") == 0


def test_models_of_one_size_are_not_asked_whether_it_is_enough(tmp_path: Path) -> None:
    runs = [config(), config(learning_rate=3e-3), config("other"), config("other", units=16)]
    results = read(write_study(tmp_path / "grid", runs))
    assert size.sizes(results, "fuzz") is None
    other = size.sizes(results, "other")
    assert other is not None and other.by_frames is None
    assert len({mark.x for mark in other.by_cost.marks}) == 2


@pytest.mark.slow
def test_every_mark_leads_to_a_page_and_tells_its_details(page: Path, results: Results) -> None:
    marks = [
        a
        for tag, a in read_page(page).tags
        if tag == "a" and "multiply-acc" in a.get("aria-label", "")
    ]
    assert len(marks) == 12  # six models in two plots
    assert all((page.parent / mark["href"]).is_file() for mark in marks)


def test_renderings_are_marks_of_their_own_and_boards_are_told(results: Results) -> None:
    rows: list[dict[str, Any]] = [dict(row) for row in results.rows]
    run_id = results.finals[0]["run_id"]
    final = next(row for row in rows if row["run_id"] == run_id and row["is_final"])
    streaming = {**final, "rendering": "streaming", "is_final": False, "macs_per_sample": 7}
    extended = Results(results.store, "", results.configs, (*rows, streaming), results.history)
    budget = filled(
        [
            {"run_id": run_id, "rendering": "streaming", "board": "a", "route": r, "verdict": v}
            for r, v in (("c", "yes"), ("tflite_int8", "no"))
        ],
        BUDGET_COLUMNS,
    )
    file = results.store.root / "budget.parquet"
    budget.to_parquet(file)
    try:
        found = size.entries(extended, "fuzz")
    finally:
        file.unlink()
    own = [entry for entry in found if entry.rendering == "streaming"]
    assert len(own) == 1 and own[0].macs == 7
    assert "real time: a yes" in own[0].details and "1 seed" in own[0].details
