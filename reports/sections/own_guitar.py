"""The candidates as the page itself computes them, from ``browser.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from data.errors import InputError
from reports.sections import plain
from reports.sources.results import Results
from study.store import received

NOT_COMPILED = "The candidates of this grid were not compiled for the browser yet: run make report."


@dataclass(frozen=True)
class OwnGuitar:
    """What plays in the page.

    Attributes:
        names: of the models, by effect.
        problem: why there are none, or fewer than there could be.
        script: a file of JavaScript that holds them.
    """

    names: tuple[tuple[str, tuple[str, ...]], ...]
    problem: str
    script: str


def own_guitar(results: Results) -> OwnGuitar:
    """The models of the page; of no use without a script, so the page has them as one."""
    models: list[dict[str, Any]] = []
    try:
        stored = received.browser(results.store.root / "browser.json")
        problem = str(stored["problem"])
        models = [
            _shown(results, own) for own in stored["models"] if own["run_id"] in results.model_of
        ]
    except FileNotFoundError:
        problem = NOT_COMPILED
    except InputError as error:
        problem = str(error)
    effects = dict.fromkeys(own["effect"] for own in models)
    names = tuple(
        (effect, tuple(own["name"] for own in models if own["effect"] == effect))
        for effect in effects
    )
    # No markup may end a script, whatever an effect is called.
    text = json.dumps(models, sort_keys=True).replace("<", "\\u003c")
    return OwnGuitar(names, problem, f'"use strict";\nPedalframe.models = {text};\n')


def _shown(results: Results, own: dict[str, Any]) -> dict[str, Any]:
    config = results.configs[own["run_id"]]
    return {
        "effect": own["effect"],
        "name": plain.candidate(config, own["rendering"]),
        "rate_hz": own["sample_rate_hz"],
        "wasm": own["wasm"],
        "dry": own["dry"],
        "wet": own["wet"],
        "tolerance": own["tolerance"],
    }
