"""Proofs, on this host, that firmware computes what Keras computes."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data import audio
from data.audio import Samples
from data.errors import InputError
from embedded.tflite import parity
from study.measures import metrics

PROOF_ESR = 1e-5
"""Largest error-to-signal ratio between the firmware's float32 model and Keras."""


@dataclass(frozen=True)
class TfliteProof:
    """TFLite Micro, without the firmware's core, beside Keras over some seconds.

    Attributes:
        kind: number type.
        seconds: of the test split.
        esr: against Keras.
        growth: times by which the ESR against the target exceeds that of Keras.
    """

    kind: str
    seconds: float
    esr: float
    growth: float

    @staticmethod
    def of(
        kind: str, wet: Samples, expected: Samples, target: Samples, sample_rate_hz: int
    ) -> TfliteProof:
        """Judge an answer of TFLite Micro by that of Keras and by the target, clipped alike."""
        wet, expected = np.clip(wet, -1, 1), np.clip(expected, -1, 1)
        return TfliteProof(
            kind,
            len(wet) / sample_rate_hz,
            metrics.esr(expected, wet),
            metrics.esr(target, wet) / metrics.esr(target, expected),
        )

    @property
    def told(self) -> str:
        """In a sentence."""
        return (
            f"TFLite Micro ({self.kind}) against Keras over {self.seconds:.1f} s of the test "
            f"split: ESR {self.esr:.2g}; ESR against the target {self.growth:.2f} times that of "
            "Keras"
        )

    def demand(self, run_id: str, force: bool) -> None:
        """Refuse floats that differ from Keras, and, unless forced, integers that lose much.

        Raises:
            InputError: it is so.
        """
        is_float = self.kind == "float32"
        if is_float and not self.esr <= PROOF_ESR:
            expected = f"the answer of Keras, ESR at most {PROOF_ESR:g}"
            remedy = "Report this run: the converted model is wrong, or the model is unstable."
        elif not is_float and not self.growth <= parity.WORSE_ESR and not force:
            expected = f"at most {parity.WORSE_ESR:g} times the ESR of Keras against the target"
            remedy = (
                "Take another route, --route tflite_float32 or c. FORCE=1 builds it all the same."
            )
        else:
            return
        raise InputError(
            f"firmware of run {run_id}", expected=expected, found=self.told, remedy=remedy
        )


def prove_core(
    folder: Path, dry: Samples, expected: Samples, sample_rate_hz: int, run_id: str
) -> list[str]:
    """Compare the generated C, through the firmware's core, with Keras; what was found.

    Args:
        folder: of the firmware.
        dry: shape ``(samples,)``.
        expected: what Keras makes of it.
        sample_rate_hz: of both.
        run_id: of the model.

    Raises:
        InputError: they differ, or the core cannot be built.
    """
    if missing := [tool for tool in ("make", "gcc", "g++") if shutil.which(tool) is None]:
        return [f"Not proved on this host: no {', no '.join(missing)}; `make system` has them."]
    wet, golden = run_on_host(folder, dry, sample_rate_hz)
    esr = metrics.esr(np.clip(expected, -1, 1), wet)  # the core stays within full scale
    seconds = len(dry) / sample_rate_hz
    if not esr <= PROOF_ESR:
        raise InputError(
            f"firmware of run {run_id}",
            expected=f"the answer of Keras, ESR at most {PROOF_ESR:g}",
            found=f"ESR {esr:.2g}",
            remedy="Report this run: the generated code is wrong, or the model is unstable.",
        )
    return [
        f"Firmware core with generated C on this host: {golden}",
        f"The same against Keras over {seconds:.1f} s of the test split: ESR {esr:.2g}",
    ]


def run_on_host(folder: Path, dry: Samples, sample_rate_hz: int) -> tuple[Samples, str]:
    """The firmware's generated C at the model's own rate: its answer, and its golden vectors.

    Raises:
        InputError: it cannot be built, or does not reproduce the golden vectors.
    """
    work = folder / "host-build"
    try:
        work.mkdir()
        audio.write(work / "dry.wav", dry, sample_rate_hz)
        own_rate = "-DPEDAL_HALVES_RATE=0 -DPEDAL_DOUBLES_RATE=0"
        defines = f"{own_rate} -DPEDAL_BOARD_RATE_HZ={sample_rate_hz}u"
        _run(["make", "-s", "-C", str(folder), f"DEFINES={defines}"])
        golden = _run([str(folder / "pedal"), "--golden"]).strip()
        _run([str(folder / "pedal"), str(work / "dry.wav"), str(work / "wet.wav")])
        wet = audio.read(work / "wet.wav").samples
        return wet, golden
    finally:
        _run(["make", "-s", "-C", str(folder), "clean"])
        shutil.rmtree(work, ignore_errors=True)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise InputError(
            Path(command[0]).name,
            expected="its end without an error",
            found=f"exit status {done.returncode}: {(done.stdout + done.stderr)[-1000:].strip()}",
            remedy="Check the compiler; `make system` installs a known one.",
        )
    return done.stdout
