"""Tables as a grid stores them, of rows that say no more than a test is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from study.store.columns import Columns, typed

_USUAL = {"run_id": "a-run", "rendering": "streaming", "verdict": "yes"}


def filled(rows: Sequence[Mapping[str, Any]], columns: Columns) -> pd.DataFrame:
    """The rows with something plain in every column that they leave out."""
    usual: dict[str, Any] = {
        name: _USUAL.get(name, "" if t == "string" else 1) for name, (t, _) in columns.items()
    }
    return typed([usual | dict(row) for row in rows], columns)
