"""Functions of training losses, as Keras losses on consecutive output samples.

Targets and predictions have shape ``(batch, samples)``. ESR and DC are ratios of sums
over everything in the batch, so they return one number and not one per example.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

PRE_EMPHASIS = 0.85

# 13, 5 and one spectra of a window of 256 samples.
_FFT_SIZES = (64, 128, 256)
_HOPS_A_FFT = 4
# A compromise: one seed of sd1 and a Muff, there and back, gained less with 0.01 and 0.05.
_SPECTRAL_SHARE = 0.2


def _energy(signal: Any) -> Any:
    # A batch of pure silence has no ratio; the floor (-100 dB) only keeps it finite.
    return ops.maximum(ops.mean(ops.square(signal)), 1e-10)


def _pre_emphasised(signal: Any) -> Any:
    """``s[n] - 0.85 s[n-1]`` along the samples; one sample shorter than its input."""
    return signal[:, 1:] - PRE_EMPHASIS * signal[:, :-1]


class ErrorToSignalRatio(keras.losses.Loss):
    """ESR of a batch: sum (y - p)^2 / sum y^2."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for the whole batch."""
        return ops.mean(ops.square(y_true - y_pred)) / _energy(y_true)


class PreEmphasisedErrorAndDc(keras.losses.Loss):
    """0.75 ESR after the filter 1 - 0.85 z^-1, plus 0.25 DC (Wright et al., DAFx 2019).

    Needs at least two consecutive samples an example.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for the whole batch."""
        error = ops.mean(ops.square(_pre_emphasised(y_true - y_pred)))
        esr = error / _energy(_pre_emphasised(y_true))
        dc = ops.square(ops.mean(y_true - y_pred)) / _energy(y_true)
        return 0.75 * esr + 0.25 * dc


class WaveformAndSpectrum(PreEmphasisedErrorAndDc):
    """``PreEmphasisedErrorAndDc``, and 0.2 times a distance of spectra.

    The waveform tells little of what is weak, which the ear does not forgive: at each of three
    resolutions, with Y and P the magnitudes (power floor 1e-8) of all spectra in the
    batch, spectral convergence ||Y - P|| / ||Y|| plus mean |ln Y - ln P|; the mean of the
    three (Yamamoto, Song & Kim, "Parallel WaveGAN", ICASSP 2020). Hann windows of 64, 128 and 256
    samples, every quarter of one and not centred: shorter than those of
    ``study.measures.metrics.mr_stft``, to fit between two steps of the optimiser. Examples have 256
    samples or more.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for the whole batch."""
        distances = [_spectral_distance(y_true, y_pred, size) for size in _FFT_SIZES]
        return super().call(y_true, y_pred) + _SPECTRAL_SHARE * sum(distances) / len(distances)


def _spectral_distance(y_true: Any, y_pred: Any, fft_size: int) -> Any:
    target, predicted = _magnitudes(y_true, fft_size), _magnitudes(y_pred, fft_size)
    # The root's gradient has no value at 0, where both are the same.
    error = ops.sqrt(ops.maximum(ops.sum(ops.square(target - predicted)), 1e-16))
    logarithms = ops.mean(ops.abs(ops.log(target) - ops.log(predicted)))
    return error / ops.sqrt(ops.sum(ops.square(target))) + logarithms


def _magnitudes(signal: Any, fft_size: int) -> Any:
    """Shape ``(batch, spectra, fft_size // 2 + 1)``."""
    real, imaginary = ops.stft(
        signal, fft_size, fft_size // _HOPS_A_FFT, fft_size, window="hann", center=False
    )
    return ops.sqrt(ops.maximum(ops.square(real) + ops.square(imaginary), 1e-8))
