"""Runs a model over blocks of numbers in a process of its own: ``python host.py --help``.

Stands alone, because it also runs where only numpy and one runtime are installed, and in a
process, because a model can hang or kill its runtime.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ARENA_BYTES = 64 << 20  # far more than any board has; what is used of it is told


class _Lite:
    """LiteRT, or the tflite-runtime that it was called before, with reference kernels."""

    def __init__(self, module: Any, model: bytes) -> None:
        reference = module.OpResolverType.BUILTIN_REF
        self._interpreter = module.Interpreter(
            model_content=model, experimental_op_resolver_type=reference, num_threads=1
        )
        self._interpreter.allocate_tensors()
        self._inputs = [d["index"] for d in self._interpreter.get_input_details()]
        self._outputs = [d["index"] for d in self._interpreter.get_output_details()]

    def __call__(self, arrays: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        for index, array in zip(self._inputs, arrays, strict=True):
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


class _Micro:
    """TensorFlow Lite Micro, as its own wheel brings it."""

    def __init__(self, model: bytes, outputs: int) -> None:
        from tflite_micro import runtime

        self._interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
        self._outputs = outputs

    def __call__(self, arrays: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        for index, array in enumerate(arrays):
            self._interpreter.set_input(array, index)
        self._interpreter.invoke()
        return [self._interpreter.get_output(index) for index in range(self._outputs)]

    def print_allocations(self) -> None:
        """To standard error, after a first invoke."""
        self._interpreter.print_allocations()


def smallest_arena_bytes(model: bytes, most: int = ARENA_BYTES) -> int:
    """The smallest arena in which TFLite Micro prepares and runs a model, to 16 bytes.

    More than it keeps: while it prepares, it plans in the free part.
    """
    from tflite_micro import runtime

    def fits(size: int) -> bool:
        try:
            runtime.Interpreter.from_bytes(model, arena_size=size).invoke()
        except RuntimeError:
            return False
        return True

    too_small, enough = 0, most
    while enough - too_small > 16:
        tried = (too_small + enough) // 32 * 16
        too_small, enough = (too_small, tried) if fits(tried) else (tried, enough)
    return enough


def _runtime(name: str, model: bytes, outputs: int) -> Any:
    if name == "micro":
        return _Micro(model, outputs)
    if name == "tflite_runtime":
        from tflite_runtime import interpreter
    else:
        from ai_edge_litert import interpreter
    return _Lite(interpreter, model)


def run(
    runtime: Any,
    blocks: npt.NDArray[Any],
    begins: npt.NDArray[np.bool_],
    states: list[npt.NDArray[Any]],
) -> tuple[npt.NDArray[Any], list[npt.NDArray[Any]]]:
    """Answers to blocks in order, the state carried from one to the next.

    Args:
        runtime: takes dry and states, answers wet and states.
        blocks: dry, shape ``(count, *shape of a block)``.
        begins: by block, whether a new signal begins there, from the first state.
        states: the first state, as arrays.

    Returns:
        Wet, shape ``(count, *shape)``, and the last state.
    """
    wet = []
    carried = states
    for block, is_first in zip(blocks, begins, strict=True):
        answer, *carried = runtime([block, *(states if is_first else carried)])
        wet.append(np.array(answer))
    return np.stack(wet), carried


def main() -> None:
    """Read a job, run it, write what came out."""
    parser = argparse.ArgumentParser(description="Run a TFLite model over blocks of numbers.")
    parser.add_argument("runtime", choices=("litert", "micro", "tflite_runtime"))
    parser.add_argument("model", type=Path)
    parser.add_argument("job", type=Path, help="npz: blocks, begins, state_0, state_1, ...")
    parser.add_argument("answer", type=Path, help="npz: wet, state_0, state_1, ...")
    parser.add_argument("--arena", action="store_true", help="measure the arena (micro only)")
    given = parser.parse_args()
    with np.load(given.job) as job:
        states = [job[f"state_{n}"] for n in range(len(job.files) - 2)]
        blocks, begins = job["blocks"], job["begins"]
    runtime = _runtime(given.runtime, given.model.read_bytes(), 1 + len(states))
    wet, last = run(runtime, blocks, begins, states)
    named: dict[str, Any] = {f"state_{n}": array for n, array in enumerate(last)}
    np.savez(given.answer, wet=wet, **named)
    if given.arena:
        runtime.print_allocations()
        sys.stderr.flush()
        print(f"Smallest arena {smallest_arena_bytes(given.model.read_bytes())} bytes")


if __name__ == "__main__":
    main()
