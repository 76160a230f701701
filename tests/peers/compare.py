"""Our LSTM and Neural Amp Modeler's, trained for as long: ``python -m tests.peers.compare``.

Our sequence-trained model goes first; Neural Amp Modeler then gets as many processor seconds as
our whole process took in training, compilation included (its own start is not counted). Both run
on one thread. Test ESR is computed by the study's own code for both, over the scored parts of the
test split, each span from zero state.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from study.rendering.weights import load_weights
from tests.peers import venv

UNITS = 16
ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def config(effect: str, seconds: float, rate_hz: int, epochs: int, seed: int) -> Any:
    from data import effects
    from study.config.run import RunConfig, SignalConfig

    return RunConfig(
        effect=effects.resolve(effect, Path()).to_dict(),
        signal=SignalConfig(seconds=seconds),
        training="sequence",
        units=UNITS,
        sample_rate_hz=rate_hz,
        epochs=epochs,
        learning_rate=5e-3,
        patience=epochs,
        seed=seed,
    )


def train_ours(arguments: argparse.Namespace, seed: int, folder: Path) -> None:
    """In a process of its own: our test ESR, its seconds, and the data for the peer."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from data import splits
    from study.dataset import Datasets
    from study.measures import metrics
    from study.rendering.framed import render_spans
    from study.rendering.streaming import render_streaming
    from study.store.folders import RunFolder
    from study.training import loop

    run = config(arguments.effect, arguments.seconds, arguments.rate, arguments.epochs, seed)
    dataset = Datasets(arguments.pairs).of(run)
    started = time.process_time()
    progress = loop.train(run, dataset, RunFolder(folder / run.run_id))
    seconds = time.process_time() - started
    weights = load_weights(run, folder / run.run_id / "model.keras")
    pair, split = dataset.pair, dataset.split
    wet = render_spans(
        lambda dry: render_streaming(run.architecture, weights, dry), pair.dry, split.test
    )
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    arrays = {
        f"{part}_{name}_{k:03d}": signal[s.start : s.stop]
        for part, spans in parts.items()
        for k, s in enumerate(spans)
        for name, signal in (("dry", pair.dry), ("wet", pair.wet))
    }
    np.savez(folder / "data.npz", **arrays)  # type: ignore[arg-type]
    np.save(folder / "target.npy", splits.scored(pair.wet, split.test))
    esr = metrics.esr(dataset.test_target, wet.samples)
    found = {"esr": esr, "seconds": seconds, "epochs": progress.epoch}
    (folder / "ours.json").write_text(json.dumps(found))


def compared(words: list[str], arguments: argparse.Namespace, seed: int) -> dict[str, float]:
    from data.splits import LEAD_IN_SAMPLES
    from study.measures import metrics

    with tempfile.TemporaryDirectory(prefix="pedalframe-peers-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "tests.peers.compare", *words]
        subprocess.run(
            [*command, "--ours", str(seed), str(folder)],
            check=True,
            env={**os.environ, **ONE_THREAD},
            cwd=venv.ROOT,
        )
        ours = json.loads((folder / "ours.json").read_text())
        script = Path(__file__).with_name("nam_train.py")
        files = [folder / "data.npz", folder / "wet.npz"]
        settings = [str(UNITS), str(seed), str(ours["seconds"])]
        subprocess.run(
            [venv.nam_python(), script, *files, *settings],
            check=True,
            env={**os.environ, **ONE_THREAD},
            capture_output=True,
        )
        peer = np.load(folder / "wet.npz")
        tests = sorted(key for key in peer.files if key.startswith("test_"))
        wet = np.concatenate([peer[key][LEAD_IN_SAMPLES:] for key in tests])
        esr = metrics.esr(np.load(folder / "target.npy"), wet)
        return {
            "seed": seed,
            "ours": ours["esr"],
            "our_seconds": ours["seconds"],
            "our_epochs": ours["epochs"],
            "nam": esr,
            "nam_seconds": float(peer["cpu_seconds"]),
            "nam_epochs": int(peer["epochs"]),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--effect", default="sd1")
    parser.add_argument("--seconds", type=float, default=120.0, help="of the dry signal")
    parser.add_argument("--rate", type=int, default=44_100)
    parser.add_argument("--epochs", type=int, default=60, help="ours, which set the time")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pairs", type=Path, default=Path("runs/pairs"))
    parser.add_argument("--ours", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ours:
        train_ours(arguments, int(arguments.ours[0]), Path(arguments.ours[1]))
        return
    reason = venv.missing()
    if reason:
        sys.exit(reason)
    print(f"LSTM 1x{UNITS}, {arguments.effect}, {arguments.seconds:g} s at {arguments.rate} Hz")
    print(f"{'seed':>4} {'ours':>9} {'NAM':>9}  processor seconds and epochs, ours and NAM's")
    for seed in range(arguments.seeds):
        row = compared(sys.argv[1:], arguments, seed)
        print(
            f"{seed:>4} {row['ours']:>9.5f} {row['nam']:>9.5f}  "
            f"{row['our_seconds']:.0f} s, {row['our_epochs']:.0f}; "
            f"{row['nam_seconds']:.0f} s, {row['nam_epochs']:.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
