"""A run of a grid as TFLite files, proved on this host. What ``python -m embedded convert`` does.

runs/<grid>/tflite/<run id>/streaming-int16x8-b16.tflite     the model
                            streaming-int16x8-b16.json       its manifest
                            parity.json                      what was measured, by file
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from data.errors import InputError
from embedded.tflite import parity
from embedded.tflite.convert import Converted, Origin, convert, form_of
from embedded.tflite.networks import Form
from embedded.tflite.parity import Parity
from embedded.tflite.quantization import KINDS, Kind
from study.command_line import terminal
from study.dataset import Datasets
from study.rendering import trained_model
from study.rendering.trained_model import Trained
from study.store.folders import Store

DEFAULT_BLOCK = 16


class Proved(NamedTuple):
    """A converted model and what was measured of it."""

    model: Converted
    found: Parity


def model_path(store: Store, run_id: str, form: Form, kind: Kind, block: int) -> Path:
    """Where a converted model of a run lies."""
    return store.root / "tflite" / run_id / f"{form}-{kind}-b{block}.tflite"


def convert_run(
    store: Store,
    datasets: Datasets,
    run: str,
    kind: Kind,
    block: int = DEFAULT_BLOCK,
    form: Form | None = None,
) -> tuple[Converted, Trained]:
    """Convert a finished run; a recurrent one with its weights for streaming, if it streams.

    Args:
        store: of the grid.
        datasets: where its signals are found.
        run: id or its beginning.
        kind: number type.
        block: samples an invoke.
        form: by default as boards run it: recurrent models streaming, others framed.

    Raises:
        InputError: no such run, or one that cannot be converted so.
    """
    folder = trained_model.find(run, store)
    form = form or form_of(folder.config().architecture)
    model = trained_model.load(folder, form)
    config = model.config
    converted = convert(
        model.architecture,
        weights_of(model),
        model_path(store, folder.run_id, form, kind, block),
        datasets.of(config),
        Origin(folder.run_id, model.rendering, config.effect_name, config.sample_rate_hz),
        kind=kind,
        block=block,
        form=form,
    )
    return converted, model


def prove(
    store: Store,
    run: str,
    kinds: Sequence[str],
    block: int = DEFAULT_BLOCK,
    form: str | None = None,
) -> list[Proved]:
    """Convert a run to some kinds, all where none is named; measure each and keep the figures.

    Raises:
        InputError: a kind or form that there is not, or as for ``convert_run``.
    """
    forms = {"streaming", "framed"}
    for subject, wanted, known in (("kind", set(kinds), set(KINDS)), ("form", {form}, forms)):
        unknown = wanted - known - {None}
        if unknown:
            raise InputError(
                f"{subject} {unknown.pop()!r}",
                expected=f"one of {', '.join(sorted(known))}",
                found="none of them",
                remedy="Name one of these.",
            )
    datasets = Datasets(store.pairs)
    proved = []
    for kind in kinds or KINDS:
        converted, model = convert_run(store, datasets, run, kind, block, form)  # type: ignore[arg-type]
        dataset = datasets.of(model.config)
        found = parity.measure(converted, model.architecture, weights_of(model), dataset)
        parity.write(converted, found)
        proved.append(Proved(converted, found))
    return proved


def tell(proved: Sequence[Proved]) -> bool:
    """Print a table and what it means; whether every float model is as close as can be."""
    first = proved[0].model
    listing = Table(
        box=None, title=f"{first.origin.run_id}, {first.form}, {first.block} samples a call"
    )
    for name in ("kind", "file", "arena", "largest error", "ESR to Keras", "ESR to target"):
        listing.add_column(name, no_wrap=True, justify="left" if name == "kind" else "right")
    for model, found in proved:
        board = found.of_board
        listing.add_row(
            model.kind,
            f"{model.model_bytes:,}",
            "unknown" if model.arena_needed_bytes is None else f"{model.arena_needed_bytes:,}",
            f"{board.largest_error:.1e}",
            f"{board.esr_against_keras:.1e}",
            f"{board.esr_against_target:.5f}",
        )
    console = terminal.console()
    console.print(listing)
    for sentence in (told for proof in proved for told in parity.sentences(proof.found)):
        console.print(sentence)
    console.print(f"Operators: {', '.join(sorted({o for p in proved for o in p.model.operators}))}")
    console.print(f"Models: {first.path.parent}")
    return all(found.is_faithful for _, found in proved if found.kind == "float32")


def weights_of(model: Trained) -> list[NDArray[np.float32]]:
    """As numpy arrays, in their order."""
    return [np.asarray(array, np.float32) for array in model.weights]
