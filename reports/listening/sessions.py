"""What a listener's browser hands in: the format of a session, and its checks."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from data.errors import InputError
from reports.listening.blinding import Side, hidden_sides
from reports.listening.key import Key, Token

LARGEST_BYTES = 262_144
MOST_TRIALS = 200
LONGEST_NAME = 40


def _printable(name: str) -> str:
    # Control and direction-changing characters could make a name pass for other text.
    if any(unicodedata.category(character).startswith("C") for character in name):
        raise ValueError("holds a control character")
    return name


def _not_zero(seed: str) -> str:
    if int(seed, 16) == 0:
        raise ValueError("is zero, from which the generator draws nothing but zeros")
    return seed


Seed = Annotated[Token, AfterValidator(_not_zero)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=LONGEST_NAME),
    AfterValidator(_printable),
]
Score = Annotated[int, Field(ge=0, le=100, strict=True)]


class _Session(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    build: Token
    session: Token
    seed: Seed
    participant: Name
    started: AwareDatetime


class AbxSession(_Session):
    """Answers to "is X A or B?", in order.

    Attributes:
        a, b: the two sides, as tokens.
        trials: fixed before the first one.
        answers: so far.
    """

    test: Literal["abx"]
    a: Token
    b: Token
    trials: Annotated[int, Field(ge=1, le=MOST_TRIALS, strict=True)]
    answers: Annotated[tuple[Side, ...], Field(max_length=MOST_TRIALS)]

    @property
    def is_finished(self) -> bool:
        """Whether every trial is answered."""
        return len(self.answers) == self.trials

    @property
    def correct(self) -> int:
        """How many answers are right."""
        truth = hidden_sides(self.seed, self.trials)
        return sum(a == x for a, x in zip(self.answers, truth, strict=False))


class Rating(BaseModel):
    """The scores of one item by stimulus, 0 to 100."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: Token
    scores: Annotated[dict[Token, Score], Field(max_length=16)]


class MushraSession(_Session):
    """Ratings by item, in the order of listening."""

    test: Literal["mushra"]
    items: Annotated[int, Field(ge=1, le=64, strict=True)]
    ratings: Annotated[tuple[Rating, ...], Field(max_length=64)]

    @property
    def is_finished(self) -> bool:
        """Whether every item is rated."""
        return len(self.ratings) == self.items


Session = Annotated[AbxSession | MushraSession, Field(discriminator="test")]
_ADAPTER: TypeAdapter[AbxSession | MushraSession] = TypeAdapter(Session)


def parse(document: bytes, subject: str) -> AbxSession | MushraSession:
    """Read a session from JSON.

    Raises:
        InputError: it is too large, no JSON, or not a session.
    """
    if len(document) > LARGEST_BYTES:
        raise _refused(subject, f"at most {LARGEST_BYTES:,} bytes", f"{len(document):,}")
    try:
        return _ADAPTER.validate_json(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = _shown(".".join(map(str, first["loc"])), 80)
        found = _shown(first["msg"], 200)
        found = f"{where}: {found}" if where else found
        raise _refused(subject, "answers of a listening page", found) from None


def require_fitting(session: AbxSession | MushraSession, key: Key, subject: str) -> None:
    """Check a session against the build that it says it is of.

    Raises:
        InputError: a token that the build does not have, or too many answers.
    """
    if session.build != key.build:
        raise _refused(subject, f"answers to build {key.build}", f"to {session.build}")
    if isinstance(session, AbxSession):
        _require_fitting_abx(session, key, subject)
    else:
        _require_fitting_mushra(session, key, subject)


def _require_fitting_abx(session: AbxSession, key: Key, subject: str) -> None:
    if session.a == session.b or not {session.a, session.b} <= set(key.sides):
        raise _refused(subject, "two different sounds of the build", "others")
    if session.trials != key.trials or len(session.answers) > session.trials:
        found = f"{len(session.answers)} answers to {session.trials} trials"
        raise _refused(subject, f"{key.trials} trials, as the build fixed", found)


def _require_fitting_mushra(session: MushraSession, key: Key, subject: str) -> None:
    rated = [rating.item for rating in session.ratings]
    if session.items != len(key.items) or len(set(rated)) != len(rated):
        found = f"{len(rated)} ratings of {session.items}"
        raise _refused(subject, f"each of {len(key.items)} items once", found)
    for rating in session.ratings:
        if set(rating.scores) != key.stimuli_of(rating.item) or not rating.scores:
            raise _refused(subject, "a score for every sound of an item", "others")


def _shown(text: str, most: int) -> str:
    """The beginning of what a document says, with nothing that a terminal would obey."""
    short = text if len(text) <= most else f"{text[:most]}..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short)


def _refused(subject: str, expected: str, found: str) -> InputError:
    return InputError(
        subject,
        expected=expected,
        found=found,
        remedy="Hand in the file that the listening page saved, unchanged.",
    )
