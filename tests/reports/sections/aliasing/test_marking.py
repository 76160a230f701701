"""Harmonics and aliases are marked where arithmetic puts them."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reports.sections.aliasing.marking import COLUMNS, FLOOR_DB, bin_hz, folded_harmonic, marked
from study.measures import aliasing
from study.measures.aliasing import Float64s, Probe

RATE_HZ = 8_000
probes = st.builds(
    aliasing.probe, st.just(RATE_HZ), st.floats(100, 3_000), st.sampled_from([0.1, 0.5])
)


def spectrum(probe: Probe, drive: float) -> Float64s:
    answer = np.tanh(drive * probe.signal(2 * probe.period))
    return aliasing.spectrum_db(answer, probe)


@settings(max_examples=40, deadline=None)
@given(probes, st.floats(2, 30))
def test_harmonics_are_multiples_and_aliases_are_none(probe: Probe, drive: float) -> None:
    found = marked(spectrum(probe, drive), probe)
    order = found.harmonics_hz / probe.f0_hz
    assert order == pytest.approx(order.round(), abs=1e-9)
    assert probe.f0_hz in found.harmonics_hz
    away = np.abs(found.aliases_hz[:, None] - probe.f0_hz * np.arange(1, 81)).min(axis=1, initial=9)
    assert (away >= 0.99 * RATE_HZ / probe.period).all()
    assert (found.aliases_hz < RATE_HZ / 2).all()


@settings(max_examples=40, deadline=None)
@given(probes, st.floats(5, 30))
def test_the_strongest_alias_of_a_clipper_is_an_odd_harmonic_folded(
    probe: Probe, drive: float
) -> None:
    levels_db = spectrum(probe, drive)
    alias = marked(levels_db, probe).strongest
    assume(alias.level_db > -140)  # below is the rounding of float64
    assert alias.harmonic % 2 == 1  # tanh is odd, so it makes no even harmonics
    assert alias.unfolded_hz == pytest.approx(alias.harmonic * probe.f0_hz)
    assert alias.unfolded_hz > RATE_HZ / 2
    around = alias.unfolded_hz % RATE_HZ
    assert alias.hz == pytest.approx(min(around, RATE_HZ - around), abs=1e-6)
    found = aliasing.analyse(np.tanh(drive * probe.signal(2 * probe.period)), probe)
    assert alias.hz == pytest.approx(found.strongest_alias_hz)
    assert alias.level_db == pytest.approx(found.strongest_alias_db)


@pytest.mark.parametrize("drive", [5, 20])
def test_at_twice_a_boards_rate_lines_are_where_and_as_loud_as_the_board_plays_them(
    drive: float,
) -> None:
    probe = aliasing.probe(88_200, 4201, 0.5)
    alias = marked(spectrum(probe, drive), probe)
    found = aliasing.analyse(np.tanh(drive * probe.signal(2 * probe.period)), probe)
    assert alias.strongest.hz == pytest.approx(found.strongest_alias_hz)
    assert alias.strongest.level_db == pytest.approx(found.strongest_alias_db)
    assert max(alias.aliases_hz.max(), alias.harmonics_hz.max()) < 22_050
    assert alias.harmonics_hz == pytest.approx(probe.f0_hz * np.array([1, 3, 5]))


@settings(max_examples=60, deadline=None)
@given(probes, st.integers(1, 4_000))
def test_every_bin_has_the_one_harmonic_that_folds_to_it(probe: Probe, number: int) -> None:
    number = min(number, probe.period // 2)
    place = folded_harmonic(number, probe) * probe.cycles % probe.period
    assert min(place, probe.period - place) == number
    assert 1 <= folded_harmonic(number, probe) <= probe.period // 2


def test_each_column_keeps_its_strongest_line() -> None:
    probe = aliasing.probe(RATE_HZ, 1249, 0.5)
    random = np.random.default_rng(0)
    levels_db = random.uniform(-140, -20, probe.period // 2 + 1)
    levels_db[probe.cycles] = 0
    found = marked(levels_db, probe)
    assert len(found.aliases_hz) <= COLUMNS
    assert found.aliases_db.max() == found.strongest.level_db
    assert bin_hz(probe.cycles, probe) in found.harmonics_hz
    assert min(found.aliases_db.min(), found.harmonics_db.min()) > FLOOR_DB
    assert (np.diff(found.aliases_hz) > 0).all()


def test_dc_is_neither() -> None:
    probe = aliasing.probe(RATE_HZ, 440, 0.5)
    levels_db = np.full(probe.period // 2 + 1, -200.0)
    levels_db[0], levels_db[probe.cycles] = 20, 0
    found = marked(levels_db, probe)
    assert found.harmonics_hz == pytest.approx([probe.f0_hz])
    assert len(found.aliases_hz) == 0 and found.strongest.level_db == -200
