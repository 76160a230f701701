"""What converted models lose: the figures that converting left beside each TFLite file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from data.errors import InputError
from reports.sources.numbers import significant
from reports.sources.results import Results
from study.store import received

KIND_NAMES = {
    "float32": "float32",
    "int16x8": "int16 by int8",
    "int8": "int8",
}
RUNTIME_NAMES = {"micro": "TFLite Micro", "litert": "LiteRT"}


@dataclass(frozen=True)
class ConvertedRow:
    """A TFLite model as text.

    Attributes:
        model: effect, label and seed.
        kind: type of its numbers.
        form: ``streaming`` or ``framed``, with the samples of a call.
        file_bytes, arena_bytes: flash for the model, memory for its interpreter.
        kernels: of which runtime, one of ``RUNTIME_NAMES``' values.
        carried: seconds that ``largest_error`` is of, with the state carried on.
        largest_error: against Keras, full scale is 1.
        tested: seconds of the test split that the ESRs are of.
        esr_to_keras: of the model's answer to them.
        esr: against the target.
        growth: of the ESR, times that of Keras over the same audio.
    """

    model: str
    kind: str
    form: str
    file_bytes: str
    arena_bytes: str
    kernels: str
    carried: str
    largest_error: str
    tested: str
    esr_to_keras: str
    esr: str
    growth: str


def converted_lines(results: Results) -> tuple[ConvertedRow, ...]:
    """A line a model that was converted and measured; empty where none was."""
    return tuple(line for run_id in results.model_of for line in _of_run(results, run_id))


def _of_run(results: Results, run_id: str) -> Iterable[ConvertedRow]:
    path = results.store.root / "tflite" / run_id / "parity.json"
    try:
        measured = received.parity(path)
    except (FileNotFoundError, InputError):  # never made, or cut short: it is made anew
        return
    model = results.model_of[run_id]
    title = f"{model.effect}: {model.label}, seed {results.configs[run_id].seed}"
    order = {kind: place for place, kind in enumerate(KIND_NAMES)}
    for found in sorted(
        measured.values(), key=lambda own: (own["form"], own["block"], order[own["kind"]])
    ):
        yield _line(title, found)


def _line(title: str, found: dict[str, Any]) -> ConvertedRow:
    runtime = "micro" if "micro" in found["runtimes"] else "litert"
    board = found["runtimes"][runtime]
    arena = found["arena_needed_bytes"]
    return ConvertedRow(
        model=title,
        kind=KIND_NAMES[found["kind"]],
        form=f"{found['form']}, {found['block']} a call",
        file_bytes=f"{found['model_bytes']:,}",
        arena_bytes="unknown" if arena is None else f"{arena:,}",
        kernels=RUNTIME_NAMES[runtime],
        carried=f"{found['carried_seconds']:.1f}",
        largest_error=f"{board['largest_error']:.1e}",
        tested=f"{found['test_seconds']:.1f}",
        esr_to_keras=f"{board['esr_against_keras']:.1e}",
        esr=significant(board["esr_against_target"], 4),
        growth=f"{board['esr_against_target'] / found['keras_esr']:.2f}",
    )
