"""An HTML page as tests look at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

Attributes = dict[str, str]

VOID = {"base", "meta", "link", "img", "source", "input", "br", "wbr"}


@dataclass
class Page(HTMLParser):
    """Tags with their attributes, all text, and the table of runs by row."""

    tags: list[tuple[str, Attributes]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rows: list[tuple[Attributes, list[str]]] = field(default_factory=list)
    open: list[tuple[str, Attributes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append((tag, attributes))
        if tag == "tr" and self._in_runs():
            self.rows.append((attributes, []))
        if tag in ("td", "th") and self._in_runs():
            self.rows[-1][1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1][0] == tag, f"</{tag}> closes <{self.open[-1][0]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._in_runs() and self.open[-1][0] in ("td", "th"):
            self.rows[-1][1][-1] += data

    def _in_runs(self) -> bool:
        return any(attributes.get("id") == "runs" for _, attributes in self.open)

    @property
    def text(self) -> str:
        """All text, white space as one space."""
        return " ".join(" ".join(self.texts).split())

    def links(self) -> list[str]:
        """Everything the page asks a browser to load or offers to follow."""
        names = ("href", "src", "srcset", "poster", "data", "action")
        return [a[name] for _, a in self.tags for name in names if name in a]


def read_page(path: Path) -> Page:
    """Parse a page; unbalanced tags are an error."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    return page
