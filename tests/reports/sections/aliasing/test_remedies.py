"""What a remedy gains and costs is told from pairs of one seed."""

from pathlib import Path
from typing import Any

import pytest

from reports.sections.aliasing import remedies
from reports.sections.aliasing.epochs import ESR, SOUND
from reports.sections.aliasing.remedies import PLAIN, Remedy
from reports.sources.results import Results, Row
from study.config.run import RunConfig
from tests.reports.sections.aliasing.studies import Values, cache, results, row
from tests.reports.synthetic import config

MINUS = "\N{MINUS SIGN}"
UNBROKEN = "\N{NO-BREAK SPACE}"
TIMES = "\N{MULTIPLICATION SIGN}"


def values(asr: float, esr: float) -> Values:
    return {
        "esr": esr,
        "asr_worst_db": asr,
        "effect_asr_worst_db": -70.0,
        "esr_above_8khz": 0.5,
        "lsd_above_8khz_db": 9.0,
    }


def study(tmp_path: Path, seeds: int = 3, **settings: Any) -> Results:
    """Fine-tuning lowers the worst ASR by 10 dB for 1 dB of ESR; oversampling by 20 for nothing."""
    rows: list[Row] = []
    runs: list[RunConfig] = []
    for seed in range(seeds):
        own, jitter = -20.0 - 3 * seed, 0.1 * (seed - 1)
        plain = config(seed=seed, oversampling=(4,), **settings)
        tuned = config(seed=seed, antialias_epochs=20, **settings)
        runs += [plain, tuned]
        esr = 0.01 * (1 + seed)
        over = values(own - 20 + jitter, esr)
        costs = {"macs_per_sample": 4000, "inference_seconds_per_second": 0.45}
        rows += [
            row(plain, values(own, esr)),
            row(plain, over, rendering="framed_x4", is_final=False, **costs),
            row(plain, values(own, esr), rendering="streaming", is_final=False),
            row(tuned, values(own - 10 - jitter, esr * 10 ** (0.1 + 0.01 * jitter)),
                training_seconds=15.0),
        ]  # fmt: skip
    return results(tmp_path, rows, runs)


def only(found: Results) -> tuple[str, dict[Remedy, dict[int, Row]]]:
    [(title, rows)] = remedies.candidates(found).items()
    return title, rows


def test_gains_and_costs_are_paired_over_seeds(tmp_path: Path) -> None:
    title, rows = only(study(tmp_path))
    assert title == f"fuzz: LSTM 1{TIMES}8"
    assert [*rows] == [PLAIN, Remedy(0, 4), Remedy(20, 1)]
    over, tuned = remedies.outcomes(rows)
    asr, esr = SOUND[0], ESR
    for outcome, gain in ((over, -20), (tuned, -10)):
        found = outcome.changes[asr]
        assert found is not None and found.mean == pytest.approx(gain)
        assert found.verdict == "fell" and len(found.differences) == 3
    price = tuned.changes[esr]
    assert price is not None and price.mean == pytest.approx(1) and price.verdict == "rose"
    assert over.macs_factor == 4 and tuned.macs_factor == 1
    assert over.rendering_time is not None and over.rendering_time.mean == pytest.approx(350)
    assert tuned.training_time is not None and tuned.training_time.mean == pytest.approx(50)


def test_sentences_tell_gain_price_and_what_is_left(tmp_path: Path) -> None:
    _, rows = only(study(tmp_path))
    over, tuned, best, left = remedies.sentences(rows, remedies.outcomes(rows))
    assert over.startswith(f"Oversampled {TIMES}4 (mean over 3 seeds")
    assert "worst ASR fell by 20.0 dB" in over
    assert "Fine-tuned 20 epochs" in tuned and "ESR rose by 1.0 dB" in tuned
    assert best.startswith(f"Most gained oversampled {TIMES}4: 20.0 dB less aliasing")
    assert "4.0 times the multiply-accumulates" in best
    assert f"is {MINUS}43.0 dB, 27 dB above the effect's own {MINUS}70.0 dB" in left


def test_one_seed_claims_nothing(tmp_path: Path) -> None:
    _, rows = only(study(tmp_path, seeds=1))
    told = " ".join(remedies.sentences(rows, remedies.outcomes(rows)))
    assert "(one seed, so what chance alone does was not measured)" in told
    assert "Most gained" not in told


def test_a_remedy_that_does_not_help_is_said_not_to(tmp_path: Path) -> None:
    found = study(tmp_path)
    for number, own in enumerate(found.rows):
        own["asr_worst_db"] = -20.0 + (-1.0) ** (number // 3) * (1 + number % 3)
    _, rows = only(found)
    told = remedies.sentences(rows, remedies.outcomes(rows))
    assert "No remedy lowered the worst ASR beyond the spread of the seeds." in told


def test_a_grid_without_remedies_has_no_such_section(tmp_path: Path) -> None:
    run = config()
    found = results(tmp_path, [row(run, values(-20, 0.1))], [run])
    assert remedies.remedy_section(found, cache(tmp_path)) == ()


def test_a_remedy_without_its_plain_twin_is_not_judged(tmp_path: Path) -> None:
    tuned = config(antialias_epochs=20)
    other = config(units=16)
    found = results(tmp_path, [row(r, values(-20, 0.1)) for r in (tuned, other)], [tuned, other])
    assert remedies.remedy_section(found, cache(tmp_path)) == ()


def test_failed_and_pending_runs_do_not_disturb(tmp_path: Path) -> None:
    found = study(tmp_path)
    failed = config(seed=9)
    rows = [*found.rows, row(failed, {}, status="failed")]
    more = results(tmp_path, rows, [*found.configs.values(), failed])
    assert [*only(more)[1][PLAIN]] == [0, 1, 2]


def test_table_and_figure(tmp_path: Path) -> None:
    [model] = remedies.remedy_section(study(tmp_path), cache(tmp_path))
    plain, over, tuned = model.lines
    assert plain.remedy == "plain, its own values"
    assert plain.changes[0].value == f"{MINUS}23.0{UNBROKEN}dB"
    assert over.changes[0].value == f"{MINUS}20.0" and over.macs == "4.0"
    assert over.rendering_time == f"+350{UNBROKEN}%" and tuned.training_time == f"+50{UNBROKEN}%"
    assert f"oversampled {TIMES}4 {MINUS}20.0 dB" in model.picture.alt
    assert (tmp_path / "report" / model.picture.source).is_file()


def test_models_stay_apart(tmp_path: Path) -> None:
    one, two = study(tmp_path), study(tmp_path, family="dense")
    rows, configs = [*one.rows, *two.rows], [*one.configs.values(), *two.configs.values()]
    titles = [*remedies.candidates(results(tmp_path, rows, configs))]
    assert titles == [f"fuzz: LSTM 1{TIMES}8", f"fuzz: Dense 1{TIMES}8"]
