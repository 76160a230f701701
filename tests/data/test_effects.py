"""Effects by name: what a grid may call for, and what a recording is known by."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data import audio, effects
from data.audio import Samples
from data.devices import lv2
from data.devices.circuits import CIRCUITS
from data.effects import Effect
from data.errors import InputError


def noise(samples: int = 2000, seed: int = 0) -> Samples:
    return (0.3 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def recording(folder: Path, wet: Samples, rate_hz: int = 44_100) -> Effect:
    audio.write(folder / "dry.wav", noise(), rate_hz)
    audio.write(folder / "wet.wav", wet, rate_hz)
    return effects.resolve({"name": "mine", "dry": "dry.wav", "wet": "wet.wav"}, folder)


def test_a_name_is_the_effect_at_its_defaults() -> None:
    effect = effects.resolve("sd1", Path())
    assert effect == effects.resolve({"name": "sd1"}, Path())
    assert effect.kind == "circuit"
    assert effect.controls == {c.name: c.default for c in CIRCUITS["sd1"].controls}


def test_a_control_replaces_its_default_alone() -> None:
    plain, driven = (effects.resolve(s, Path()) for s in ("sd1", {"name": "sd1", "drive": 1}))
    assert driven.controls == {**plain.controls, "drive": 1.0}


def test_a_resolved_circuit_renders_as_the_circuit_does() -> None:
    effect = effects.resolve({"name": "sd1", "drive": 0.9}, Path())
    expected = CIRCUITS["sd1"].render(noise(), 44_100, drive=0.9)
    np.testing.assert_array_equal(effect.render(noise(), 44_100), expected)


def test_a_named_plugin_and_a_uri_are_resolved_without_being_installed() -> None:
    assert effects.resolve("ds1", Path()).kind == "lv2"
    mine = effects.resolve({"name": "mine", "lv2": "urn:a", "gain": 3}, Path())
    assert (mine.kind, mine.device, mine.controls) == ("lv2", "lv2:urn:a", {"gain": 3.0})


def test_every_listed_effect_resolves() -> None:
    listed = [effect.name for effect in effects.listing()]
    assert listed == effects.names()
    assert {"sd1", "black65", "ds1"} <= {effects.resolve(n, Path()).name for n in listed}


def test_an_effect_survives_its_dictionary() -> None:
    effect = effects.resolve({"name": "sd1", "drive": 0.9}, Path())
    assert Effect(**effect.to_dict()) == effect


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("sd2", ["'sd2'", "sd1, black65", "Did you mean 'sd1'?"]),
        ("zzz", ["'zzz'", "sd1, black65", "Pick one"]),
        ({}, ["a name, or a table"]),
        ({"name": 3}, ["a name, or a table"]),
        (3, ["a name, or a table", "found 3"]),
        ({"name": "sd1", "gain": 1}, ["drive or tone or level", "'gain'"]),
        ({"name": "sd1", "drvie": 1}, ["'drvie'", "Did you mean 'drive'?"]),
        ({"name": "sd1", "drive": 1.5}, ["drive", "from 0 to 1", "1.5"]),
        ({"name": "sd1", "drive": float("nan")}, ["drive", "from 0 to 1", "nan"]),
        ({"name": "sd1", "drive": True}, ["drive", "a number", "True"]),
        ({"name": "x", "lv2": 3}, ["key lv2", "the URI", "3"]),
        ({"name": "x", "lv2": "\0"}, [r"'\x00'", "a URI, such as"]),
        ({"name": "x", "lv2": "--version"}, ["'--version'", "a URI, such as"]),
        ({"name": "x", "lv2": "urn:a b"}, ["a URI, such as"]),
        ("lv2:--version", ["'--version'", "a URI, such as"]),
        ({"name": "x", "dry": "a.wav"}, ["the two keys dry and wet"]),
        ({"name": "x", "wet": "a.wav"}, ["the two keys dry and wet"]),
        ({"name": "x", "dry": "a.wav", "wet": 3}, ["the two keys dry and wet"]),
        ({"name": "x", "dry": "a", "wet": "b", "drive": 1}, ["drive", "has no controls"]),
        ({"name": "x", "dry": "a.wav", "wet": "b.wav"}, ["a.wav", "no such file"]),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(
    spec: Any, parts: list[str], tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        effects.resolve(spec, tmp_path)
    for part in parts:
        assert part in str(caught.value)


def test_a_recording_is_known_by_its_samples_and_not_by_its_path(tmp_path: Path) -> None:
    here = recording(tmp_path / "here", noise(seed=1))
    there = recording(tmp_path / "there", noise(seed=1))
    assert here.content == there.content != ""
    assert here.wet_file != there.wet_file


def test_any_other_sample_or_rate_is_another_recording(tmp_path: Path) -> None:
    wet = noise(seed=1)
    changed = wet.copy()
    changed[1000] += np.float32(1e-4)
    contents = {
        recording(tmp_path / "a", wet).content,
        recording(tmp_path / "b", changed).content,
        recording(tmp_path / "c", wet[:-1]).content,
        recording(tmp_path / "d", wet, rate_hz=48_000).content,
    }
    assert len(contents) == 4


def test_the_list_tells_meaning_controls_and_ranges() -> None:
    sd1 = effects.listing()[0]
    assert sd1.is_installed
    assert sd1.meaning.startswith("overdrive pedal")
    assert str(sd1.settings[0]).startswith("drive=0.5 (0 to 1): the drive pot")
    assert all(effect.meaning and effect.settings for effect in effects.listing())


def test_a_plugin_that_is_not_installed_is_listed_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    lv2._controls.cache_clear()
    muff = next(effect for effect in effects.listing() if effect.name == "muff")
    assert not muff.is_installed
    assert [str(setting) for setting in muff.settings] == ["tone=0.5", "volume=0.5"]
    assert effects.resolve({"name": "muff", "tnoe": 1}, Path()).name == "muff"  # told later


@pytest.mark.system
def test_a_misspelt_control_of_an_installed_plugin_is_told_at_once() -> None:
    if not lv2.is_installed("muff"):
        pytest.skip("guitarix-lv2 is not installed")
    with pytest.raises(InputError, match="Did you mean 'tone'"):
        effects.resolve({"name": "muff", "tnoe": 1}, Path())
