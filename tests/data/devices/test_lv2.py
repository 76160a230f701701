"""LV2 plugins: what is checked before they run, and what comes out of those of Guitarix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.audio import Samples
from data.devices import alignment, lv2
from data.errors import InputError
from tests.data.devices.plugins import needs_plugins

RATE = 22050

INFO = """
\tPort 0:
\t\tType:        http://lv2plug.in/ns/lv2core#InputPort
\t\t             http://lv2plug.in/ns/lv2core#ControlPort
\t\tScale Points:
\t\t\t1 = "hot"

\t\tSymbol:      DRIVE
\t\tName:        Drive
\t\tMinimum:     -2.500000
\t\tMaximum:     4.000000
\t\tDefault:     0.250000

\tPort 1:
\t\tType:        http://lv2plug.in/ns/lv2core#ControlPort
\t\t             http://lv2plug.in/ns/lv2core#InputPort
\t\tSymbol:      BYPASS
\t\tMinimum:     0.000000
\t\tMaximum:     1.000000
\t\tDefault:     1.000000
\t\tDesignation: http://lv2plug.in/ns/lv2core#enabled

\tPort 2:
\t\tType:        http://lv2plug.in/ns/lv2core#ControlPort
\t\t             http://lv2plug.in/ns/lv2core#OutputPort
\t\tSymbol:      METER
\t\tMinimum:     -70.000000
\t\tMaximum:     4.000000
\t\tDefault:     0.000000

\tPort 3:
\t\tType:        http://lv2plug.in/ns/lv2core#InputPort
\t\t             http://lv2plug.in/ns/lv2core#AudioPort
\t\tSymbol:      in
"""


def noise(seconds: float = 1.0, rms: float = 0.05) -> Samples:
    samples = np.random.default_rng(1).normal(0, rms, round(seconds * RATE))
    return samples.astype(np.float32)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lv2info that knows one plugin, and a lv2apply that copies and notes its arguments."""
    (tmp_path / "info.txt").write_text(INFO)
    programs = {
        "lv2info": f"cat {tmp_path}/info.txt",
        "lv2apply": f'echo "$@" > {tmp_path}/arguments.txt; cp "$2" "$4"',
    }
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    lv2._controls.cache_clear()
    lv2._measured_latency.cache_clear()
    monkeypatch.setattr(lv2, "EFFECTS", {"box": lv2.Effect("urn:box", "a box", {"drive": 0.5})})
    return tmp_path


@pytest.fixture(autouse=True)
def forget_stand_ins() -> None:
    lv2._controls.cache_clear()


def test_an_unknown_effect_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="ds1, muff, bmp, mbdistortion, ts9, tubepre, chump"):
        lv2.render("fuzzface", noise(), RATE)


def test_what_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"make system.*guitarix-lv2 and lilv-utils"):
        lv2.render("ds1", noise(), RATE)


def test_controls_are_read_from_lv2info(stand_in: Path) -> None:
    drive = lv2.Control("DRIVE", -2.5, 4.0, 0.25)
    assert lv2.controls_of("box") == {"drive": drive}
    assert lv2.controls_of("lv2:urn:box") == {"DRIVE": drive}


def test_defaults_and_controls_reach_the_plugin(stand_in: Path) -> None:
    wet = lv2.render("box", noise(), RATE)
    np.testing.assert_array_equal(wet, noise())
    assert (stand_in / "arguments.txt").read_text().endswith("-c DRIVE 0.5 urn:box\n")
    lv2.render("box", noise(), RATE, drive=-1)
    assert (stand_in / "arguments.txt").read_text().endswith("-c DRIVE -1.0 urn:box\n")
    lv2.render("lv2:urn:box", noise(), RATE, DRIVE=2)
    assert (stand_in / "arguments.txt").read_text().endswith("-c DRIVE 2.0 urn:box\n")


@pytest.mark.parametrize("value", [4.01, -3.0, float("nan")])
def test_a_value_out_of_range_is_refused_with_the_range(stand_in: Path, value: float) -> None:
    with pytest.raises(InputError, match=r"from -2\.5 to 4; found"):
        lv2.render("box", noise(), RATE, drive=value)


@pytest.mark.parametrize("control", ["DRIVE", "bypass", "meter", "tone"])
def test_an_unknown_control_names_the_known_ones(stand_in: Path, control: str) -> None:
    with pytest.raises(InputError, match=r"expected one of drive; found"):
        lv2.render("box", noise(), RATE, **{control: 1.0})


def test_a_plugin_that_hangs_or_fails_is_an_input_error(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stand_in / "lv2apply").write_text("#!/bin/sh\necho broken >&2; exit 4\n")
    with pytest.raises(InputError, match=r"exit status 4 \(broken\)"):
        lv2.render("box", noise(), RATE)
    (stand_in / "lv2apply").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(lv2, "TIMEOUT_S", -29.8)
    with pytest.raises(InputError, match="to end within"):
        lv2._apply("urn:box", noise(), RATE, {})


@pytest.mark.system
@needs_plugins
@pytest.mark.parametrize("name", lv2.EFFECTS)
def test_every_named_effect_sounds_and_fits(name: str) -> None:
    dry = noise()
    wet = lv2.render(name, dry, RATE)
    assert wet.dtype == np.float32
    assert wet.shape == dry.shape
    assert 0.003 < float(np.std(wet)) < 1
    assert abs(float(wet[0])) < 0.5  # the start-up transient is gone
    assert not np.allclose(wet, dry, atol=1e-3)


@pytest.mark.slow
@pytest.mark.system
@needs_plugins
@pytest.mark.parametrize("name", ["ds1", "muff", "bmp"])
def test_the_undeclared_delay_is_taken_off(name: str) -> None:
    assert 30 <= lv2.latency_samples(name, RATE) <= 34
    dry = noise(seconds=4.0, rms=0.02)
    found = alignment.measured_delay(dry, lv2.render(name, dry, RATE), RATE)
    assert -1 <= found.delay_samples <= 1


@pytest.mark.system
@needs_plugins
def test_an_echo_is_not_taken_for_latency() -> None:
    click = np.zeros(RATE, np.float32)
    click[0] = 0.5
    wet = lv2.render("delay", click, RATE, time_l=200)
    assert int(np.argmax(np.abs(wet))) == 0
    echo = int(np.argmax(np.abs(wet[100:]))) + 100
    assert echo == pytest.approx(0.2 * RATE, abs=2)


@pytest.mark.slow
@pytest.mark.system
@needs_plugins
@pytest.mark.parametrize("name", ["ds1", "mbdistortion", "chorus"])
def test_samples_repeat_bit_for_bit(name: str) -> None:
    first, second = (lv2.render(name, noise(), RATE) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.slow
@pytest.mark.system
@needs_plugins
def test_a_named_effect_is_its_uri_with_the_same_controls() -> None:
    uri = f"lv2:{lv2.EFFECTS['ts9'].uri}"
    by_uri = lv2.render(uri, noise(), RATE, fslider0_=-16, fslider1_=500, fslider2_=0.9)
    np.testing.assert_array_equal(lv2.render("ts9", noise(), RATE, tone=500, drive=0.9), by_uri)


@pytest.mark.system
@needs_plugins
def test_a_plugin_that_is_not_installed_says_so() -> None:
    with pytest.raises(InputError, match="expected an installed plugin"):
        lv2.render("lv2:http://example.org/none", noise(), RATE)
