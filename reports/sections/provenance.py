"""How a grid was run: settings, machine, versions and the commands that repeat it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime

from reports.sources.numbers import significant
from reports.sources.results import Results
from study.config.run import RunConfig


@dataclass(frozen=True)
class Provenance:
    """What somebody needs to do it again.

    Attributes:
        settings: name and value of what all runs share or range over.
        effects: name and description of every effect.
        environment: machine, commit and versions, by name, as the runs recorded them.
        commands: in order, for a shell.
        day, date: of the latest result (UTC), for machines and for people.
        citation: of the report.
    """

    settings: tuple[tuple[str, str], ...]
    effects: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    day: str
    date: str
    citation: str


def provenance(results: Results) -> Provenance:
    """Describe how the results came about."""
    configs = list(results.configs.values())
    environment = _environment(results)
    day = _latest(results)
    date = f"{day.day} {day:%B %Y}"
    commit = dict(environment).get("commit", "")
    return Provenance(
        settings=tuple(_settings(configs)),
        effects=tuple(_effects(results)),
        environment=tuple(environment),
        commands=_commands(results),
        day=day.date().isoformat(),
        date=date,
        citation=(
            f"The Pedalframe authors ({day.year}). {results.title}: report of the grid "
            f"{results.store.root.name}, {date}. Pedalframe"
            + (f", commit {commit}." if commit else ".")
        ),
    )


def _latest(results: Results) -> datetime:
    """When the newest result was written. A report that is built anew keeps its date."""
    files = (results.folder_of(row).result_file for row in results.finals)
    return datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)


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


def _environment(results: Results) -> list[tuple[str, str]]:
    """What the runs recorded of their machine; several values where they differ."""
    values: dict[str, dict[str, None]] = {}
    for run in results.store.runs():
        for name, value in ((run.result() or {}).get("environment") or {}).items():
            values.setdefault(name, {})[value] = None
    return [(name, ", ".join(seen)) for name, seen in values.items()]


def _commands(results: Results) -> tuple[str, ...]:
    store = results.store
    return store.grid_command(), f"make report GRID={shlex.quote(store.source())}"
