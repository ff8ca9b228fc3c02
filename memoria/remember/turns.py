"""Turns from whatever a caller has, checked before anything is written.

What enters: `Turn`s, LangChain messages, dicts or strings. What leaves: `Turn`s that the ledger can take, or an
`InvalidInput` that names the turn and the next step. Nothing is guessed: a naive time is refused, not assumed UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from memoria.errors import InvalidInput
from memoria.records import ROLES, Role, Turn

_KEYS = ("speaker", "role", "text", "time", "session", "id", "metadata")
_ALIASES = {"content": "text", "name": "speaker"}
_MESSAGE_ROLES: dict[str, Role] = {
    "human": "user",
    "HumanMessageChunk": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "tool": "tool",
    "function": "tool",
    "system": "system",
}
_MESSAGE_TIMES = ("time", "timestamp", "created_at")
_LONGEST_NAME = 200
_LARGEST_METADATA = 64_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def to_turns(given: Any, *, max_chars: int = 100_000) -> list[Turn]:
    """One or many turns, messages, dicts or strings as checked `Turn`s, in order.

    Assistant messages that only call tools say nothing and are left out. Raises `InvalidInput`.
    """
    many: Any = [given] if _is_one(given) else given
    if not isinstance(many, Iterable):
        raise InvalidInput(f"{type(given).__name__} is no turn; give Turns, LangChain messages, dicts or strings.")
    turns: list[Turn] = []
    for number, each in enumerate(cast(Iterable[Any], many), 1):
        try:
            turn = _to_turn(each)
            if turn is not None:
                turns.append(_checked(turn, max_chars))
        except InvalidInput as error:
            raise InvalidInput(f"turn {number}: {error}") from error
    return turns


def check_name(kind: str, value: Any) -> str:
    """`value` if it can name a user, session and the like; else `InvalidInput` naming `kind`."""
    if not isinstance(value, str):
        raise InvalidInput(f"{kind} is {type(value).__name__}, not a string; give its name.")
    if not value.strip():
        raise InvalidInput(f"{kind} is empty; give its name.")
    if len(value) > _LONGEST_NAME:
        raise InvalidInput(f"{kind} has {len(value)} characters, at most {_LONGEST_NAME} are taken; shorten it.")
    if _CONTROL.search(value) or _SURROGATE.search(value):
        raise InvalidInput(f"{kind} {value!r} holds control characters or lone surrogates; remove them.")
    return value


def check_text(kind: str, value: Any, max_chars: int) -> str:
    """`value` if it is text that can be kept and searched; else `InvalidInput` naming `kind`."""
    if not isinstance(value, str):
        raise InvalidInput(f"{kind} is {type(value).__name__}, not a string; give its text.")
    if not value.strip():
        raise InvalidInput(f"{kind} is empty; leave it out or give its text.")
    if len(value) > max_chars:
        raise InvalidInput(
            f"{kind} has {len(value):,} characters, at most {max_chars:,} are taken; split it into turns."
        )
    if "\x00" in value:
        raise InvalidInput(f"{kind} holds a NUL byte; it is binary data, or remove it.")
    if _SURROGATE.search(value):
        raise InvalidInput(f"{kind} holds a lone surrogate; decode it properly, or pass errors='replace'.")
    return value


def parse_time(value: Any) -> datetime | None:
    """An aware datetime from one, or from ISO 8601 with an offset (or Z); None stays None. Raises `InvalidInput`."""
    if value is None:
        return None
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise InvalidInput(f"time {value!r} is not ISO 8601; write it like 2025-03-14T09:30:00+00:00.") from error
    if not isinstance(moment, datetime):
        raise InvalidInput(f"time is {type(value).__name__}; give a datetime or ISO 8601 text.")
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InvalidInput(f"time {moment.isoformat()} has no time zone; say which, like +00:00 or Z.")
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise InvalidInput(f"time {moment.isoformat()} is outside the years 1 to 9999 in UTC; correct it.") from error


def _is_one(given: Any) -> bool:
    return isinstance(given, Turn | str | Mapping) or _is_message(given)


def _is_message(given: Any) -> bool:
    # By its shape: importing langchain_core's messages would cost every start what few callers need.
    return hasattr(given, "content") and getattr(given, "type", None) in _MESSAGE_ROLES


def _to_turn(given: Any) -> Turn | None:
    if isinstance(given, Turn):
        return given
    if isinstance(given, str):
        return Turn(text=given)
    if isinstance(given, Mapping):
        return _from_dict(cast(Mapping[str, Any], given))
    if _is_message(given):
        return _from_message(given)
    raise InvalidInput(f"{type(given).__name__} is no turn; give Turns, LangChain messages, dicts or strings.")


def _from_dict(given: Mapping[str, Any]) -> Turn:
    values: dict[str, Any] = {}
    for key, value in given.items():
        name = _ALIASES.get(key, key)
        if name not in _KEYS:
            raise InvalidInput(f"unknown key {key!r}; the keys are {', '.join(_KEYS)}; put others into metadata.")
        if name in values:
            raise InvalidInput(f"{key!r} and its other name are both given; keep one.")
        values[name] = value
    if "text" not in values:
        raise InvalidInput("it has no text; give one under 'text'.")
    return Turn.model_construct(
        text=values["text"],
        role=values.get("role") or "user",
        speaker=values.get("speaker"),
        time=parse_time(values.get("time")),
        session=values.get("session"),
        id=values.get("id"),
        metadata=values.get("metadata") or {},
    )


def _from_message(message: Any) -> Turn | None:
    text, attachments = _content_of(message.content)
    if not text.strip() and (getattr(message, "tool_calls", None) or attachments):
        return None
    extra: dict[str, Any] = {**(message.response_metadata or {}), **(message.additional_kwargs or {})}
    time = next((extra[name] for name in _MESSAGE_TIMES if extra.get(name)), None)
    if isinstance(time, int | float):
        time = datetime.fromtimestamp(time, UTC)
    metadata = dict(extra.get("metadata") or {})
    if attachments:
        metadata["attachments"] = attachments
    return Turn.model_construct(
        text=text,
        role=_MESSAGE_ROLES[message.type],
        speaker=message.name,
        time=parse_time(time),
        session=None,
        id=message.id,
        metadata=metadata,
    )


def _content_of(content: Any) -> tuple[str, list[str]]:
    """A message's text, and the kinds of what is no text."""
    if isinstance(content, str):
        return content, []
    texts: list[str] = []
    others: list[str] = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif block.get("type") == "text":
            texts.append(block.get("text", ""))
        elif block.get("type") not in ("tool_use", "tool_call", "reasoning", "thinking"):
            others.append(str(block.get("type")))
    return "\n".join(texts), others


def _checked(turn: Turn, max_chars: int) -> Turn:
    check_text("the text", turn.text, max_chars)
    if turn.role not in ROLES:
        raise InvalidInput(f"role {turn.role!r} is none of {', '.join(ROLES)}; give one of these.")
    for kind in ("speaker", "session", "id"):
        value = getattr(turn, kind)
        if value is not None:
            check_name(kind, value)
    _check_metadata(turn.metadata)
    time = parse_time(turn.time)
    return turn if time == turn.time else turn.model_copy(update={"time": time})


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict):
        raise InvalidInput(f"metadata is {type(metadata).__name__}; give a dict.")
    try:
        packed = json.dumps(metadata, allow_nan=False, ensure_ascii=False)
        same = json.loads(packed) == metadata
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"metadata is no JSON ({error}); give strings, numbers, lists and dicts.") from error
    if not same:
        raise InvalidInput(
            "metadata would come back changed (keys that are no strings, or tuples); use strings and lists."
        )
    if len(packed) > _LARGEST_METADATA:
        raise InvalidInput(
            f"metadata has {len(packed):,} characters, at most {_LARGEST_METADATA:,} are taken; trim it."
        )
    if _SURROGATE.search(packed):
        raise InvalidInput("metadata holds a lone surrogate; decode it properly.")
