"""A trained model as C99 without dependencies: one header, one source file, one test.

The code keeps its state in a struct, allocates nothing and takes blocks of any length.
Recurrent families and ``tcn`` stream, one step a sample. Framed feed-forward families compute what
they were trained to compute: ``dense`` over a sliding window, ``conv`` without computing
again what earlier frames had in common with this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data import files, templates
from data.errors import InputError
from embedded.c import tanh_approximation
from embedded.c.cells import CELLS, pack
from embedded.c.packing import ROWS_AT_ONCE, PackedLayer, pack_features
from embedded.network import reference
from embedded.network.reference import Weights
from embedded.quoting import comment_text
from models.architecture import Architecture

TEMPLATES = Path(__file__).parent / "templates"
GOLDEN_SAMPLES = 512
GOLDEN_SEED = 0
GOLDEN_TOLERANCE = 1e-3
"""Largest error of the generated test, in parts of full scale or of a larger output's peak."""

# Words of C and C++ and the headers that the generated files include: no names of files.
_RESERVED = """
    alignas alignof and asm auto bool break case catch char class const constexpr continue
    default delete do double else enum explicit export extern false float for friend goto if
    inline int long mutable namespace new noexcept not nullptr operator or private protected
    public register restrict return short signed sizeof static static_assert struct switch
    template this throw true try typedef typeid typename typeof union unsigned using virtual
    void volatile while xor math stddef stdio"""


@dataclass(frozen=True)
class Metadata:
    """What the comments at the top of the files tell.

    Attributes:
        name: a C identifier, lower case; names files and functions.
        effect: what was modelled.
        sample_rate_hz: the rate of input and output.
        run_id: the run whose weights these are.
        license: an SPDX identifier, or a sentence.
    """

    name: str
    effect: str
    sample_rate_hz: int
    run_id: str
    license: str = "MIT"

    def __post_init__(self) -> None:
        """Refuse names that C would not take.

        Raises:
            InputError: the name or the rate cannot stand in C source.
        """
        is_identifier = re.fullmatch(r"[a-z][a-z0-9_]{0,30}", self.name)
        if not is_identifier or self.name in _RESERVED.split():
            raise InputError(
                f"name {self.name!r}",
                expected="a C identifier of at most 31 small letters, digits and underscores",
                found="a word of the language" if is_identifier else "another text",
                remedy="Choose a name such as sd1_lstm16.",
            )
        if not isinstance(self.sample_rate_hz, int) or self.sample_rate_hz <= 0:
            raise InputError(
                "sample rate",
                expected="a whole number of Hz above 0",
                found=repr(self.sample_rate_hz),
                remedy="Pass the rate of the run.",
            )


@dataclass(frozen=True)
class CSource:
    """The generated files' texts.

    Attributes:
        name: what files and functions are called.
        header: ``<name>.h``.
        source: ``<name>.c``.
        test: ``<name>_test.c``, a program that compares against exact arithmetic.
    """

    name: str
    header: str
    source: str
    test: str

    def write(self, folder: Path) -> list[Path]:
        """Write the three files, each whole; returns their paths."""
        texts = {".h": self.header, ".c": self.source, "_test.c": self.test}
        paths = [folder / f"{self.name}{ending}" for ending in texts]
        for path, text in zip(paths, texts.values(), strict=True):
            files.write_text(path, text)
        return paths


def generate(architecture: Architecture, weights: Weights, metadata: Metadata) -> CSource:
    """C99 for a model.

    Args:
        architecture: its shape; recurrent families without features ignore ``frame_size``.
        weights: arrays in the order of ``model.trainable_variables``.
        metadata: what the comments tell.

    Raises:
        InputError: the weights do not fit, are no finite float32, or make so much of the
            approximated tanh's error that the generated test would fail.
    """
    layers, cell = pack(architecture, weights), CELLS[architecture.family]
    front = pack_features(architecture, weights) if architecture.features else None
    environment = templates.environment(TEMPLATES, is_html=False)
    dry, expected, tolerance = golden(architecture, weights, metadata.sample_rate_hz)
    content: dict[str, Any] = {
        "id": metadata.name,
        "ID": metadata.name.upper(),
        "title": _title(architecture, metadata),
        "comment": _comment(metadata),
        "sample_rate_hz": metadata.sample_rate_hz,
        "family": architecture.family,
        "frame_size": architecture.frame_size,
        "residual": architecture.residual,
        "layers": layers,
        "front": front,
        "kernels": _kernels(layers, front),
        "rows_at_once": ROWS_AT_ONCE,
        "columns": cell.columns,
        "cell": cell.template,
        "state": cell.state(architecture, layers),
        "output_bias": literal(np.ravel(weights[-1])[0]),
        "limit": literal(tanh_approximation.LIMIT),
        "numerator": [literal(c) for c in tanh_approximation.NUMERATOR],
        "denominator": [literal(c) for c in tanh_approximation.DENOMINATOR],
        "tanh_error": f"{tanh_approximation.MAXIMUM_ERROR:g}",
        "numbers": _numbers,
        "dry": dry,
        "expected": expected,
        "tolerance": literal(tolerance),
        **cell.content(architecture),
    }

    def rendered(template: str) -> str:
        return environment.get_template(template).render(content)

    return CSource(metadata.name, rendered("header.h"), rendered("source.c"), rendered("test.c"))


def golden(
    a: Architecture, weights: Weights, sample_rate_hz: int
) -> tuple[NDArray[np.float32], reference.Signal64, float]:
    """Dry samples, the exact answer, and the largest error that generated code may make of it.

    Raises:
        InputError: the model makes so much of small errors that it does not deserve that.
    """
    dry = golden_input(GOLDEN_SAMPLES, sample_rate_hz, GOLDEN_SEED)
    expected = reference.respond(a, weights, dry)
    tolerance = GOLDEN_TOLERANCE * max(1.0, float(np.abs(expected).max()))
    approximated = reference.respond(a, weights, dry, tanh_approximation.tanh)
    error = float(np.abs(approximated - expected).max())
    if not error < tolerance / 2:
        raise InputError(
            f"weights of a {a.family} {a.layers}x{a.units}",
            expected="an answer that an error of "
            f"{tanh_approximation.MAXIMUM_ERROR:g} in every tanh "
            f"changes by less than {tolerance / 2:.2g}",
            found=f"a change of {error:.2g}: the model magnifies errors",
            remedy="Choose a run with smaller weights; such a model is unstable on any board.",
        )
    return dry, expected, tolerance


def golden_input(samples: int, sample_rate_hz: int, seed: int) -> NDArray[np.float32]:
    """Two decaying tones, a little noise and a span of silence; peak 0.9."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(samples) / sample_rate_hz
    signal = 0.02 * rng.standard_normal(samples)
    for f0_hz in (110.0, 987.0):
        signal += np.sin(2 * np.pi * f0_hz * time_s + rng.uniform(0, 6)) * np.exp(-50 * time_s)
    signal[samples // 2 : samples // 2 + samples // 8] = 0
    return (0.9 * signal / np.abs(signal).max()).astype(np.float32)


def literal(value: float) -> str:
    """The shortest C literal that reads back as the same float32."""
    text = np.format_float_scientific(np.float32(value), unique=True, trim="0", exp_digits=1)
    return text.removesuffix("e+0") + "f"


def _numbers(values: Iterable[float], per_line: int = 6) -> str:
    texts = [literal(v) for v in values]
    lines = (texts[n : n + per_line] for n in range(0, len(texts), per_line))
    return ",\n".join("            " + ", ".join(line) for line in lines)


def _kernels(layers: Sequence[PackedLayer], front: PackedLayer | None) -> list[int]:
    """Numbers of sums that the code runs at once."""
    return sorted({layer.sums for layer in layers} | ({front.sums} if front else set()))


def _title(a: Architecture, metadata: Metadata) -> str:
    way = "streaming" if a.streams else f"frames of {a.frame_size} samples"
    if a.features:
        way = f"{a.features} features of {a.frame_size} samples, {way}"
    added = ", added to the input" if a.residual else ""
    shape = f"{a.layers} x {a.units} units, {way}{added}, float32"
    return f"{metadata.name}: {a.family} {shape}. Generated by Pedalframe."


def _comment(metadata: Metadata) -> str:
    told = {
        "Effect": metadata.effect,
        "Run": metadata.run_id,
        "Signals": f"mono, {metadata.sample_rate_hz} Hz, full scale -1 to 1, in and out",
        "SPDX-License-Identifier": metadata.license,
    }
    return "\n".join(f" * {key}: {comment_text(value)}" for key, value in told.items())
