"""Which runs are compared by ear: of one effect, on one test split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.audio import Samples
from data.errors import InputError
from reports.audio.best_run import rendered
from reports.sources.results import Model, Results, Row, best_of_families
from study.config.run import RunConfig

MOST = 5  # with the hidden reference and two anchors 8; BS.1534-3 allows 12


@dataclass(frozen=True)
class Candidate:
    """A run that is listened to.

    Attributes:
        run_id, effect: of the run.
        label: tells it from the others.
        config: what it learned from.
        file: its rendering of the test split.
    """

    run_id: str
    effect: str
    label: str
    config: RunConfig
    file: Path

    def samples(self, expected: int) -> Samples:
        """The rendering, which must be as long as the scored test split.

        Raises:
            InputError: it is missing, unreadable or of another length.
        """
        return rendered(self.file, expected)


def chosen(
    results: Results, run_ids: Sequence[str] = (), effect: str | None = None
) -> list[Candidate]:
    """The runs asked for; by default the best run of each family, and the worst model's.

    The worst is there to see whether people hear what the metrics say at all.

    Args:
        results: of the study.
        run_ids: finished runs of one effect and one test split.
        effect: which, where no run is named; by default the grid's first.

    Raises:
        InputError: an unknown, unfinished, repeated or incomparable run, or too many.
    """
    rows = _asked_for(results, run_ids) if run_ids else _usual(results, effect)
    labels = _labels(results, rows)
    return [
        Candidate(
            run_id=row["run_id"],
            effect=str(row["effect"]),
            label=label,
            config=results.configs[row["run_id"]],
            file=results.folder_of(row).prediction_file(None, row["rendering"]),
        )
        for row, label in zip(rows, labels, strict=True)
    ]


def _usual(results: Results, effect: str | None) -> list[Row]:
    if effect is not None and effect not in results.effects:
        raise InputError(
            f"effect {effect!r}",
            expected="one of " + ", ".join(results.effects),
            found="none of them",
            remedy="Name one of these, or none for the first.",
        )
    models = results.models_of(effect or results.effects[0])
    same = [model for model in models if _split(results, model) == _split(results, models[0])]
    best = best_of_families(same)[:MOST]
    if same[-1] not in best:
        best = [*best[: MOST - 1], same[-1]]
    return [model.best_run for model in best]


def _asked_for(results: Results, run_ids: Sequence[str]) -> list[Row]:
    finished = {row["run_id"]: row for row in results.finals}
    unknown = [run_id for run_id in run_ids if run_id not in finished]
    if unknown or len(set(run_ids)) != len(run_ids) or len(run_ids) > MOST:
        raise InputError(
            "runs to compare",
            expected=f"at most {MOST} different finished runs of this grid",
            found=f"{unknown[0]!r}" if unknown else ", ".join(run_ids),
            remedy="results.csv lists their ids in its first column.",
        )
    rows = [finished[run_id] for run_id in run_ids]
    if len({split_key(results.configs[row["run_id"]]) for row in rows}) > 1:
        raise InputError(
            "runs to compare",
            expected="runs of one effect, direction, sample rate and test split",
            found="several",
            remedy="Nothing but the model may differ between sounds that are compared.",
        )
    return rows


def _split(results: Results, model: Model) -> str:
    return split_key(results.configs[model.best_run["run_id"]])


def split_key(config: RunConfig) -> str:
    """The same for all runs that were scored on the same samples."""
    return config.pair_key + config.signal.model_dump_json()


def _labels(results: Results, rows: Sequence[Row]) -> list[str]:
    """Structure, with training-set size and seed where they are needed to tell runs apart."""
    own = [results.model_of[row["run_id"]] for row in rows]
    attempts = (
        [model.structure for model in own],
        [model.label for model in own],
        [f"{m.label}, seed {row['seed']}" for m, row in zip(own, rows, strict=True)],
    )
    return next((labels for labels in attempts if len(set(labels)) == len(labels)), attempts[-1])
