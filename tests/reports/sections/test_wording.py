"""Sentences say no more than the numbers allow."""

import math
from pathlib import Path

import pytest

from data import files
from reports.sections import scores, wording
from reports.sources.numbers import counted, decibels, ranged, short_count, significant
from reports.sources.results import Model, Results, Row, Spread, read
from study.config.run import RunConfig
from study.store import tables
from tests.reports.synthetic import config, write_study


def row(esr: float, seed: int = 0, fir_esr: float = 0.4, **more: object) -> Row:
    base = {"effect": "fuzz", "family": "lstm", "frame_size": 64}
    base |= {"training": "framed", "training_frames": 1000}
    errors = {"esr": esr, "validation_esr": esr, "fir_esr": fir_esr, "dry_esr": 0.8}
    return {**base, **errors, "seed": seed, "epoch": 20, **more}


def model(*errors: float, structure: str = "LSTM 1x8", **more: object) -> Model:
    return Model(structure, tuple(row(esr, seed, **more) for seed, esr in enumerate(errors)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.02134, 3, "0.0213"),
        (0.9996, 3, "1.00"),
        (0.98765, 4, "0.9877"),
        (1234.5, 3, "1,230"),
        (12.345, 3, "12.3"),
        (3.2e-7, 3, "3.20e-07"),
        (-3.783, 4, "\N{MINUS SIGN}3.783"),
        (0.0, 3, "0"),
        (math.inf, 3, "infinite"),
        (math.nan, 3, "not a number"),
    ],
)
def test_significant_digits(value: float, digits: int, text: str) -> None:
    assert significant(value, digits) == text


def test_small_words() -> None:
    assert (short_count(40_000), short_count(1234)) == ("40k", "1,234")
    assert (counted(1, "run"), counted(2000, "run")) == ("1 run", "2,000 runs")
    assert ranged(0.01, 0.02, 1) == "0.01 to 0.02"
    assert decibels(0.01) == pytest.approx(-20)
    assert decibels(0) == -math.inf


def test_one_seed_is_called_one_seed() -> None:
    assert "One seed only" in wording.certainty(model(0.1))
    assert "Mean of 2 seeds" in wording.certainty(model(0.1, 0.2))
    assert "2.0 times" in wording.certainty(model(0.1, 0.2))


def test_seeds_that_failed_are_told_and_counted_once(tmp_path: Path) -> None:
    runs = [config(seed=seed) for seed in range(4)]
    twin = config(seed=0, checkpoint_epochs=(2,))  # its first run finished
    store = write_study(tmp_path / "grid", [*runs, twin])
    for run in (*runs[2:], twin):
        store.run(run.run_id).result_file.unlink()
    for run in (runs[2], twin):
        tables.write_failure(run, store.run(run.run_id), "diverged")
    found = read(store)
    [only] = found.models  # one seed of it is still pending
    assert (len(only.rows), only.failed_seeds) == (2, 1)
    told = "1 of 3 seeds failed and is not in these figures."
    assert wording.failed(only) == [told]
    assert told in wording.headline(found, "fuzz").sentences
    assert wording.failed(model(0.1)) == []


def test_beating_the_filter_is_said_only_of_all_seeds() -> None:
    assert "4.0 times as much" in wording.against_fir(model(0.1))
    assert "Not every seed" in wording.against_fir(model(0.1, 0.5))
    assert "does not beat" in wording.against_fir(model(0.5, 0.6))


def test_the_filter_beside_a_model_without_frames_has_its_own_length() -> None:
    assert "the same length (64 taps)" in wording.against_fir(model(0.1))
    text = wording.against_fir(model(0.1, training="sequence"))
    assert "the best linear filter of 64 taps leaves" in text


def test_the_runner_up_is_worse_only_where_ranges_part() -> None:
    best = model(0.10, 0.12)
    assert wording.runner_up([best]) == []
    (close,) = wording.runner_up([best, model(0.11, 0.14)])
    assert "overlap, so the order is not certain" in close
    (clear,) = wording.runner_up([best, model(0.2, 0.3)])
    assert "do not overlap" in clear
    (single,) = wording.runner_up([best, model(0.2)])
    assert "other seeds may reverse" in single


def test_the_best_model_is_chosen_by_validation_not_by_test(results: Results) -> None:
    best = results.models_of("fuzz")[0]
    means = [m.spread("validation_esr").mean for m in results.models_of("fuzz")]
    assert best.spread("validation_esr").mean == min(means)
    assert len(best.rows) == 2
    headline = wording.headline(results, "fuzz")
    assert headline.model == best.structure
    assert headline.comparisons[0].model == significant(best.spread("esr").mean)


def test_models_that_the_dots_leave_out_are_counted() -> None:
    every = [model(0.1 + n / 100, structure=f"LSTM {n}") for n in range(scores.MOST_DOTS + 2)]
    assert scores.not_drawn(every[: scores.MOST_DOTS]) == []
    [told] = scores.not_drawn(every)
    assert "2 more" in told
    sizes = [model(0.1, structure=m.structure, training_frames=n) for m in every for n in (1, 2)]
    assert scores.not_drawn(sizes) == []  # a heat map shows all


def test_seeds_are_averaged_and_nothing_else(results: Results) -> None:
    models = results.models_of("fuzz")
    assert len(models) == 6
    assert all(len({r["training_frames"] for r in m.rows}) == 1 for m in models)
    cells = scores.cells(models)
    one = models[0]
    assert cells[one.structure, one.training_frames] == Spread.of(r["esr"] for r in one.rows)


def test_runs_that_keep_other_epochs_are_one_model(tmp_path: Path) -> None:
    kept = [(0, ()), (1, (2,)), (1, (2, 4))]  # the second and third are trained alike
    runs = [config(seed=seed, checkpoint_epochs=epochs) for seed, epochs in kept]
    [only] = read(write_study(tmp_path / "grid", runs)).models
    assert sorted(r["seed"] for r in only.rows) == [0, 1]


def test_what_is_made_of_the_finished_model_does_not_make_it_another(tmp_path: Path) -> None:
    runs = [
        config(training_frames=4000),
        config(seed=1, streaming_epochs=3),
        config(seed=2, oversampling=(2,)),
    ]
    models = read(write_study(tmp_path / "grid", runs)).models
    assert {model.structure for model in models} == {"LSTM 1\N{MULTIPLICATION SIGN}8"}
    assert sorted(len(model.rows) for model in models) == [1, 2]


def test_checkpoints_after_the_best_epoch_are_still_checkpoints(tmp_path: Path) -> None:
    run = config(checkpoint_epochs=(2, 4, 5))
    store = write_study(tmp_path / "grid", [run])
    result = files.read_json(store.run(run.run_id).result_file)
    *kept, final = result["rows"]
    final["epoch"] = 4  # where patience found the lowest loss
    other = {**final, "rendering": "streaming", "is_final": False}
    rows = [*kept, other, final]
    files.write_json(store.run(run.run_id).result_file, {**result, "rows": rows})
    read_again = read(store)
    assert [row["epoch"] for row in read_again.checkpoints_of(run.run_id)] == [2, 5]
    assert [r["rendering"] for r in read_again.finals_of(run.run_id)] == ["framed", "streaming"]


def test_labels_name_no_more_than_tells_structures_apart(tmp_path: Path) -> None:
    runs = [
        config(),
        config(training_frames=4000),
        config(family="rnn", learning_rate=3e-3),
        config(family="gru", frame_size=16),
        config(family="gru", frame_size=32),
        config("other", units=16, frame_size=32),
    ]
    models = read(write_study(tmp_path / "grid", runs)).models
    assert sorted(model.structure for model in models) == [
        "GRU 1\N{MULTIPLICATION SIGN}8, frame 16",
        "GRU 1\N{MULTIPLICATION SIGN}8, frame 32",
        "LSTM 1\N{MULTIPLICATION SIGN}16",
        "LSTM 1\N{MULTIPLICATION SIGN}8",
        "LSTM 1\N{MULTIPLICATION SIGN}8",
        "RNN 1\N{MULTIPLICATION SIGN}8",
    ]


def test_labels_tell_the_rate_where_an_effect_has_several(tmp_path: Path) -> None:
    runs = [config(), config(family="gru"), config("other"), config("other")]
    for n in (1, 3):  # of these two settings of the other effect each has but one rate
        runs[n] = runs[n].model_copy(update={"sample_rate_hz": 2 * runs[0].sample_rate_hz})
    turned = {**runs[3].effect, "controls": {"drive": 0.5}}
    runs[3] = runs[3].model_copy(update={"effect": turned})
    models = read(write_study(tmp_path / "grid", runs)).models
    rate_hz = runs[0].sample_rate_hz
    assert sorted(model.structure for model in models) == [
        f"GRU 1\N{MULTIPLICATION SIGN}8, {2 * rate_hz:,} Hz",
        "LSTM 1\N{MULTIPLICATION SIGN}8",
        "LSTM 1\N{MULTIPLICATION SIGN}8",
        f"LSTM 1\N{MULTIPLICATION SIGN}8, {rate_hz:,} Hz",
    ]


def test_labels_tell_sequences_from_frames_and_nothing_that_follows_from_it(
    tmp_path: Path,
) -> None:
    framed = config()
    shared = framed.model_dump(include={"effect", "signal", "sample_rate_hz", "units", "epochs"})
    sequence = RunConfig(**shared, training="sequence")
    models = read(write_study(tmp_path / "grid", [framed, sequence])).models
    assert sorted(model.structure for model in models) == [
        "LSTM 1\N{MULTIPLICATION SIGN}8, on frames",
        "LSTM 1\N{MULTIPLICATION SIGN}8, on sequences",
    ]


def test_labels_tell_the_front_of_features_once(tmp_path: Path) -> None:
    shared = config(family="gru").model_dump(include={"effect", "signal", "family", "units"})
    fronts = [(16, 4), (32, 4), (32, 8)]
    shared |= {"training": "sequence", "sample_rate_hz": 8000}
    configs = [RunConfig(**shared, frame_size=frame, features=n) for frame, n in fronts]
    store = write_study(tmp_path / "grid", [*configs, RunConfig(**shared)])
    gru = "GRU 1\N{MULTIPLICATION SIGN}8"
    expected = {gru, *(f"{gru}, frame {frame} to {n}" for frame, n in fronts)}
    assert {model.structure for model in read(store).models} == expected


def test_a_label_counts_frames_or_seconds_of_audio() -> None:
    framed = model(0.1, training_frames=40_000)
    sequence = model(0.1, training="sequence", training_frames=2_774_016, sample_rate_hz=22_050)
    assert framed.label == "LSTM 1x8, 40k training frames"
    assert sequence.label == "LSTM 1x8, 126 s of training audio"


def test_a_direction_is_told_by_the_effect_alone(tmp_path: Path) -> None:
    runs = [config(), config(direction="reversed", learning_rate=3e-3)]
    models = read(write_study(tmp_path / "grid", runs)).models
    assert {(model.effect, model.structure) for model in models} == {
        ("fuzz", "LSTM 1\N{MULTIPLICATION SIGN}8"),
        ("fuzz (wet to dry)", "LSTM 1\N{MULTIPLICATION SIGN}8"),
    }


def test_doing_nothing_is_told_by_the_signal_that_models_hear() -> None:
    assert "closer to the target than the dry signal does" in wording.standing([model(0.1)])
    backwards = wording.standing([model(0.1, direction="reversed")])
    assert "closer to the target than the wet signal does" in backwards


def test_more_frames_are_counted_by_structure() -> None:
    small, large = model(0.2), model(0.1, training_frames=4000)
    text = wording.structures([large, small])
    assert "lower mean ESR than the smallest in 1 of 1 structure" in text
