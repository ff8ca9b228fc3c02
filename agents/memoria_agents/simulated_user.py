"""A scripted person for tests and demos: tells, changes their mind, asks, and knows what the answer should be.

What enters: talks, as records or YAML, and an agent (anything that takes a `Said` and gives its reply). What leaves:
`Played`: each exchange, and which replies were not as expected. The seed chooses among the ways to say a thing; the
same seed says the same.

    - talk: spring
      at: 2025-03-01T09:00:00+00:00
      lines:
        - say: I live in Porto.
        - say: ["Where do I live?", "In which town do I live?"]
          expect: [Porto]
          never: [Lisbon]
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from memoria import InvalidInput
from memoria.records import Record

_PAUSE = timedelta(minutes=1)  # between two lines of a talk


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Line(Record):
    """Something said in one of several ways (`say`). The reply must hold one of `expect` and none of `never`."""

    say: Words = Field(min_length=1)
    expect: Words = ()
    never: Words = ()


class Talk(Record):
    """A session: its name, when it begins (aware; None: now), what is said in it."""

    talk: str
    at: datetime | None = None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Said:
    """What an agent hears: the words, the talk's name, and when it is said (None: now)."""

    text: str
    talk: str
    at: datetime | None


Agent = Callable[[Said], str]


@dataclass(frozen=True)
class Exchange:
    """What was said, what came back, and what is wrong with it (empty: as expected)."""

    said: Said
    reply: str
    judged: bool
    fault: str = ""


@dataclass(frozen=True)
class Played:
    """All exchanges of a script, in order."""

    exchanges: tuple[Exchange, ...]

    @property
    def judged(self) -> int:
        """How many replies something was expected of."""
        return sum(each.judged for each in self.exchanges)

    @property
    def faults(self) -> list[str]:
        """Each reply that was not as expected, in a sentence."""
        return [f"{each.said.talk}: “{each.said.text}”: {each.fault}" for each in self.exchanges if each.fault]

    def render(self) -> str:
        """The talks as they went, and the sum."""
        lines: list[str] = []
        for each in self.exchanges:
            lines += [f"{each.said.talk}> {each.said.text}", each.reply]
            lines += [f"  not as expected: {each.fault}"] if each.fault else []
        return "\n".join([*lines, f"{self.judged - len(self.faults)} of {self.judged} replies were as expected."])


class SimulatedUser:
    """A person who says `talks`, in the ways that `seed` chooses."""

    def __init__(self, talks: Sequence[Talk], *, seed: int = 0) -> None:
        self._talks, self._seed = tuple(talks), seed

    @classmethod
    def load(cls, path: Path, *, seed: int = 0) -> SimulatedUser:
        """The person scripted in the YAML file `path`. Raises `InvalidInput` naming what cannot be taken."""
        try:
            value: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
            return cls(TypeAdapter(tuple[Talk, ...]).validate_python(value), seed=seed)
        except OSError as error:
            raise InvalidInput(f"{path} cannot be read ({error.strerror}); name a file of talks.") from error
        except yaml.YAMLError as error:
            raise InvalidInput(f"{path} is not YAML ({error}); correct it.") from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise InvalidInput(f"{path}: {place}: {first['msg']}; see memoria_agents.simulated_user.") from error

    def play(self, agent: Agent) -> Played:
        """Say everything, in order, and judge the replies."""
        exchanges: list[Exchange] = []
        for talk in self._talks:
            for number, line in enumerate(talk.lines):
                at = talk.at + number * _PAUSE if talk.at is not None else None
                said = Said(self._way(talk, number, line), talk.talk, at)
                reply = agent(said)
                exchanges.append(Exchange(said, reply, bool(line.expect or line.never), _fault(line, reply)))
        return Played(tuple(exchanges))

    def _way(self, talk: Talk, number: int, line: Line) -> str:
        chosen = hashlib.sha256(f"{self._seed}/{talk.talk}/{number}".encode()).digest()
        return line.say[int.from_bytes(chosen[:8]) % len(line.say)]


def _fault(line: Line, reply: str) -> str:
    folded = reply.casefold()
    wrong = [each for each in line.never if each.casefold() in folded]
    if wrong:
        return f"it says {', '.join(map(repr, wrong))}"
    if line.expect and not any(each.casefold() in folded for each in line.expect):
        return f"it says none of {', '.join(map(repr, line.expect))}"
    return ""
