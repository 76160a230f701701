"""The hyperbolic tangent as a ratio of two polynomials, as the generated C computes it.

tanh(x) is close to N(x) / D(x) with N = x (n0 + n1 x^2 + n2 x^4 + n3 x^6) and
D = d0 + d1 x^2 + d2 x^4 + x^6, for x clamped to [-LIMIT, LIMIT]. The coefficients
minimise the largest absolute error over all x: the linearised problem
|x P - tanh(x) Q| <= e Q is solved as a linear program, with e found by bisection (the
approach of Cheney & Loeb's differential correction, SIAM J. Numer. Anal. 1964). All of
them are positive, so nothing cancels. Numerator and denominator stay apart, so that
several quotients share one division. The logistic function is (1 + tanh(x / 2)) / 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LIMIT = 7.0
SCALE = 2.0**-13
"""Of both polynomials, so that products of six denominators do not overflow; it is exact."""
NUMERATOR = tuple(SCALE * c for c in (7025.003965, 864.2305447, 15.99574141, 0.02760765358))
DENOMINATOR = tuple(SCALE * c for c in (7025.034211, 3205.804369, 148.0319277, 1.0))

MAXIMUM_ERROR = 1.5e-6
"""Largest |N / D - tanh|, float32 arithmetic included."""


def ratio(x: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Numerator and denominator at ``x``, in its own precision; same shape."""
    kind = x.dtype.type
    n, d = [kind(c) for c in NUMERATOR], [kind(c) for c in DENOMINATOR]
    x = np.clip(x, kind(-LIMIT), kind(LIMIT))
    x2 = x * x
    x4 = x2 * x2
    x6 = x2 * x4
    odd = n[0] + n[1] * x2 + n[2] * x4 + n[3] * x6
    return x * odd, d[0] + d[1] * x2 + d[2] * x4 + d[3] * x6


def tanh(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quotient itself."""
    numerator, denominator = ratio(x)
    return np.asarray(numerator / denominator, np.float64)
