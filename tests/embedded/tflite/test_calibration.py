"""Which samples calibrate, and what they tell."""

import numpy as np

from data.frames import Span
from embedded.tflite import calibration
from models.architecture import Architecture
from tests.embedded.tflite import models

TRAIN = (Span(100, 1100), Span(2000, 3500))


def test_stretches_lie_in_the_training_split_and_the_first_holds_its_loudest() -> None:
    dry = models.noise(4000)
    dry[10] = dry[1500] = 0.99  # outside
    dry[2004] = -0.98
    picked = calibration.pick(dry, TRAIN, count=6, samples=400)
    assert len(picked) == 6
    for start, stop in picked:
        assert stop - start == 400
        assert any(home.start <= start and stop <= home.stop for home in TRAIN)
    assert picked[0] == Span(2000, 2400)


def test_the_draw_is_the_same_for_a_seed_and_another_for_another() -> None:
    dry = models.noise(4000)
    assert calibration.pick(dry, TRAIN, 3) == calibration.pick(dry, TRAIN, 3)
    draws = [calibration.pick(dry, TRAIN, seed, samples=300) for seed in (3, 4)]
    assert draws[0] != draws[1]
    assert draws[0][0] == draws[1][0]  # the loudest is no matter of chance


def test_a_short_split_gives_what_it_has() -> None:
    picked = calibration.pick(models.noise(500), (Span(0, 50), Span(100, 160)))
    assert [span.samples for span in picked] == [60] * len(picked)
    assert set(picked) == {Span(100, 160)}


def test_ranges_are_those_of_the_equations() -> None:
    a = Architecture("rnn", 1, 4, 8)
    kernel, recurrent, bias, out, out_bias = models.weights_of(a)
    dry = models.noise(300)
    found = calibration.calibrate(
        a, models.weights_of(a), "streaming", "int8", dry, (Span(20, 220),)
    )
    hidden, states, wet = np.zeros(4), [], []
    for sample in dry[20:220]:
        hidden = np.tanh(sample * kernel[0] + hidden @ recurrent + bias)
        states.append(hidden)
        wet.append(hidden @ out + out_bias)
    for role, values in (("rnn_1.h", states), ("output.sum", wet), ("dry", dry[20:220])):
        expected = np.array([min(0.0, np.min(values)), max(0.0, np.max(values))])
        np.testing.assert_allclose(np.array(found.ranges[role]), expected, atol=1e-6)
    assert found.record()["spans"] == [[20, 220]]


def test_ranges_of_features_are_those_of_signals_side_by_side() -> None:
    a = Architecture("gru", 1, 4, 8, features=3)
    weights, dry = models.weights_of(a), models.noise(300)
    spans = (Span(0, 120), Span(150, 270))
    found = calibration.calibrate(a, weights, "streaming", "int8", dry, spans)
    features = np.concatenate(
        [
            np.convolve(dry[start:stop], taps[::-1])[: stop - start]
            for start, stop in spans
            for taps in weights[0][:, 0].T
        ]
    )
    expected = np.array([features.min(), features.max()])
    np.testing.assert_allclose(np.array(found.ranges["features"]), expected, atol=1e-6)
    assert "history" not in found.ranges  # one scale with the dry samples


def test_framed_ranges_begin_every_frame_from_zero() -> None:
    a = Architecture("rnn", 1, 4, 8)
    kernel, recurrent, bias, *_ = models.weights_of(a)
    dry = models.noise(60)
    found = calibration.calibrate(a, models.weights_of(a), "framed", "int8", dry, (Span(0, 60),))
    states = []
    for start in range(53):
        hidden = np.zeros(4)
        for sample in dry[start : start + 8]:
            hidden = np.tanh(sample * kernel[0] + hidden @ recurrent + bias)
            states.append(hidden)
    expected = np.array([np.min(states), np.max(states)])
    np.testing.assert_allclose(np.array(found.ranges["rnn_1.h"]), expected, atol=1e-6)
