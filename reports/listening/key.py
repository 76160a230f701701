"""What the tokens of a listening page stand for. Never inside the page's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from data import files
from data.errors import InputError
from reports.listening import anchors
from study.store.folders import Store

REFERENCE = "reference"
LOW_ANCHOR = f"anchor_{anchors.LOW_HZ}hz"
MID_ANCHOR = f"anchor_{anchors.MID_HZ}hz"
ANCHORS = {LOW_ANCHOR: anchors.LOW_HZ, MID_ANCHOR: anchors.MID_HZ}
LABELS = {
    REFERENCE: "Hidden reference",
    LOW_ANCHOR: "Anchor, 3.5 kHz",
    MID_ANCHOR: "Anchor, 7 kHz",
}

Token = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeyItem(_Plain):
    """An item; two builds share it if they cut it at the same samples."""

    name: str
    seconds: float
    cut: str


class Stimulus(_Plain):
    """A sound of the MUSHRA test; ``gain_db`` made it as loud as the reference."""

    item: Token
    condition: str
    gain_db: float


class Key(_Plain):
    """One build of the page.

    Attributes:
        version: of this format.
        build: names it, in the page and in answers.
        made_from: fingerprint of the sounds and settings; the same build is used again
            while it stays.
        effect, sample_rate_hz: of all sounds.
        trials: of an ABX session.
        labels: condition (``reference``, an anchor or a run id) to what people call it.
        items: by token.
        open_references: file token by item: the reference that is shown as such.
        stimuli: what is rated, by file token.
        sides: ABX: what can be A or B, token to condition.
        abx: ABX: file token by item and side token.
        notes: what was left out and why.
    """

    version: Literal[1] = 1
    build: Token
    made_from: str
    effect: str
    sample_rate_hz: int
    trials: int
    labels: dict[str, str]
    items: dict[Token, KeyItem]
    open_references: dict[Token, Token]
    stimuli: dict[Token, Stimulus]
    sides: dict[Token, str]
    abx: dict[Token, dict[Token, Token]]
    notes: tuple[str, ...] = ()

    @property
    def file_tokens(self) -> set[str]:
        """Every sound of the build."""
        by_side = (token for files_of in self.abx.values() for token in files_of.values())
        return {*self.open_references.values(), *self.stimuli, *by_side}

    def stimuli_of(self, item: str) -> set[str]:
        """What is rated in an item."""
        return {token for token, own in self.stimuli.items() if own.item == item}


def key_file(store: Store) -> Path:
    """Where the key of the current build lies: beside the page's folder, not in it."""
    return store.root / "listening-key.json"


def write(store: Store, key: Key) -> None:
    """Write the key of the current build, readable by its owner alone."""
    text = key.model_dump_json(indent=2) + "\n"

    def private(path: Path) -> None:
        path.chmod(0o600)  # before anything is in it
        path.write_text(text, encoding="utf-8")

    files.write_whole(key_file(store), private)


def read(store: Store) -> Key | None:
    """The key of the current build; None if there is none that can be read."""
    try:
        return Key.model_validate_json(key_file(store).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def require(store: Store) -> Key:
    """The key of the current build.

    Raises:
        InputError: no page was built.
    """
    key = read(store)
    if key is None:
        raise InputError(
            f"study {store.root}",
            expected="a listening page",
            found="none",
            remedy=f"Run `make listen GRID={store.source()}` first.",
        )
    return key
