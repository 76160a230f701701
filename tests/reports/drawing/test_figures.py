"""Every text stands inside its figure and clear of the others, however long the labels are."""

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
import pytest
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from models.families import FAMILIES
from reports.drawing import figures, style
from reports.sources.results import FAMILY_NAMES, Model, Row, Spread

RATE_HZ = 8_000
SHORT = [f"{name} 1\N{MULTIPLICATION SIGN}16" for name in FAMILY_NAMES.values()]
LONG = [f"{name}, frame 128, learning rate 0.003" for name in SHORT]
LONGER = [f"{name}, batch size 256, schedule constant, validation frames 8192" for name in LONG]
NAMES = pytest.mark.parametrize("names", [SHORT, LONG, LONGER], ids=["short", "long", "longer"])


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with style.styled():
        yield


def models(names: list[str], esr: Callable[[int], float] = lambda n: 0.003 * 2**n) -> list[Model]:
    return [
        Model(name, tuple(row(family, esr(number) * (1 + seed), 1000 + number) for seed in (0, 1)))
        for number, (name, family) in enumerate(zip(names, FAMILY_NAMES, strict=True))
    ]


def test_every_family_can_be_drawn() -> None:
    symbols = {name: family.symbol for name, family in FAMILIES.items()}
    for looks in (FAMILY_NAMES, style.FAMILY_COLOURS, style.FAMILY_MARKERS, symbols):
        assert list(looks) == list(FAMILIES)
        assert len(set(looks.values())) == len(looks)
    assert set(style.FAMILY_COLOURS.values()) <= {*sns.color_palette("colorblind").as_hex()}


def row(family: str, esr: float, frames: int) -> Row:
    base = {"effect": "fuzz", "training": "framed"}
    return {**base, "family": family, "training_frames": frames, "esr": esr}


def texts(figure: Figure) -> list[tuple[Text, Bbox]]:
    """Every text that a reader sees, with its extent in pixels."""
    figure.draw_without_rendering()
    beyond = _beyond_the_axes(figure)
    return [
        (text, text.get_window_extent())
        for text in figure.findobj(Text)
        if isinstance(text, Text)
        and text.get_visible()
        and text.get_text().strip()
        and text not in beyond
    ]


def _beyond_the_axes(figure: Figure) -> set[Text]:
    """Labels of ticks outside the limits: matplotlib keeps them, but draws none."""
    beyond = set()
    for ax in figure.axes:
        for coordinate, axis in enumerate((ax.xaxis, ax.yaxis)):
            low, high = sorted(axis.get_view_interval())
            for label in [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]:
                if not low <= label.get_position()[coordinate] <= high:
                    beyond.add(label)
    return beyond


def check(figure: Figure) -> None:
    """No text is cut at the edge, and none runs into another."""
    width, height = figure.bbox.width, figure.bbox.height
    drawn = texts(figure)
    assert drawn
    cut = [
        text.get_text()
        for text, box in drawn
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]
    assert cut == []
    overlapping = [
        (one.get_text(), other.get_text())
        for (one, a), (other, b) in combinations(drawn, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]
    assert overlapping == []


@NAMES
@pytest.mark.parametrize("sizes", [(20_000, 40_000), (1_000, 2_345, 20_000, 40_000, 1_234_567)])
@pytest.mark.parametrize("rows", [2, 5])
def test_heat_map(names: list[str], sizes: tuple[int, ...], rows: int) -> None:
    cells = {
        (name, size): Spread(0.000223 * 5**n, 0.000111 * 5**n, 0.000334 * 5**n, 3)
        for n, name in enumerate(names[:rows])
        for size in sizes
    }
    figure = figures.heat_map(cells)
    check(figure)
    ax = figure.axes[0]
    notes = [(text, box) for text, box in texts(figure) if text in ax.texts]
    assert len(notes) == len(cells)
    column_px = ax.bbox.width / len(sizes)
    row_px = ax.bbox.height / rows
    for text, box in notes:  # each stands inside its own cell
        assert box.width < column_px and box.height < row_px, text.get_text()


@NAMES
def test_dots(names: list[str]) -> None:
    check(figures.dots(models(names), fir_esr=0.4, dry_esr=4.7))


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (1e-9, 3.0),
        (0.00104, 0.00137),
        (0.0008, 0.4),
        (0.0023, 0.0062),
        (0.0133, 0.0159),
        (0.187, 0.18845),
    ],
)
@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_logarithmic_axis_has_a_few_plain_numbers(low: float, high: float, axis: str) -> None:
    figure = style.blank(2.0)
    ax = figure.subplots()
    ends = [low, high]
    ax.plot(*((ends, [1, 2]) if axis == "x" else ([1, 2], ends)))
    ax.set(**{f"{axis}scale": "log"})
    style.plain_log_ticks(ax, axis)
    check(figure)
    scale = ax.xaxis if axis == "x" else ax.yaxis
    drawn = [label.get_text() for label in scale.get_ticklabels()]
    assert 2 <= len(drawn) <= 7
    assert all(float(text) == pytest.approx(place, rel=1e-5) for text, place in
               zip(drawn, scale.get_ticklocs(), strict=True))  # fmt: skip


@NAMES
@pytest.mark.parametrize("dry_esr", [0.8, 4.7, 500.0])
def test_standing(names: list[str], dry_esr: float) -> None:
    check(figures.standing(models(names), 0.4, dry_esr))
    check(figures.standing(models(names, lambda n: 2.0 + n), 1.5, dry_esr))


def test_learning_curves() -> None:
    curves = [figures.Curve(family, [1, 2, 3], [0.5, 0.2, 0.1], [0.6, 0.3, 0.2])
              for family in FAMILY_NAMES]  # fmt: skip
    check(figures.learning_curves(curves, "mae"))


@NAMES
def test_waveform(names: list[str]) -> None:
    target = np.sin(np.arange(400) / 9).astype(np.float32)
    traces = [
        figures.Trace(name, family, (target * 0.9).astype(np.float32))
        for name, family in zip(names[:3], FAMILY_NAMES, strict=False)
    ]
    figure = figures.waveform(12.34, RATE_HZ, target * np.float32(0.5), target, traces)
    check(figure)
    legend = [text.get_text().replace("\n", " ") for text in figure.legends[0].get_texts()]
    assert legend == ["dry", "target", *names[:3]]


def test_what_models_are_given_bears_its_own_name() -> None:
    backwards = [Model(m.structure, tuple({**r, "direction": "reversed"} for r in m.rows))
                 for m in models(SHORT)]  # fmt: skip
    for figure in (figures.dots(backwards, 0.4, 0.8), figures.standing(backwards, 0.4, 0.8)):
        told = [text.get_text() for text, _ in texts(figure)]
        assert "wet as it is" in told and "dry as it is" not in told
    zeros = np.zeros(400, np.float32)
    figure = figures.waveform(1.0, RATE_HZ, zeros, zeros, [], given="wet")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["wet", "target"]


def test_spectrogram() -> None:
    check(figures.spectrogram(np.full((64, 80), -30.0), 3.0, RATE_HZ))


def test_the_check_finds_texts_that_are_cut_or_collide() -> None:
    cut, collided = style.blank(2), style.blank(2)
    cut.text(0.9, 0.5, "beyond the edge")
    collided.text(0.1, 0.5, "one above")
    collided.text(0.12, 0.5, "the other")
    for figure in (cut, collided):
        with pytest.raises(AssertionError):
            check(figure)
