"""Texts of this section's figures stay inside and apart, as in the other figures."""

from collections.abc import Iterator

import numpy as np
import pytest

from reports.drawing import style
from reports.sections.aliasing import figures
from reports.sections.aliasing.figures import EpochCurve, NoteCurve, Panel
from reports.sections.aliasing.marking import marked
from reports.sections.aliasing.paired import change
from reports.sources.results import FAMILY_NAMES, Spread
from study.measures import aliasing
from tests.reports.drawing.test_figures import check


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with style.styled():
        yield


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 48_000])
@pytest.mark.parametrize("drive", [1e-6, 3.0, 30.0])
def test_probe_spectra(rate_hz: int, drive: float) -> None:
    panels = []
    for probe in aliasing.standard_probes(rate_hz):
        if probe.amplitude == 0.5:
            answer = np.tanh(drive * probe.signal(2 * probe.period))
            found = marked(aliasing.spectrum_db(answer, probe), probe)
            panels.append(Panel(probe.f0_hz, aliasing.analyse(answer, probe).asr_db, found))
    panels[0] = Panel(panels[0].f0_hz, None, panels[0].marked)
    figure = figures.probe_spectra(panels, rate_hz)
    check(figure)
    for ax, panel in zip(figure.axes, panels, strict=True):
        markers = {line.get_marker(): line for line in ax.lines}
        if len(panel.marked.aliases_hz):
            shown = np.asarray(markers["^"].get_xdata(), float)
            assert shown == pytest.approx(panel.marked.aliases_hz / 1000)
        highest = ax.get_ylim()[1]
        assert highest > panel.marked.harmonics_db.max()


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 96_000])
def test_sweep(rate_hz: int) -> None:
    check(figures.sweep(np.full((90, 240), -40.0), 20, 0.48 * rate_hz, rate_hz))


@pytest.mark.parametrize("families", [1, len(FAMILY_NAMES)])
@pytest.mark.parametrize("moving", [False, True])
def test_asr_by_note(families: int, moving: bool) -> None:
    hz = [27.5 * 2 ** (n / 4) for n in range(30)]
    curves = [NoteCurve(None, False, hz, [-90.0] * 30, [False] * 30)]
    for number, family in enumerate([*FAMILY_NAMES][:families]):
        for streaming in (False, True):
            levels = [-100.0 + 3 * n + number for n in range(30)]
            curves.append(NoteCurve(family, streaming, hz, levels, [moving] * 30))
    figure = figures.asr_by_note(curves)
    check(figure)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[0] == "effect itself" and "streaming" in legend
    assert ("does not repeat" in legend) == moving


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 48_000])
def test_power_spectra(rate_hz: int) -> None:
    hz = np.geomspace(40, rate_hz / 2, 150)
    level = -20 * np.log10(hz / 40)
    check(figures.power_spectra(hz, level, level - 1, level - 20, "lstm"))


@pytest.mark.parametrize("epochs", [(5, 12, 25), (20, 35, 50, 80, 200), tuple(range(1, 51))])
@pytest.mark.parametrize("scale", [1.001, 1.5, 100.0])
def test_by_epoch(epochs: tuple[int, ...], scale: float) -> None:
    names = [f"LSTM 1x16, learning rate 0.00{n}, schedule constant" for n in (1, 2, 3, 4)]
    values = np.geomspace(0.01 * scale, 0.01, len(epochs))
    spreads = [Spread(value, value / 1.01, value * 1.01, 3) for value in values]
    measures = {
        label: {name: EpochCurve(epochs, spreads) for name in names}
        for label in ("ESR", "worst ASR, dB", "ESR above 8 kHz", "LSD above 8 kHz, dB")
    }
    check(figures.by_epoch(measures))


@pytest.mark.parametrize("remedies", [1, 7])
def test_changes(remedies: int) -> None:
    found = change({0: 1.0, 1: 2.0, 2: 3.0}, {0: -5.0, 1: -1.0, 2: 9.0})
    names = [f"fine-tuned {n} epochs, oversampled x{n}" for n in range(remedies)]
    panels = {
        label: {name: found if number else None for number, name in enumerate(names)}
        for label in ("change of worst ASR, dB", "change of ESR, dB", "more time to render, %")
    }
    check(figures.changes(panels))
