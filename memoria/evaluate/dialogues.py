"""The scripted dialogues of the evolving-memory suite.

What enters: the JSON files in `suites/beliefs/`: a folder a style, in it a folder a split, in it a file a task. What
leaves: `Dialogue`s. In "plain" ones people tell things outright, in several phrasings; in "oblique" ones they let them
drop in passing, as people also do. The `test` half was written apart and is not looked at while rules are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from memoria.errors import InvalidInput
from memoria.records import Role, Turn

FOLDER = Path(__file__).parent / "suites" / "beliefs"
TASKS = ("exact", "aggregate", "update", "contradiction", "deletion", "cascade", "absence")
SPLITS = ("dev", "test")
STYLES = ("plain", "oblique")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Session(_Part):
    """One talk: its day, and (role, text) of each turn; several texts are phrasings of one turn."""

    date: date
    turns: tuple[tuple[Role, str | tuple[str, ...]], ...]

    def moment(self, number: int) -> datetime:
        """When turn `number` was said: from nine in the morning, a minute apart."""
        return datetime.combine(self.date, time(9, tzinfo=UTC)) + timedelta(minutes=number)


class Forgetting(_Part):
    """`Memory.forget(query=...)` after a session (counted from 0)."""

    after_session: int
    query: str


class Check(_Part):
    """What must be believed in the end, asked by `question`.

    Each of `current` is in a belief that holds, none of `gone` is; each of `confirm` is in one that needs confirmation;
    `absent`: nothing that holds answers. `at` asks of that day. `evidence` are the turns (session, turn) that say so.
    """

    question: str
    current: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ()
    absent: bool = False
    at: date | None = None
    evidence: tuple[tuple[int, int], ...] = ()


class Dialogue(_Part):
    """One person's talks with an assistant, and what they should leave behind."""

    id: str
    task: Literal["exact", "aggregate", "update", "contradiction", "deletion", "cascade", "absence"]
    sessions: tuple[Session, ...]
    forget: tuple[Forgetting, ...] = ()
    checks: tuple[Check, ...]

    @property
    def phrasings(self) -> int:
        """How many ways the dialogue can be told: the most phrasings that a turn of it has."""
        return max(len(said) for session in self.sessions for _, text in session.turns for said in [_phrasings(text)])

    def turns(self, number: int, phrasing: int = 0) -> list[Turn]:
        """The turns of session `number`, told the `phrasing`-th way."""
        session = self.sessions[number]
        said: list[tuple[Role, tuple[str, ...]]] = [(role, _phrasings(text)) for role, text in session.turns]
        return [
            Turn(
                text=texts[phrasing % len(texts)],
                role=role,
                time=session.moment(i),
                session=f"s{number}",
                metadata={"at": [number, i]},
            )
            for i, (role, texts) in enumerate(said)
        ]

    def end(self) -> datetime:
        """The morning after the last session."""
        return self.sessions[-1].moment(0) + timedelta(days=1)


def _phrasings(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


def read_dialogues(
    split: str, task: str | None = None, style: str = "plain", folder: Path = FOLDER
) -> Iterator[Dialogue]:
    """The dialogues of a split ("dev", "test") in a style ("plain", "oblique"), in the order of the tasks.

    Raises `InvalidInput` naming the file.
    """
    for kind, given, known in (("split", split, SPLITS), ("style", style, STYLES), ("task", task or TASKS[0], TASKS)):
        if given not in known:
            raise InvalidInput(f"There is no {kind} {given!r}; there are {', '.join(known)}.")
    for name in TASKS if task is None else (task,):
        path = folder / style / split / f"{name}.json"
        try:
            for row in json.loads(path.read_text(encoding="utf-8")):
                yield Dialogue.model_validate(row)
        except (OSError, TypeError, ValueError) as error:  # what JSON and pydantic raise are ValueErrors
            raise InvalidInput(
                f"{path} is no file of dialogues ({error}); see memoria/evaluate/dialogues.py."
            ) from error
