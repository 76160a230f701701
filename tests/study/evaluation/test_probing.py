"""What is asked of effects and models, and what is kept of the answers."""

from pathlib import Path

import numpy as np
import pytest

from data import effects
from data.effects import Effect
from study.evaluation import probing
from study.measures import aliasing
from study.measures.aliasing import Float64s, one_by_one
from study.store.folders import ProbeFolder

RATE_HZ = 22_050


def clipped(x: Float64s) -> Float64s:
    return np.tanh(5 * x)


def test_the_columns_are_those_of_the_loud_probes_and_the_worst() -> None:
    rows = probing.probed(one_by_one(clipped), RATE_HZ, 0, with_notes=True).rows
    columns = probing.summary(rows)
    standard = [row for row in rows if row["probe"] == "standard"]
    notes = [row for row in rows if row["probe"] == "note"]
    assert (len(standard), len(notes)) == (8, 30)
    loud = {round(row["f0_hz"], -1): row["asr_db"] for row in standard if row["amplitude"] == 0.5}
    assert columns["asr_1249hz_db"] == loud[1250]
    assert columns["asr_4201hz_db"] == loud[4200]
    assert columns["asr_worst_db"] == max(row["asr_db"] for row in standard)
    # Of a clipper without memory the highest note of a guitar has the most.
    assert columns["asr_guitar_db"] == next(
        row["asr_db"] for row in notes if row["f0_hz"] == pytest.approx(1244.5, rel=0.02)
    )
    assert probing.summary(standard)["asr_guitar_db"] is None


def test_spectra_are_kept_for_the_standard_probes() -> None:
    found = probing.probed(one_by_one(clipped), RATE_HZ, 0)
    period = aliasing.standard_probes(RATE_HZ)[0].period
    assert found.spectra_db.shape == (8, period // 2 + 1)


def test_a_recording_cannot_be_asked(tmp_path: Path) -> None:
    effect = Effect("mine", "recording", content="x")
    assert probing.probe_effect(effect, RATE_HZ, ProbeFolder(tmp_path)) == []
    assert probing.summary([])["asr_worst_db"] is None


@pytest.mark.slow
def test_an_effect_is_asked_once_and_has_fewer_aliases_than_a_naive_clipper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ProbeFolder(tmp_path / "sd1")
    rows = probing.probe_effect(effects.resolve("sd1", tmp_path), RATE_HZ, folder)
    naive = probing.probed(one_by_one(clipped), RATE_HZ, 0).rows
    for name in ("asr_1249hz_db", "asr_4201hz_db", "asr_worst_db"):
        ours, theirs = probing.summary(rows)[name], probing.summary(naive)[name]
        assert ours is not None
        assert theirs is not None
        assert ours < theirs - 30
    assert folder.sweep_file.exists()
    assert set(folder.spectra_db()) == {"effect"}
    monkeypatch.setattr(probing, "probed", None)  # not called again
    assert probing.probe_effect(effects.resolve("sd1", tmp_path), RATE_HZ, folder) == rows


def test_a_sweep_rises_and_stays_within_its_amplitude() -> None:
    samples = probing.sweep(RATE_HZ)
    assert np.abs(samples).max() == pytest.approx(aliasing.SWEEP_AMPLITUDE, rel=1e-3)
    crossings = np.flatnonzero(np.diff(np.signbit(samples)))
    assert np.diff(crossings)[:5].mean() > 100 * np.diff(crossings)[-5:].mean()
