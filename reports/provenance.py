"""How a grid was run: settings, machine, versions and the commands that repeat it."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from reports.numbers import significant
from reports.results import Results
from study.grid import RunConfig

PACKAGES = (
    "keras",
    "jax",
    "tensorflow",
    "numpy",
    "scipy",
    "numba",
    "soundfile",
    "soxr",
    "librosa",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "matplotlib",
    "seaborn",
    "Jinja2",
    "pydantic",
    "typer",
)


@dataclass(frozen=True)
class Provenance:
    """What somebody needs to do it again.

    Attributes:
        settings: name and value of what all runs share or range over.
        effects: name and description of every effect.
        machine: name and value.
        packages: name and version.
        commands: in order, for a shell.
    """

    settings: tuple[tuple[str, str], ...]
    effects: tuple[tuple[str, str], ...]
    machine: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]


def provenance(results: Results) -> Provenance:
    """Describe how the results came about; machine and versions are those of this report."""
    configs = list(results.configs.values())
    return Provenance(
        settings=tuple(_settings(configs)),
        effects=tuple(_effects(results)),
        machine=tuple(_machine()),
        packages=tuple((name, _version(name)) for name in PACKAGES),
        commands=_commands(results),
    )


def _settings(configs: list[RunConfig]) -> list[tuple[str, str]]:
    """Every setting with its values in the order of their first use."""
    values: dict[str, dict[str, None]] = {}
    for config in configs:
        settings = config.model_dump(mode="json", exclude={"effect", "signal"})
        signal = {f"signal.{k}": v for k, v in config.signal.model_dump(mode="json").items()}
        for name, value in {**settings, **signal}.items():
            values.setdefault(name, {})[_text(value)] = None
    return [(name, ", ".join(seen)) for name, seen in values.items()]


def _text(value: object) -> str:
    if isinstance(value, list):
        return " + ".join(map(str, value)) or "none"
    return significant(value) if isinstance(value, float) else str(value)


def _effects(results: Results) -> list[tuple[str, str]]:
    described: dict[str, str] = {}
    names = {row["run_id"]: row["effect"] for row in results.rows}
    for run_id, config in results.configs.items():
        effect = config.made_by
        controls = ", ".join(f"{name} {value:g}" for name, value in effect.controls.items())
        content = f"samples {effect.content[:12]}" if effect.content else ""
        parts = [effect.kind, effect.device, controls, content]
        described[names[run_id]] = "; ".join(part for part in parts if part)
    return list(described.items())


def _machine() -> list[tuple[str, str]]:
    commit = _commit()
    return [
        ("Python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("cores", str(os.cpu_count() or "unknown")),
        *([("commit", commit)] if commit else []),
    ]


def _commit() -> str:
    """The commit of the code, marked if files differ from it; empty outside a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commands(results: Results) -> tuple[str, ...]:
    name = shlex.quote(results.store.root.name)
    is_recorded = any(c.effect["kind"] == "recording" for c in results.configs.values())
    files = " DRY=dry.wav WET=wet.wav" if is_recorded else ""
    return f"make grid GRID={name}{files}", f"make report GRID={name}"
