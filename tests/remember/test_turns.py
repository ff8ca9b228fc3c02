"""What can be remembered, and the clear error for what cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from conftest import OpenMemory
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from memoria import InvalidInput, Memory, Turn
from memoria.errors import UnknownUser
from memoria.remember.turns import check_name, to_turns

NAIVE = datetime(2025, 1, 1)
BAD = {
    "empty text": ({"text": ""}, "empty"),
    "blank text": ({"text": " \n\t"}, "empty"),
    "one megabyte": ({"text": "x" * 1_000_000}, "split it into turns"),
    "NUL": ({"text": "a\x00b"}, "NUL"),
    "lone surrogate": ({"text": "a\ud800b"}, "lone surrogate"),
    "naive time": ({"text": "x", "time": NAIVE}, "no time zone"),
    "naive ISO time": ({"text": "x", "time": "2025-01-01T10:00:00"}, "no time zone"),
    "year 0": ({"text": "x", "time": "0000-01-01T00:00:00Z"}, "ISO 8601"),
    "before year 1 in UTC": (
        {"text": "x", "time": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))},
        "years 1 to 9999",
    ),
    "after year 9999 in UTC": (
        {"text": "x", "time": datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))},
        "years 1 to 9999",
    ),
    "no time at all": ({"text": "x", "time": "yesterday"}, "ISO 8601"),
    "time of another type": ({"text": "x", "time": 17}, "datetime"),
    "unknown key": ({"text": "x", "mood": "good"}, "'mood'"),
    "text twice": ({"text": "x", "content": "y"}, "keep one"),
    "no text": ({"role": "user"}, "no text"),
    "text of another type": ({"text": 5}, "not a string"),
    "unknown role": ({"text": "x", "role": "king"}, "'king'"),
    "empty speaker": ({"text": "x", "speaker": " "}, "speaker"),
    "long session": ({"text": "x", "session": "s" * 201}, "shorten"),
    "control characters": ({"text": "x", "id": "a\nb"}, "control"),
    "metadata of another type": ({"text": "x", "metadata": ["a"]}, "dict"),
    "metadata that is no JSON": ({"text": "x", "metadata": {"a": object()}}, "JSON"),
    "metadata NaN": ({"text": "x", "metadata": {"a": float("nan")}}, "JSON"),
    "metadata with number keys": ({"text": "x", "metadata": {1: "a"}}, "come back changed"),
    "large metadata": ({"text": "x", "metadata": {"a": "x" * 70_000}}, "trim"),
    "surrogate in metadata": ({"text": "x", "metadata": {"a": "\udfff"}}, "surrogate"),
    "no turn": (object(), "no turn"),
    "bytes": (b"hello", "no turn"),
}


@pytest.mark.parametrize(("given", "said"), BAD.values(), ids=BAD.keys())
def test_bad_turns_name_themselves_and_write_nothing(open_memory: OpenMemory, given: object, said: str) -> None:
    memory = open_memory()
    with pytest.raises(InvalidInput, match=rf"turn 2: .*{said}"):
        memory.remember(["a good turn", given], user="ana")
    assert memory.status()["episodes"] == 0


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00", "a\nb", "\ud800", None, 7])
def test_bad_names_are_refused(memory: Memory, name: object) -> None:
    for arguments in ({"user": name}, {"user": "ana", "tenant": name}):
        with pytest.raises(InvalidInput, match=r"user|tenant"):
            memory.remember("hello", **arguments)  # type: ignore[arg-type]
    if name is not None:
        for kind in ("session", "idempotency_key"):
            with pytest.raises(InvalidInput, match=kind):
                memory.remember("hello", user="ana", **{kind: name})  # type: ignore[arg-type]
    assert memory.status()["episodes"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"query": ""}, "empty"),
        ({"query": "x" * 200_000}, "split"),
        ({"query": "a\x00"}, "NUL"),
        ({"query": "\ud800"}, "surrogate"),
        ({"k": 0}, "at least 1"),
        ({"budget": -5}, "at least 1"),
        ({"now": NAIVE}, "time zone"),
        ({"as_of": NAIVE}, "time zone"),
        ({"session": "nowhere"}, "no session"),
    ],
)
def test_bad_questions_are_refused(memory: Memory, arguments: dict, said: str) -> None:
    memory.remember("hello", user="ana")
    with pytest.raises(InvalidInput, match=said):
        memory.recall(**({"query": "hello", "user": "ana"} | arguments))


def test_an_unknown_user_is_named_and_nobody_else(memory: Memory) -> None:
    memory.remember("hello", user="anna-maria")
    with pytest.raises(UnknownUser) as caught:
        memory.recall("hello", user="ana")
    assert "'ana'" in str(caught.value)
    assert "anna" not in str(caught.value)


def test_every_shape_becomes_the_same_turn() -> None:
    time = datetime(2025, 5, 1, 10, tzinfo=UTC)
    wanted = Turn(text="hi", speaker="Ana", time=time, id="m1")
    message = HumanMessage("hi", name="Ana", id="m1", additional_kwargs={"time": "2025-05-01T12:00:00+02:00"})
    as_dict = {"content": "hi", "name": "Ana", "time": "2025-05-01T10:00:00Z", "id": "m1"}
    assert to_turns([wanted, message, as_dict]) == [wanted, wanted, wanted]
    assert to_turns("hi") == [Turn(text="hi")]
    assert to_turns(as_dict) == to_turns([as_dict])
    assert to_turns([]) == []


def test_messages_of_every_role() -> None:
    call = {"name": "f", "args": {}, "id": "1"}
    given = [
        SystemMessage("rules"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("result", tool_call_id="1"),
        AIMessage([{"type": "text", "text": "look"}, {"type": "image_url", "image_url": "x"}]),
        HumanMessage([{"type": "image_url", "image_url": "x"}]),
    ]
    turns = to_turns(given)
    assert [(turn.role, turn.text) for turn in turns] == [
        ("system", "rules"),
        ("tool", "result"),
        ("assistant", "look"),
    ]
    assert turns[2].metadata == {"attachments": ["image_url"]}


@given(st.text(min_size=1).filter(lambda t: t.strip() and "\x00" not in t), st.datetimes(timezones=st.just(UTC)))
def test_what_is_accepted_is_unchanged(text: str, time: datetime) -> None:
    (turn,) = to_turns({"text": text, "time": time.isoformat(), "metadata": {"k": [1, None, {"a": "ü"}]}})
    assert (turn.text, turn.time) == (text, time)


def test_names_may_be_in_any_script() -> None:
    assert check_name("user", "Ανα 안나 アナ") == "Ανα 안나 アナ"
