"""Data sets: one conversation a line, with questions and the turns that answer them.

What enters: a (gzipped) file of JSON lines. What leaves: `Case`s, with labels kept apart from what may be remembered.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from memoria.errors import InvalidInput
from memoria.records import ROLES, Role, Turn

_CHINESE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日\D*?(?:(\d{1,2}):(\d{2}))?$")
_FORMATS = ("%Y-%m", "%B-%d-%Y", "%Y/%m/%d")
_BY_SPEAKER: dict[str, Role] = {role: role for role in ROLES}


@dataclass(frozen=True)
class Question:
    """A question, when it is asked (None: after everything), and the ids of the items and sessions that answer it; or
    its `options`, with which of them is right (`gold`)."""

    text: str
    category: str
    evidence: frozenset[str]
    evidence_sessions: frozenset[str]
    asked: datetime | None
    answerable: bool
    options: tuple[str, ...] = ()
    gold: int | None = None


@dataclass(frozen=True)
class Item:
    """One turn to remember, under the data set's own id."""

    id: str
    turn: Turn


@dataclass(frozen=True)
class Case:
    """One conversation (or phone, or haystack) with its questions."""

    name: str
    items: tuple[Item, ...]
    questions: tuple[Question, ...]


def read_cases(path: Path, limit: int | None = None) -> Iterator[Case]:
    """The first `limit` cases of a file. Raises `InvalidInput` naming the file and line of a fault."""
    if not path.is_file():
        raise InvalidInput(f"{path} does not exist; name a data set (.jsonl or .jsonl.gz).")
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(islice(_text_lines(lines, path), limit), 1):
            yield _read_case(line, f"{path}:{number}")


def _text_lines(lines: Iterable[str], path: Path) -> Iterator[str]:
    try:
        yield from (line for line in lines if line.strip())
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read as UTF-8 text ({error}); fetch it again.") from error


def _read_case(line: str, place: str) -> Case:
    try:
        return _case(json.loads(line))
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{place}: not JSON ({error.msg}); each line holds one conversation.") from error
    except KeyError as error:
        raise InvalidInput(f"{place}: {error} is missing; each line has episode_id, items and questions.") from error
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise InvalidInput(f"{place}: a value has the wrong type ({error}); correct the line.") from error


def _asked(value: str | None) -> datetime | None:
    """When a question is asked; one dated by its month alone is asked at the month's end."""
    moment = parse_moment(value)
    if moment is None or not re.fullmatch(r"\d{4}-\d{2}", str(value).strip()):
        return moment
    return moment.replace(year=moment.year + moment.month // 12, month=moment.month % 12 + 1)


def parse_moment(value: str | None) -> datetime | None:
    """A data set's time in any of the spellings met, naive ones as UTC. Raises `InvalidInput`."""
    if not value:
        return None
    text = value.strip()
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    for pattern in _FORMATS:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    match = _CHINESE.match(text)
    if match is None:
        raise InvalidInput(f"time {value!r} is in no known spelling; write ISO 8601.")
    return datetime(*(int(part or 0) for part in match.groups()), tzinfo=UTC)  # pyright: ignore[reportArgumentType]


def _case(row: Mapping[str, Any]) -> Case:
    items = tuple(_item(item) for item in row["items"] if item["text"].strip())  # nothing said, nothing to remember
    return Case(str(row["episode_id"]), items, tuple(_question(question) for question in row["questions"]))


def _item(row: Mapping[str, Any]) -> Item:
    caption = row.get("image_caption")
    role = _BY_SPEAKER.get(row["speaker"].casefold(), "user")  # other names are the person's
    turn = Turn(
        text=row["text"].removeprefix(f"{row['speaker'].capitalize()}: ") + (f" [image: {caption}]" if caption else ""),
        role=role,
        speaker=row["speaker"],
        time=parse_moment(row.get("time")),
        session=str(row["session"]),
        id=str(row["id"]),
        metadata={"item": str(row["id"])},
    )
    return Item(str(row["id"]), turn)


def _question(row: Mapping[str, Any]) -> Question:
    evidence = frozenset(str(each) for each in row["evidence"])
    options: Mapping[str, str] = row.get("options") or {}
    return Question(
        text=row["question"],
        category=str(row["category"]),
        evidence=evidence,
        evidence_sessions=frozenset(str(each) for each in row.get("evidence_sessions") or ()),
        asked=_asked(row.get("ask_time")),
        answerable=bool(evidence) and not row.get("abstain") and row["category"] != "adversarial",
        options=tuple(options.values()),
        gold=list(options).index(row["gold_option"]) if row.get("gold_option") in options else None,
    )
