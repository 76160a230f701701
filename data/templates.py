"""How every text that is filled from a template is: by Jinja, and whole or not at all."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def environment(folder: Path, *, is_html: bool) -> Environment:
    """Templates of a folder.

    Args:
        folder: where they lie.
        is_html: whether what is filled in is quoted for a page; else it goes in as it is.

    Returns:
        An environment in which a name that nobody gave is an error.
    """
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not is_html,
    )
