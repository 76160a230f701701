"""From a run to a folder that an embedded engineer builds and flashes.

Beforehand the budget says whether the board keeps up; afterwards the host computes the golden
vectors and some seconds of audio with the same C++ core, and compares them with Keras.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from data import files, partial_files, templates
from data.audio import Samples
from data.errors import InputError
from embedded.budget import budget, cost_model, on_board
from embedded.budget.budget import KINDS, ROUTES, BudgetLine
from embedded.c import generate
from embedded.c.generate import Metadata
from embedded.firmware import host_proof, sources
from embedded.firmware.host_proof import TfliteProof
from embedded.firmware.sources import FIRMWARE, MODEL_NAME, Golden
from embedded.quoting import markdown_text
from embedded.tflite import convert, parity, runtimes
from embedded.tflite.convert import Converted, Origin
from study.config.rendering import FRAMED, STREAMING, STREAMING_TUNED
from study.config.run import RunConfig
from study.dataset import Datasets
from study.rendering import framed as rendering
from study.rendering import streaming, trained_model
from study.rendering.weights import load_weights
from study.selection import boards, choose
from study.selection.boards import Board
from study.selection.choose import Choice
from study.store import tables
from study.store.folders import RunFolder, Store
from study.store.roles import role

PROOF_SECONDS = 5.0
VALIDATION = "validation_esr"
GOLDEN_SAMPLES = 512
GOLDEN_SEED = 1


@dataclass(frozen=True)
class Chosen:
    """A run as a board renders it.

    Attributes:
        folder: of the run.
        config: of the run.
        rendering: of the results table: ``streaming_tuned`` or ``streaming`` for recurrent
            models, ``framed`` for the others.
        weights: in the order of the architecture's trainable variables.
        choice: the effect's; None where a run was named.
    """

    folder: RunFolder
    config: RunConfig
    rendering: str
    weights: list[Any]
    choice: Choice | None = None

    def respond(self, dry: Samples) -> Samples:
        """What Keras makes of a signal."""
        render = rendering.render if self.rendering == FRAMED else streaming.render_streaming
        return render(self.config.architecture, self.weights, dry).samples


@dataclass(frozen=True)
class Deployed:
    """What was written and found.

    Attributes:
        folder: the firmware.
        run_id, rendering: of the model.
        line: its budget.
        told: what to say to whoever asked, a sentence each.
    """

    folder: Path
    run_id: str
    rendering: str
    line: BudgetLine
    told: tuple[str, ...]


def deploy(
    store: Store,
    board_name: str,
    run: str | None = None,
    *,
    route: str = "c",
    force: bool = False,
    effect: str | None = None,
) -> Deployed:
    """Write ``runs/<grid>/firmware/<board>/`` and prove it.

    Args:
        store: of the grid.
        board_name: a key of ``boards.BOARDS``.
        run: its id or the beginning of it; by default the effect's choice.
        route: one of ``budget.ROUTES``: which engine the firmware uses.
        force: write a model that cannot keep up, that does not come to rest in silence, or
            that integers made much worse, too.
        effect: whose choice, where no run is named; by default the grid's first.

    Raises:
        InputError: no such board, run or route; the board cannot run the model, or not in
            time; or the firmware's model does not compute what Keras computes.
    """
    board = boards.board(board_name)
    if route not in ROUTES:
        raise InputError(
            f"route {route!r}", expected="one of " + ", ".join(ROUTES), found="another",
            remedy="Name one of these.",
        )  # fmt: skip
    chosen = choose_model(store, run, effect)
    if reason := budget.objection(chosen.config, route):
        raise InputError(
            f"run {chosen.folder.run_id}",
            expected="a model that firmware is written for",
            found=reason,
            remedy="Name another run, RUN=id, without knobs and of another family.",
        )
    architecture, rate_hz = chosen.config.architecture, chosen.config.sample_rate_hz
    line = budget.line(
        architecture,
        rate_hz,
        board,
        route,
        chosen.folder.run_id,
        chosen.rendering,
        on_board.read(store),
    )
    told = [f"This is {chosen.choice.whose}"] if chosen.choice else []
    told += [
        f"{chosen.folder.run_id}, {chosen.rendering}, on {board.title} by {_ROUTE_NAMES[route]}: "
        f"{line.verdict}, {line.reason} ({_basis(line)}; "
        f"cycles: {_cycles_basis(line, architecture.family)}; "
        f"{line.latency_ms:.1f} ms from converter to converter)"
    ]
    if line.verdict == "no" and (line.resampling == "impossible" or not force):
        raise _cannot(store, board, line, chosen.config.effect_name)
    if not force:
        _refuse_unstable(chosen)
    folder = store.root / "firmware" / board.name
    with partial_files.folder(folder.parent) as aside:
        told += _fill(aside, chosen, board, route, line, store, force)
        if folder.exists():
            partial_files.remove(folder)
        aside.rename(folder)
    return Deployed(folder, chosen.folder.run_id, chosen.rendering, line, tuple(told))


def choose_model(store: Store, run: str | None = None, effect: str | None = None) -> Chosen:
    """The run to be built, as a board renders it.

    Raises:
        InputError: there is no such finished run.
    """
    choice = None if run else choose.chosen(store, effect)
    folder = trained_model.find(run or (choice.run_id if choice else ""), store)
    found = trained_model.load(folder, None)
    config = found.config
    if not config.architecture.streams:
        return Chosen(folder, config, FRAMED, list(found.weights), choice)
    is_untuned = choice is not None and choice.rendering == STREAMING
    if folder.streaming_model_file.exists() and not is_untuned:
        weights = load_weights(config, folder.streaming_model_file, is_sequence=True)
        return Chosen(folder, config, STREAMING_TUNED, list(weights), choice)
    return Chosen(folder, config, STREAMING, list(found.weights), choice)


def _refuse_unstable(chosen: Chosen) -> None:
    """A pedal must be silent when nobody plays.

    Raises:
        InputError: the model, as the firmware renders it, does not come to rest in silence.
    """
    if found := _rows(chosen).get(chosen.rendering, {}).get("instability"):
        raise InputError(
            f"run {chosen.folder.run_id}, {chosen.rendering}",
            expected="a model that comes to rest in silence",
            found=str(found),
            remedy="Train it with streaming_epochs or on sequences, choose another run, or build "
            "it all the same with FORCE=1.",
        )


def _rows(chosen: Chosen) -> dict[str, dict[str, Any]]:
    """What the results say of the run's final model, by rendering."""
    known = {"training": chosen.config.training}
    rows = [known | row for row in (chosen.folder.result() or {}).get("rows", [])]
    return {row["rendering"]: row for row in rows if role(row) != "checkpoint"}


def _judged(chosen: Chosen) -> list[str]:
    """How good the firmware's model is, and how far that is from what was chosen."""
    rows = _rows(chosen)
    own = rows.get(chosen.rendering, {})
    told = [f"Against the target, {chosen.rendering}, over the test split: {_esr(own, 'esr')}"]
    asked_for = chosen.choice.rendering if chosen.choice else chosen.rendering
    if asked_for != chosen.rendering:
        asked = rows.get(asked_for, {})
        told.append(
            f"The choice names {asked_for} (validation {_esr(asked, VALIDATION)}), which "
            f"no board does; the firmware is {chosen.rendering} "
            f"(validation {_esr(own, VALIDATION)}), which is another function"
        )
    return told


def _esr(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    return "ESR unknown" if value is None else f"ESR {value:.3g}"


_ROUTE_NAMES = {"c": "generated C"} | {
    route: f"TFLite Micro, {kind}" for route, kind in KINDS.items()
}


def _basis(line: BudgetLine) -> str:
    if line.basis == "measured":
        return "instructions counted in QEMU"
    error = f"{100 * line.instructions_error:.0f} %"
    if line.basis == "guess":
        return (
            f"instructions estimated; up to {error} wrong is a guess, since no model like this "
            "was held out to try the estimate on"
        )
    tried = "models" if line.route == "c" else "an LSTM and a dense model"
    return f"instructions estimated, up to {error} wrong on {tried} that were not fitted to"


def _cycles_basis(line: BudgetLine, family: str) -> str:
    if line.cycles_basis == "board":
        return f"{line.cycles_per_sample:,.0f} measured on a board"
    if line.cycles_basis == "range":
        return "an instruction takes one cycle or two"
    told = f"{line.cycles_per_sample:,.0f} estimated by rules of the processor's pipeline"
    error = f"{100 * cost_model.timing_error(family):.0f} %"
    waits = (
        ""
        if boards.board(line.board).runs_from_ram
        else "; up to two an instruction if memory waits"
    )
    return f"{told}, up to {error} from LLVM's{waits}"


def _cannot(store: Store, board: Board, line: BudgetLine, effect: str) -> InputError:
    """The refusal; it names the costliest model of the same effect that keeps up."""
    results = tables.collect(store)
    own_effect = results.loc[results["run_id"] == line.run_id, "effect"]
    alike = results.loc[results["effect"].isin(own_effect), "run_id"]
    computed = budget.compute(store)
    own = computed[(computed["board"] == board.name) & (computed["verdict"] == "yes")]
    own = own[own["run_id"].isin(alike)]
    if own.empty:
        remedy = f"No run of {effect} in this grid keeps up on {board.title}."
    else:
        largest = own.sort_values("share_pessimistic").to_dict("records")[-1]
        remedy = (
            f"The largest that keeps up is {largest['run_id']} ({largest['rendering']}, "
            f"{_ROUTE_NAMES[largest['route']]}, {largest['reason']})."
        )
    if line.resampling != "impossible":
        remedy += " FORCE=1 builds this one all the same."
    return InputError(
        f"run {line.run_id} on {board.title} by {_ROUTE_NAMES[line.route]}",
        expected="a model that keeps up",
        found=line.reason,
        remedy=remedy,
    )


def _fill(
    folder: Path,
    chosen: Chosen,
    board: Board,
    route: str,
    line: BudgetLine,
    store: Store,
    force: bool,
) -> list[str]:
    """Everything in the folder; returns what the proofs found."""
    config = chosen.config
    rate_hz = config.sample_rate_hz
    dataset = Datasets(store.pairs).of(config)
    weights = [np.asarray(array, np.float32) for array in chosen.weights]
    sources.copy_sources(board.kind, folder)
    metadata = Metadata(MODEL_NAME, config.effect_name, rate_hz, chosen.folder.run_id)
    generate.generate(config.architecture, weights, metadata).write(folder / "model")
    kind = KINDS.get(route, "float32")
    converted = None
    if cost_model.tflite_objection(config.architecture) is None:
        converted = convert.convert(
            config.architecture,
            weights,
            folder / "model" / "pedal_model.tflite",
            dataset,
            Origin(chosen.folder.run_id, chosen.rendering, config.effect_name, rate_hz),
            kind=kind,
            block=cost_model.TFLITE_BLOCK,
            form=convert.form_of(config.architecture),
        )
    golden_dry = generate.golden_input(GOLDEN_SAMPLES, rate_hz, GOLDEN_SEED)
    seconds_dry = dataset.test_dry[: int(PROOF_SECONDS * rate_hz)]
    seconds_wet = chosen.respond(seconds_dry)
    expected = chosen.respond(golden_dry)
    golden = Golden(
        golden_dry,
        expected,
        generate.GOLDEN_TOLERANCE * max(1.0, float(np.abs(expected).max())),
    )
    told = _judged(chosen)
    texts = {
        "pedal_config.h": sources.config_header(board, rate_hz),
        "bench_data.h": sources.bench_header(
            chosen.folder.run_id, chosen.rendering, board,
            route if route != "c" else f"tflite_{kind}", rate_hz, seconds_dry,
        ),
    }  # fmt: skip
    # Without a size of its arena a TFLite model is no part of the firmware; the C route needs none.
    if route == "c" and converted is not None and converted.arena_needed_bytes is None:
        converted = None
    if converted is not None:
        texts |= sources.tflite_files(converted)
        answer = runtimes.respond(converted, [golden_dry, seconds_dry], "micro")
        golden = replace(
            golden,
            tflite_wet=answer.wet[0],
            tflite_tolerance=_tflite_tolerance(converted, answer.wet[0]),
        )
        target = dataset.test_target[: len(seconds_dry)]
        proof = TfliteProof.of(converted.kind, answer.wet[1], seconds_wet, target, rate_hz)
        if route != "c":
            proof.demand(chosen.folder.run_id, force)
        told.append(proof.told)
    texts["golden.h"] = sources.golden_header(golden)
    sources.write_texts(folder / "model", texts)
    sources.write_build_files(folder, board)
    told += host_proof.prove_core(folder, seconds_dry, seconds_wet, rate_hz, chosen.folder.run_id)
    readme = _readme(chosen, board, route, line, converted, told)
    files.write_text(folder / "README.md", readme)
    manifest = asdict(line) | {"effect": config.effect_name, "sample_rate_hz": rate_hz}
    files.write_json(folder / "deploy.json", manifest | {"proof": told})
    return told


def _readme(
    chosen: Chosen,
    board: Board,
    route: str,
    line: BudgetLine,
    converted: Converted | None,
    told: list[str],
) -> str:
    environment = templates.environment(FIRMWARE, is_html=False)
    return environment.get_template("README.md.jinja").render(
        run_id=chosen.folder.run_id,
        rendering=chosen.rendering,
        effect=markdown_text(chosen.config.effect_name),
        sample_rate_hz=chosen.config.sample_rate_hz,
        board=board,
        route=_ROUTE_NAMES[route],
        uses_tflite=route != "c",
        line=line,
        basis=_basis(line),
        cycles_basis=_cycles_basis(line, chosen.config.family),
        converted=converted,
        proofs=told,
    )


def _tflite_tolerance(converted: Converted, wet: Samples) -> float:
    """Largest golden error: other kernels of floats round otherwise, of integers by a step."""
    if converted.kind == "float32":
        return parity.FLOAT_TOLERANCE * max(1.0, float(np.abs(wet).max()))
    return 1.5 * converted.outputs[0].scale
