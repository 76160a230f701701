"""Hosts in a few lines of numpy: what each format's published layout says, and nothing of ours.

Written from the sources that the format modules name, in float64.
"""

import json
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]


def sigmoid(x: Signal) -> Signal:
    return 1 / (1 + np.exp(-x))


def lstm(x: Signal, w: Signal, u: Signal, b: Signal, h: Signal, c: Signal) -> Signal:
    """Gates i, f, g, o as rows of ``w`` (inputs) and ``u`` (state), as PyTorch has them."""
    answers = []
    for sample in x:
        i, f, g, o = np.split(w @ sample + u @ h + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        answers.append(h)
    return np.array(answers)


def gru(x: Signal, w: Signal, u: Signal, b: Signal) -> Signal:
    """RTNeural's: gates z, r, c as columns, two biases, the reset after the product."""
    units = u.shape[0]
    h = np.zeros(units)
    answers = []
    for sample in x:
        a, s = sample @ w + b[0], h @ u + b[1]
        z = sigmoid(a[:units] + s[:units])
        r = sigmoid(a[units : 2 * units] + s[units : 2 * units])
        candidate = np.tanh(a[2 * units :] + r * s[2 * units :])
        h = (1 - z) * candidate + z * h
        answers.append(h)
    return np.array(answers)


def nam(text: str, dry: Signal) -> Signal:
    """NeuralAmpModelerCore: one list of numbers, read front to back."""
    file = json.loads(text)
    if file["architecture"] == "WaveNet":
        return nam_wavenet(file, dry)
    assert file["architecture"] == "LSTM"
    assert re.fullmatch(r"0\.5\.\d+", file["version"])
    config, flat = file["config"], list(file["weights"])

    def take(*shape: int) -> Signal:
        count = int(np.prod(shape))
        taken, flat[:count] = np.array(flat[:count]), []
        return taken.reshape(shape)

    hidden = dry[:, None]
    units = config["hidden_size"]
    for layer in range(config["num_layers"]):
        inputs = config["input_size"] if layer == 0 else units
        matrix, bias = take(4 * units, inputs + units), take(4 * units)
        first_h, first_c = take(units), take(units)
        hidden = lstm(hidden, matrix[:, :inputs], matrix[:, inputs:], bias, first_h, first_c)
    head, head_bias = take(units), take(1)
    assert not flat
    return hidden @ head + head_bias


def nam_wavenet(file: dict[str, Any], dry: Signal) -> Signal:
    """One array of layers without gates, after as much silence as it reaches back."""
    [array], flat = file["config"]["layers"], list(file["weights"])
    assert (array["input_size"], array["condition_size"], array["gated"]) == (1, 1, False)
    assert array["activation"] == "LeakyReLU" and file["config"]["head"] is None
    assert array["head"] == {"out_channels": 1, "kernel_size": 1, "bias": True}
    assert (array["head_size"], array["head_bias"]) == (1, True)
    dilations, channels = array["dilations"], array["channels"]
    if "kernel_sizes" in array:
        sizes = array["kernel_sizes"]
        assert file["version"] == "0.7.0" and "kernel_size" not in array
    else:
        sizes = [array["kernel_size"]] * len(dilations)
        assert re.fullmatch(r"0\.5\.\d+", file["version"])

    def take(*shape: int) -> Signal:
        count = int(np.prod(shape))
        taken, flat[:count] = np.array(flat[:count]), []
        return taken.reshape(shape)

    silence = sum((size - 1) * d for size, d in zip(sizes, dilations, strict=True))
    condition = np.concatenate([np.zeros(silence), dry])[None]
    x = take(channels, 1) @ condition
    head = np.zeros_like(x)
    for size, dilation in zip(sizes, dilations, strict=True):
        kernel, bias = take(channels, channels, size), take(channels)
        z = bias[:, None] + take(channels, 1) @ condition
        for tap in range(size):  # the last tap is the newest sample's
            back = (size - 1 - tap) * dilation
            z[:, back:] += kernel[:, :, tap] @ x[:, : x.shape[1] - back]
        answer = np.where(z > 0, z, 0.01 * z)
        head += answer
        x = x + take(channels, channels) @ answer + take(channels)[:, None]
    wet = take(1, channels) @ head + take(1)
    scale = take(1)
    assert not flat and float(scale[0]) == file["config"]["head_scale"]
    return np.asarray((scale * wet)[0, silence:])


def aidax(text: str, dry: Signal) -> Signal:
    """RTNeural's loader of Keras arrays, and AIDA-X's ``in_skip``."""
    file = json.loads(text)
    assert file["in_shape"][-1] == 1
    recurrent, dense = file["layers"]
    w, u, b = (np.array(array) for array in recurrent["weights"])
    units = recurrent["shape"][-1]
    zeros = np.zeros(units)
    if recurrent["type"] == "lstm":
        assert b.shape == (4 * units,)
        hidden = lstm(dry[:, None], w.T, u.T, b, zeros, zeros)
    else:
        assert recurrent["type"] == "gru"
        assert b.shape == (2, 3 * units)
        hidden = gru(dry[:, None], w, u, b)
    assert (dense["type"], dense["activation"], dense["shape"][-1]) == ("dense", "", 1)
    weights, bias = (np.array(array) for array in dense["weights"])
    wet = (hidden @ weights + bias)[:, 0]
    return np.asarray(wet + dry if file["in_skip"] else wet)


def proteus(text: str, dry: Signal) -> Signal:
    """Proteus: a PyTorch state dictionary; its two biases summed, its input always added."""
    file = json.loads(text)
    assert file["model_data"]["input_size"] == 1
    state = {name: np.array(values) for name, values in file["state_dict"].items()}
    assert state["rec.weight_hh_l0"].shape == (160, 40)
    bias = state["rec.bias_ih_l0"] + state["rec.bias_hh_l0"]
    zeros = np.zeros(40)
    w, u = state["rec.weight_ih_l0"], state["rec.weight_hh_l0"]
    hidden = lstm(dry[:, None], w, u, bias, zeros, zeros)
    return np.asarray(hidden @ state["lin.weight"][0] + state["lin.bias"] + dry)


def neuralseed(text: str, dry: Signal) -> Signal:
    """NeuralSeed: C++ statements that fill a ``modelData``; its input always added."""
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    fields: dict[str, Any] = {}
    for name, braces in re.findall(r"Model1\.(\w+) = (\{.*?\});", code, flags=re.DOTALL):
        plain = re.sub(r"(?<=\d)f\b", "", braces)
        fields[name] = np.array(json.loads(plain.replace("{", "[").replace("}", "]")))
    w, u = fields["rec_weight_ih_l0"], fields["rec_weight_hh_l0"]
    assert (w.shape, u.shape, fields["rec_bias"].shape) == ((1, 30), (10, 30), (2, 30))
    hidden = gru(dry[:, None], w, u, fields["rec_bias"])
    return np.asarray(hidden @ fields["lin_weight"][0] + fields["lin_bias"] + dry)
