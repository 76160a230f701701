"""Effects by name: what a grid file may call for, whichever kind of device makes it.

``resolve`` turns the grid's words (``"sd1"``, ``{name = "ds1", drive = 0.9}``,
``{name = "my pedal", dry = "a.wav", wet = "b.wav"}``) into an ``Effect`` that says
completely what the wet signal depends on.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from data import audio
from data.audio import Samples
from data.devices import lv2
from data.devices.circuits import CIRCUITS
from data.errors import InputError, shown, suggestion

Kind = Literal["circuit", "lv2", "recording"]


@dataclass(frozen=True)
class Effect:
    """Everything that the wet signal of an effect depends on, bar the dry one.

    Attributes:
        name: what tables and pages call it.
        kind: which device makes it.
        device: the circuit's or plugin's own name; empty for a recording.
        controls: settings by name. For a circuit all of them; for a plugin those that
            were asked for, the others stay at its defaults.
        version: of the code that makes it, so that caches can tell.
        dry_file, wet_file: paths of a recording.
        content: SHA-256 of a recording's decoded samples, so that a replaced file
            is another effect.
    """

    name: str
    kind: Kind
    device: str = ""
    controls: Mapping[str, float] = field(default_factory=dict)
    version: int = 1
    dry_file: str = ""
    wet_file: str = ""
    content: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ``Effect(**value)`` reads them back."""
        return asdict(self)

    def render(self, dry: Samples, sample_rate_hz: int) -> Samples:
        """The wet signal of a dry one. Not for recordings, whose wet one is a file."""
        if self.kind == "circuit":
            return CIRCUITS[self.device].render(dry, sample_rate_hz, **self.controls)
        return lv2.render(self.device, dry, sample_rate_hz, **self.controls)


def names() -> list[str]:
    """The effects that need no file: circuits first, then plugins."""
    return [*CIRCUITS, *lv2.EFFECTS]


@dataclass(frozen=True)
class ControlRange:
    """A control as a grid file can set it; bounds and meaning where they are known."""

    name: str
    default: float
    minimum: float = -math.inf
    maximum: float = math.inf
    meaning: str = ""

    def __str__(self) -> str:
        bounded = math.isfinite(self.minimum) and math.isfinite(self.maximum)
        allowed = f" ({self.minimum:g} to {self.maximum:g})" if bounded else ""
        return f"{self.name}={self.default:g}{allowed}" + f": {self.meaning}" * bool(self.meaning)


@dataclass(frozen=True)
class Described:
    """An effect that needs no file, for a list.

    Attributes:
        name: as a grid file calls it.
        kind: which device makes it.
        meaning: what it is.
        is_installed: whether it can be made on this machine.
        settings: its controls, with the values that they have when none are given.
    """

    name: str
    kind: Kind
    meaning: str
    is_installed: bool
    settings: tuple[ControlRange, ...]


def listing() -> list[Described]:
    """Every such effect. A plugin that is not installed names only what the project sets."""
    return [_described_circuit(name) for name in CIRCUITS] + [
        _described_plugin(name) for name in lv2.EFFECTS
    ]


def _described_circuit(name: str) -> Described:
    settings = [
        ControlRange(c.name, c.default, c.minimum, c.maximum, c.meaning)
        for c in CIRCUITS[name].controls
    ]
    return Described(name, "circuit", CIRCUITS[name].meaning, True, tuple(settings))


def _described_plugin(name: str) -> Described:
    plugin, is_installed = lv2.EFFECTS[name], lv2.is_installed(name)
    if is_installed:
        settings = [
            ControlRange(key, plugin.defaults.get(key, c.default), c.minimum, c.maximum)
            for key, c in lv2.controls_of(name).items()
        ]
    else:
        settings = [ControlRange(key, value) for key, value in plugin.defaults.items()]
    return Described(name, "lv2", plugin.meaning, is_installed, tuple(settings))


def resolve(spec: str | Mapping[str, Any], folder: Path) -> Effect:
    """The effect that a grid file asks for.

    Args:
        spec: a name, or a table with ``name`` and either controls or the two files
            ``dry`` and ``wet``; ``lv2 = "URI"`` beside a name of one's own picks any
            installed plugin, its controls by symbol.
        folder: where relative paths of recordings start.

    Raises:
        InputError: unknown name or control, a value out of range, a missing file.
    """
    table: dict[str, Any] = {"name": spec} if isinstance(spec, str) else {}
    if isinstance(spec, Mapping):
        table = dict(spec)
    name = table.pop("name", None)
    if not isinstance(name, str) or not name:
        raise InputError(
            "effect",
            expected='a name, or a table such as {name = "sd1", drive = 0.7}',
            found=shown(spec),
            remedy="Name the effect.",
        )
    if "dry" in table or "wet" in table:
        return _recording(name, table, folder)
    uri = table.pop("lv2", None)
    if uri is not None and not isinstance(uri, str):
        raise InputError(
            f"key lv2 of effect {name}",
            expected="the URI of an installed plugin",
            found=shown(uri),
            remedy="`lv2ls` lists what is installed.",
        )
    controls = _numbers(name, table)
    if uri is not None:
        lv2.check(lv2.URI_PREFIX + uri, controls)
        return Effect(name, "lv2", lv2.URI_PREFIX + uri, controls, lv2.VERSION)
    if name in CIRCUITS:
        circuit = CIRCUITS[name]
        return Effect(name, "circuit", name, circuit.settings(**controls), circuit.version)
    if name in lv2.EFFECTS or name.startswith(lv2.URI_PREFIX):
        lv2.check(name, controls)
        return Effect(name, "lv2", name, controls, lv2.VERSION)
    raise InputError(
        f"effect {name!r}",
        expected="one of " + ", ".join(names()) + ", or a table with dry and wet files",
        found="no such effect",
        remedy=suggestion(name, names(), "Pick one of these."),
    )


def at_setting(effect: Effect, setting: Mapping[str, float]) -> Effect:
    """The same effect with some of its controls set anew.

    Raises:
        InputError: it has no such control, or the value is out of its range.
    """
    if effect.kind == "recording":
        raise InputError(
            f"recording {effect.name!r}",
            expected="an effect whose controls can be set",
            found="a recording, made at one setting",
            remedy="Name a circuit or a plugin.",
        )
    controls = {**effect.controls, **setting}
    if effect.kind == "circuit":
        controls = CIRCUITS[effect.device].settings(**controls)
    elif effect.kind == "lv2":
        lv2.check(effect.device, controls)
    return replace(effect, controls=controls)


def own_controls(effect: Effect) -> Mapping[str, float]:
    """The controls that an effect is played with, a plugin's usual ones too."""
    if effect.kind != "lv2":
        return effect.controls
    return {**lv2.effect_named(effect.device).defaults, **effect.controls}


def _numbers(name: str, table: Mapping[str, Any]) -> dict[str, float]:
    for key, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(
                f"control {key} of effect {name}",
                expected="a number",
                found=shown(value),
                remedy="Controls are numbers; file names go under dry and wet.",
            )
    return {key: float(value) for key, value in table.items()}


def _recording(name: str, table: dict[str, Any], folder: Path) -> Effect:
    dry, wet = table.pop("dry", None), table.pop("wet", None)
    if not (isinstance(dry, str) and isinstance(wet, str)) or table:
        raise InputError(
            f"recording {name!r}",
            expected="the two keys dry and wet, each a file name, beside the name",
            found=", ".join(sorted({"dry": dry, "wet": wet} | table)) or "neither",
            remedy="A recording has no controls: its settings are what was recorded.",
        )
    paths = [folder / dry, folder / wet]
    digest = hashlib.sha256()
    for path in paths:
        content = audio.read(path)
        digest.update(f"{content.sample_rate_hz}:{len(content.samples)}:".encode())
        digest.update(content.samples.tobytes())
    return Effect(
        name,
        "recording",
        dry_file=str(paths[0]),
        wet_file=str(paths[1]),
        content=digest.hexdigest(),
    )
