"""How every figure looks, and its two files: for light pages and for dark ones.

Figures are drawn once, with two reserved colours for ink and faint lines, and saved as
SVG without dates or random names, so equal inputs give equal files. Text stays text, in
the reader's own sans-serif font.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from models.families import FAMILIES

INK, FAINT = "#1c2331", "#dde2e9"
_DARK = {INK: "#e4e8ef", FAINT: "#39424f"}

WIDTH_IN = 4.8  # a column of the page; legible still when a phone shrinks it to 3.5

LABEL_CHARACTERS = 20  # a line of a label beside the axes, a third of the width

FAMILY_COLOURS = {name: family.colour for name, family in FAMILIES.items()}
FAMILY_MARKERS = {name: family.marker for name, family in FAMILIES.items()}
NEUTRAL = "#8a93a1"  # readable on white and on near-black

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "pedalframe",
    "text.parse_math": False,  # names may hold dollar signs
    "font.size": 11,
    "font.family": "sans-serif",
    "axes.labelsize": 11,
    "axes.titlesize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 1.0,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "lines.linewidth": 1.5,
    "path.simplify_threshold": 0.3,  # pixels
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


@dataclass(frozen=True)
class Picture:
    """A saved figure as a page shows it.

    Attributes:
        name: file name without ``.svg``; the dark twin ends in ``-dark.svg``.
        width_px, height_px: natural size.
    """

    name: str
    width_px: int
    height_px: int


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save inside this, whatever matplotlibrc the machine has."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def blank(height_in: float, width_in: float = WIDTH_IN) -> Figure:
    """An empty figure that makes room for its labels by itself."""
    return Figure(figsize=(width_in, height_in), layout="constrained")


def power_image(
    figure: Figure,
    ax: Axes,
    power_db: npt.NDArray[np.float64],
    *,
    floor_db: float,
    levels: int,
    right: float,
    top: float,
) -> None:
    """Draw a spectrogram and its scale of colours, 0 dB the brightest.

    Args:
        figure: of the axes.
        ax: both axes begin at 0.
        power_db: shape ``(bins, columns)``.
        floor_db: everything below is drawn as dark.
        levels: colours; fewer make a smaller file.
        right: end of the horizontal axis.
        top: end of the vertical axis.
    """
    image = ax.imshow(
        np.maximum(power_db, floor_db),
        origin="lower",
        aspect="auto",
        interpolation="none",
        cmap=mpl.colormaps["magma"].resampled(levels),
        vmin=floor_db,
        vmax=0,
        extent=(0, right, 0, top),
    )
    ax.grid(visible=False)
    bar = figure.colorbar(image, ax=ax, pad=0.02, aspect=25, ticks=[-80, -60, -40, -20, 0])
    bar.set_label("dB")
    bar.outline.set_visible(False)
    bar.ax.tick_params(color=FAINT)


def wrapped(label: str, characters: int = LABEL_CHARACTERS) -> str:
    """A label on as many lines as keep it this narrow."""
    return "\n".join(textwrap.wrap(label, characters, break_on_hyphens=False))


def size_in(text: str, points: float) -> tuple[float, float]:
    """Width and height in inches of a text, drawn nowhere; call it inside ``styled``."""
    figure = Figure()
    extent = figure.text(0, 0, text, fontsize=points).get_window_extent()
    return extent.width / figure.dpi, extent.height / figure.dpi


def log_ticks(low: float, high: float) -> list[float]:
    """Two to seven round numbers on a logarithmic axis: powers of ten if three lie on it."""
    ticks: list[float] = []
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        ticks = [s * 10.0**e for e in range(-15, 10) for s in steps if low <= s * 10.0**e <= high]
        if len(ticks) >= 3:
            break
    if len(ticks) < 2:  # less than a factor of two, where a linear scale's ticks do
        linear = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)
        ticks = [tick for tick in linear if low <= tick <= high]
    return ticks[:: -(-len(ticks) // 7)]


def plain_log_ticks(ax: Axes, axis: str = "y") -> None:
    """Label ``log_ticks`` as 0.02 and not in powers of ten, in which few readers think.

    The limits must not change afterwards.
    """
    scale = ax.xaxis if axis == "x" else ax.yaxis
    scale.set_major_locator(FixedLocator(log_ticks(*sorted(scale.get_view_interval()))))
    scale.set_minor_locator(NullLocator())
    scale.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def legend_above(figure: Figure, handles: Sequence[Artist], labels: Sequence[str]) -> Legend:
    """A legend above the axes, in as many columns as the figure holds.

    Labels that are too long even for one column are wrapped. The figure grows by the height
    of the legend, so that its axes keep theirs.
    """
    width_px = 0.98 * figure.bbox.width
    for characters in (max(map(len, labels)), 40, 30, 20):
        texts = [wrapped(label, characters) for label in labels]
        for columns in range(len(labels), 0, -1):
            legend = figure.legend(
                handles, texts, loc="outside upper left", ncols=columns, columnspacing=1.2
            )
            extent = legend.get_window_extent()
            if extent.width <= width_px:
                width_in, height_in = figure.get_size_inches()
                figure.set_size_inches(width_in, height_in + extent.height / figure.dpi)
                return legend
            legend.remove()
    raise AssertionError("twenty characters fit into any figure")


def save(figure: Figure, folder: Path, name: str) -> Picture:
    """Write both variants of a figure."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    light = re.sub(r"'DejaVu Sans'[^;\"]*sans-serif", "system-ui, sans-serif", buffer.getvalue())
    # A tenth of a point is finer than most screens, and a third of the bytes.
    light = re.sub(r'(?<= d=")[^"]+', lambda path: re.sub(r"(\.\d)\d+", r"\1", path[0]), light)
    dark = light
    for colour, replacement in _DARK.items():
        dark = dark.replace(colour, replacement)
    (folder / f"{name}.svg").write_text(light, encoding="utf-8")
    (folder / f"{name}-dark.svg").write_text(dark, encoding="utf-8")
    width_in, height_in = figure.get_size_inches()
    return Picture(name, round(width_in * 96), round(height_in * 96))
