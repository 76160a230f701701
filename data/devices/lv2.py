"""LV2 plugins of the system, run by ``lv2apply`` from the Debian package lilv-utils.

Ten effects of Guitarix have names of their own; any other installed plugin is named
``lv2:<URI>`` and set by its own control symbols. The same dry samples and controls give
the same wet samples bit for bit.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from data import audio
from data.audio import Samples
from data.devices import alignment
from data.errors import InputError, suggestion

VERSION = 1
"""Part of every cache key; raised when the same call would give other samples."""

LEAD_IN_S = 2.0
"""Silence before the dry signal, discarded again: a multi-band effect settles for 1.2 s."""
PROBE_S = 4.0
PROBE_RMS = 0.003
"""So quiet (-50 dBFS) that most effects are nearly linear."""
MIN_LATENCY_SAMPLES = 8
"""Resamplers inside plugins take about 32 samples; a delay of a few is the phase of the
effect's own filters and belongs to it."""
MAX_LATENCY_SAMPLES = 128
TIMEOUT_S = 30.0
URI_PREFIX = "lv2:"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")

_GUITARIX = "http://guitarix.sourceforge.net/plugins/"
_INSTALL = "Run `make system` (Debian packages guitarix-lv2 and lilv-utils)."


@dataclass(frozen=True)
class Effect:
    """A plugin with the settings that the project uses when none are given.

    Attributes:
        uri: of the plugin.
        meaning: what it is, in one line; empty for a plugin that is only known by its URI.
        defaults: control name to value; every other control stays at the plugin's own.
        aliases: control name to symbol, where the lower-case symbol says too little.
        is_time_based: whether a later copy of the sound is the effect itself, so that
            no delay may be taken off.
    """

    uri: str
    meaning: str = ""
    defaults: Mapping[str, float] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    is_time_based: bool = False


@dataclass(frozen=True)
class Control:
    """One control input of a plugin, as the plugin declares it."""

    symbol: str
    minimum: float
    maximum: float
    default: float


EFFECTS: Mapping[str, Effect] = {
    "ds1": Effect(
        _GUITARIX + "gx_bossds1_#_bossds1_",
        "distortion pedal after the Boss DS-1",
        {"drive": 0.7, "tone": 0.5, "level": 0.0},
    ),
    "muff": Effect(
        _GUITARIX + "gx_muff_#_muff_",
        "fuzz pedal after the Electro-Harmonix Muff Fuzz",
        {"tone": 0.5, "volume": 0.5},
    ),
    "bmp": Effect(
        _GUITARIX + "gx_bmp_#_bmp_",
        "fuzz pedal after the Electro-Harmonix Big Muff Pi",
        {"sustain": 0.5, "tone": 0.5, "volume": 0.5},
    ),
    "mbdistortion": Effect(
        _GUITARIX + "gx_mbdistortion_#_mbdistortion_",
        "distortion in five frequency bands",
        {"gain": -15.0},
    ),
    "ts9": Effect(
        _GUITARIX + "gxts9#ts9sim",
        "overdrive pedal after the Ibanez TS9",
        {"level": -16.0, "tone": 400.0, "drive": 0.5},
        {"level": "fslider0_", "tone": "fslider1_", "drive": "fslider2_"},
    ),
    "tubepre": Effect(
        _GUITARIX + "gx_studiopre#studiopre",
        "tube preamplifier of a studio",
        {"volume": 0.5, "master": 0.5},
    ),
    "chump": Effect(
        _GUITARIX + "gx_redeye#chump",
        "small tube amplifier after the Fender Champ",
        {"gain": 0.6, "tone": 0.5, "volume": 0.25},
    ),
    "phaser": Effect(
        _GUITARIX + "gx_phaser#_phaser",
        "phaser: time-based, out of reach of a frame",
        {"dry_wet": 50.0, "speed": 0.5},
        is_time_based=True,
    ),
    "delay": Effect(
        _GUITARIX + "gx_delay_stereo#_delay_stereo",
        "delay: time-based, out of reach of a frame",
        {"time_l": 350.0, "level_l": -6.0},
        {"time_l": "timt_l", "time_r": "timt_r"},
        is_time_based=True,
    ),
    "chorus": Effect(
        _GUITARIX + "gx_chorus_stereo#_chorus_stereo",
        "chorus: time-based, out of reach of a frame",
        {"level": 0.5, "delay": 0.02, "depth": 0.02, "freq": 3.0},
        is_time_based=True,
    ),
}


def render(name: str, dry: Samples, sample_rate_hz: int, **controls: float) -> Samples:
    """Play a dry signal through a plugin.

    A plugin that oversamples comes some 33 samples late without declaring it; that is
    measured once for each plugin and rate, with noise at low level, and taken off. A
    stereo plugin hears the signal on both inputs, and its left output is taken.

    Args:
        name: a key of ``EFFECTS``, or ``lv2:<URI>``.
        dry: shape ``(samples,)``.
        sample_rate_hz: samples per second.
        **controls: by name for a named effect, by symbol for a URI; ``controls_of``
            lists them with their ranges.

    Returns:
        The wet signal, shape ``(samples,)``, not limited to [-1, 1].

    Raises:
        InputError: unknown effect or control, value out of range, plugin or lv2apply
            not installed, or the plugin failing.
    """
    effect = effect_named(name)
    settings = _settings(name, {**effect.defaults, **controls})
    late_samples = latency_samples(name, sample_rate_hz)
    lead_in = np.zeros(round(LEAD_IN_S * sample_rate_hz), np.float32)
    fed = np.concatenate([lead_in, dry, np.zeros(late_samples, np.float32)])
    wet = _apply(effect.uri, fed, sample_rate_hz, settings)
    return wet[len(lead_in) + late_samples :].copy()


def effect_named(name: str) -> Effect:
    """The effect of that name, or the plugin behind ``lv2:<URI>``."""
    if name.startswith(URI_PREFIX):
        uri = name.removeprefix(URI_PREFIX)
        # Programs are called with it, which take "--version" for an option.
        if not _URI.fullmatch(uri):
            raise InputError(
                f"LV2 plugin {uri!r:.200}",
                expected="a URI, such as http://example.org/plugin or urn:plugin",
                found="none",
                remedy="`lv2ls` lists the URIs of everything installed.",
            )
        return Effect(uri)
    if name not in EFFECTS:
        raise InputError(
            f"LV2 effect {name!r}",
            expected=f"one of {', '.join(EFFECTS)}, or {URI_PREFIX}<URI>",
            found="an unknown name",
            remedy="`lv2ls` lists the URIs of everything installed.",
        )
    return EFFECTS[name]


def controls_of(name: str) -> dict[str, Control]:
    """What can be set, with the ranges that the installed plugin declares."""
    effect = effect_named(name)
    by_symbol = {control.symbol: control for control in _controls(effect.uri)}
    if name.startswith(URI_PREFIX):
        return by_symbol
    names = {symbol: alias for alias, symbol in effect.aliases.items()}
    return {names.get(symbol, symbol.lower()): c for symbol, c in by_symbol.items()}


def is_installed(name: str) -> bool:
    """Whether the plugin and the programs that run it are there."""
    try:
        return bool(_controls(effect_named(name).uri)) and shutil.which("lv2apply") is not None
    except InputError:
        return False


def check(name: str, controls: Mapping[str, float]) -> None:
    """Refuse controls that an installed plugin lacks; one that is missing is told later.

    Raises:
        InputError: no URI, unknown control, or value out of range.
    """
    effect_named(name)
    if is_installed(name):
        _settings(name, controls)


def latency_samples(name: str, sample_rate_hz: int) -> int:
    """How late a plugin's output comes, 0 for an effect that works by delaying."""
    effect = effect_named(name)
    if effect.is_time_based:
        return 0
    return _measured_latency(
        effect.uri, sample_rate_hz, tuple(_settings(name, effect.defaults).items())
    )


@cache
def _measured_latency(
    uri: str, sample_rate_hz: int, settings: tuple[tuple[str, float], ...]
) -> int:
    noise = np.random.default_rng(0).normal(0, PROBE_RMS, round(PROBE_S * sample_rate_hz))
    lead_in = np.zeros(round(LEAD_IN_S * sample_rate_hz), np.float32)
    probe = np.concatenate([lead_in, noise.astype(np.float32)])
    wet = _apply(uri, probe, sample_rate_hz, dict(settings))[len(lead_in) :]
    max_delay_s = MAX_LATENCY_SAMPLES / sample_rate_hz
    found = alignment.measured_delay(probe[len(lead_in) :], wet, sample_rate_hz, max_delay_s)
    is_latency = MIN_LATENCY_SAMPLES <= found.delay_samples <= MAX_LATENCY_SAMPLES
    return found.delay_samples if is_latency and found.clarity >= alignment.CLEAR_PEAK else 0


def _settings(name: str, controls: Mapping[str, float]) -> dict[str, float]:
    """Control symbols to values, all checked against what the plugin declares."""
    known = controls_of(name)
    settings = {}
    for key, value in controls.items():
        if key not in known:
            raise InputError(
                f"control {key!r} of LV2 effect {name}",
                expected=f"one of {', '.join(sorted(known))}",
                found="an unknown name",
                remedy=suggestion(key, known, "Use one of these names."),
            )
        control = known[key]
        if not (math.isfinite(value) and control.minimum <= value <= control.maximum):
            raise InputError(
                f"control {key!r} of LV2 effect {name}",
                expected=f"a number from {control.minimum:g} to {control.maximum:g}",
                found=f"{value:g}",
                remedy="Choose a value in that range.",
            )
        settings[control.symbol] = float(value)
    return settings


@cache
def _controls(uri: str) -> tuple[Control, ...]:
    """Read the control inputs from ``lv2info``, but for the on switch."""
    text = _run("lv2info", [uri], uri, TIMEOUT_S)
    controls = []
    for port in text.split("\tPort ")[1:]:
        fields = _fields(port)
        is_control = "#InputPort" in port and "#ControlPort" in port
        if is_control and fields.get("Designation", "").rpartition("#")[2] != "enabled":
            low, high, default = (_number(fields, k) for k in ("Minimum", "Maximum", "Default"))
            controls.append(Control(fields["Symbol"], low, high, default))
    return tuple(controls)


def _fields(port: str) -> dict[str, str]:
    """The lines ``Key:  value`` of one port."""
    pairs = (line.partition(":") for line in port.splitlines())
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def _number(fields: Mapping[str, str], key: str) -> float:
    """A number that a port declares; a port without bounds may take any."""
    missing = {"Minimum": -math.inf, "Maximum": math.inf}.get(key, math.nan)
    return float(fields.get(key, missing))


def _apply(
    uri: str, samples: Samples, sample_rate_hz: int, settings: Mapping[str, float]
) -> Samples:
    """Run ``lv2apply`` on a float WAV, which neither clips nor rounds; left channel."""
    with tempfile.TemporaryDirectory(prefix="pedalframe-") as folder:
        dry_path, wet_path = Path(folder, "dry.wav"), Path(folder, "wet.wav")
        audio.write(dry_path, samples, sample_rate_hz)
        arguments = ["-i", str(dry_path), "-o", str(wet_path)]
        for symbol, value in settings.items():
            arguments += ["-c", symbol, repr(value)]
        # A plugin that cannot do a fifth of real time is taken to hang.
        timeout_s = TIMEOUT_S + 5 * len(samples) / sample_rate_hz
        _run("lv2apply", [*arguments, uri], uri, timeout_s)
        left = soundfile.read(wet_path, dtype="float32", always_2d=True)[0][:, 0]
    if not np.isfinite(left).all():
        raise InputError(
            f"LV2 plugin {uri}",
            expected="finite samples",
            found="NaN or infinity in its output",
            remedy="Choose other control values; these make the plugin unstable.",
        )
    return np.ascontiguousarray(left)


def _run(program: str, arguments: list[str], uri: str, timeout_s: float) -> str:
    """Output of a program of lilv-utils; ``InputError`` however it fails."""
    path = shutil.which(program)
    if path is None:
        raise InputError(
            f"LV2 plugin {uri}",
            expected=f"{program} to be installed",
            found="no such program",
            remedy=_INSTALL,
        )
    # Numbers are written and read with a decimal point whatever the user's language.
    plain = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            [path, *arguments], capture_output=True, text=True, env=plain, timeout=timeout_s
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"LV2 plugin {uri}",
            expected=f"{program} to end within {timeout_s:.0f} s",
            found="that it still ran",
            remedy="Try a shorter dry signal or another plugin.",
        ) from error
    if done.returncode == 0:
        return done.stdout
    message = (done.stderr or done.stdout).strip()
    not_found = "not found" in message
    raise InputError(
        f"LV2 plugin {uri}",
        expected="an installed plugin" if not_found else f"{program} to succeed",
        found=f"exit status {done.returncode} ({message})",
        remedy=_INSTALL if not_found else "Check the controls, or try another plugin.",
    )
