"""The two predictions that cost nothing: the dry signal, and the best linear filter.

A model that does not beat a least-squares FIR of its own frame's length has learned
nothing of the effect's distortion.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.signal

from data.audio import Samples
from data.frames import Span

# Far below any recording's noise; keeps the equations solvable where the dry signal
# holds no energy (above the cutoff of a resampling filter, say).
RIDGE = 1e-9


def best_fir(
    dry: Samples, wet: Samples, spans: Sequence[Span], taps: int
) -> npt.NDArray[np.float64]:
    """Coefficients ``b`` that minimise sum (wet[n] - sum_k b[k] dry[n-k])^2.

    The sum runs over every ``n`` whose ``taps`` dry samples lie inside one span
    (the covariance method; Makhoul, Proc. IEEE 1975), in float64.
    """
    normal, moment = np.zeros((taps, taps)), np.zeros(taps)
    for span in spans:
        x = dry[span.start : span.stop].astype(np.float64)
        y = wet[span.start : span.stop].astype(np.float64)
        # Rows in chunks: the windows of a whole span would be `taps` times its size.
        windows = np.lib.stride_tricks.sliding_window_view(x, taps)[:, ::-1]
        for start in range(0, len(windows), 16_384):
            rows = windows[start : start + 16_384]
            normal += rows.T @ rows
            moment += rows.T @ y[taps - 1 + start : taps - 1 + start + len(rows)]
    normal[np.diag_indices(taps)] += RIDGE * np.trace(normal) / taps
    return np.asarray(scipy.linalg.solve(normal, moment, assume_a="pos"))


def filtered(dry: Samples, coefficients: npt.NDArray[np.float64]) -> Samples:
    """The FIR's output, as long as its input, from a history of zeros."""
    return scipy.signal.lfilter(coefficients, [1.0], dry).astype(np.float32)
