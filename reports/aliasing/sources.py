"""Fingerprint of this package's code: a changed drawing is another figure.

The shelf knows of the modules of ``reports`` itself; those of a package tell it here.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def code() -> str:
    """Goes into the inputs of everything that this package keeps on the shelf."""
    digest = hashlib.sha256()
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()


def content(file: Path) -> str:
    """Fingerprint of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
