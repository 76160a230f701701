"""A run by its id or the beginning of it, since few type a whole one. Needs no Keras."""

from __future__ import annotations

from collections.abc import Sequence

from data.errors import InputError, nearest


def known(name: str, run_ids: Sequence[str], expected: str) -> str:
    """The one run of this id, or that begins with it.

    Args:
        name: an id, or a beginning that no other run has.
        run_ids: to find it among.
        expected: what the message says that a name should be.

    Raises:
        InputError: no run or several runs are called so.
    """
    begun = [run_id for run_id in run_ids if run_id.startswith(name)] if name else []
    if name in run_ids or len(begun) == 1:
        return name if name in run_ids else begun[0]
    if begun:
        raise InputError(
            f"run {name!r}",
            expected=expected,
            found=f"{len(begun)} runs that begin so: {_some(begun)}",
            remedy="Write more of the id.",
        )
    # Compared with beginnings of the same length.
    starts = {run_id[: len(name)]: run_id for run_id in reversed(run_ids)}
    near = nearest(name, starts) if name else None
    raise InputError(
        f"run {name!r}",
        expected=expected,
        found="no such run",
        remedy=f"Did you mean {starts[near]!r}?" if near else f"The runs: {_some(run_ids)}.",
    )


def _some(run_ids: Sequence[str]) -> str:
    return ", ".join(run_ids[:5]) + (f" and {len(run_ids) - 5} more" if len(run_ids) > 5 else "")
