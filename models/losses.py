"""The losses that a run can be trained with: a new one is a line of ``LOSSES`` with its function.

Needs no Keras until a loss is made.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Loss:
    """One loss.

    Attributes:
        name: the value of a run's ``loss``.
        function: where its class is, as ``module:class``.
        shortest_window: consecutive output samples that it needs. A framed model computes each
            from a frame of its own.
    """

    name: str
    function: str
    shortest_window: int = 1

    @property
    def lookback(self) -> int:
        """Output samples before the target that it needs beside it."""
        return self.shortest_window - 1

    @property
    def is_for_sequences(self) -> bool:
        """Whether frames would be too dear: it needs more than a sample and its neighbour."""
        return self.shortest_window > 2

    def make(self) -> Callable[[Any, Any], Any]:
        """The function of targets and predictions, ``(batch, samples)``, to one number."""
        made: Callable[[Any, Any], Any] = pkgutil.resolve_name(self.function)()
        return made


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("mae", "keras.losses:MeanAbsoluteError"),
        Loss("mse", "keras.losses:MeanSquaredError"),
        Loss("esr", "models.loss_functions:ErrorToSignalRatio"),
        Loss("esr_preemph_dc", "models.loss_functions:PreEmphasisedErrorAndDc", shortest_window=2),
        Loss(
            "esr_preemph_dc_stft", "models.loss_functions:WaveformAndSpectrum", shortest_window=256
        ),
    )
}
