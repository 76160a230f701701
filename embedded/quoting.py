"""Names that others chose, inside generated files: they stay text, whatever they hold."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"[\\`*_\[\]<>#|~!&$]")
_MOST_CHARACTERS = 200


def comment_text(text: str) -> str:
    """A text that stays inside a C comment and on its line."""
    line = _one_line(text).replace("\\", "/")
    line = re.sub(r"\?(?=\?)", "? ", line)  # two question marks begin a trigraph in C99
    return line.replace("*/", "* /").replace("/*", "/ *")[:_MOST_CHARACTERS]


def markdown_text(text: str) -> str:
    """A text that stays plain words on its line of Markdown: no markup, no link, no cell."""
    words = _MARKDOWN.sub(r"\\\g<0>", _one_line(text)[:_MOST_CHARACTERS])
    return words.replace("://", ":\\//").replace("www.", "www\\.")


def _one_line(text: str) -> str:
    """Without line ends and characters that are not seen, which turn the reading direction."""
    return "".join(c if c.isprintable() else " " for c in text)
