"""Histories from files and checkpoints."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from memoria import InvalidInput, Memory
from memoria.remember.sources import from_checkpointer, read_source

LINES = '{"text": "olá", "speaker": "Ana", "time": "2025-01-01T10:00:00Z"}\n\n{"text": "hi", "role": "assistant"}\n'


def node(text: str | None, parent: str | None, role: str = "user", **more: object) -> dict:
    message = text and {
        "id": f"id-{text}",
        "author": {"role": role},
        "create_time": 1735725600.5,
        "content": {"content_type": "text", "parts": [text]},
        **more,
    }
    return {"message": message, "parent": parent}


def export() -> list[dict]:
    hidden = {"metadata": {"is_visually_hidden_from_conversation": True}}
    return [
        {
            "conversation_id": "c1",
            "title": "Sea",
            "create_time": 1735725600,
            "current_node": "5",
            "mapping": {
                "0": node(None, None),
                "1": node("secret rules", "0", "system", **hidden),
                "2": node("first try", "1"),
                "3": node("I moved to Porto", "1"),
                "4": node("Lovely", "3", "assistant"),
                "5": node("It is by the sea", "4"),
            },
        }
    ]


def test_json_lines(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    plain.write_text("\ufeff" + LINES, encoding="utf-8")
    packed.write_bytes(gzip.compress(LINES.encode()))
    assert read_source(plain) == read_source(packed)
    assert [(t.speaker, t.role, t.text) for t in read_source(plain)] == [
        ("Ana", "user", "olá"),
        (None, "assistant", "hi"),
    ]


def test_a_chatgpt_export_follows_the_branch_that_was_kept(tmp_path: Path) -> None:
    loose, packed = tmp_path / "conversations.json", tmp_path / "export.zip"
    loose.write_text(json.dumps(export()))
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("conversations.json", json.dumps(export()))
    turns = read_source(loose)
    assert turns == read_source(packed)
    assert [turn.text for turn in turns] == ["I moved to Porto", "Lovely", "It is by the sea"]
    assert turns[0].session == "c1"
    assert turns[0].metadata == {"title": "Sea"}
    assert turns[0].time is not None
    assert turns[0].time.year == 2025


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"text": "x"}\n{"text"', r"a\.jsonl:2: not JSON"),
        ("a.jsonl", b'{"text": "x"}\n{"text": ""}', r"a\.jsonl:2: the text is empty"),
        ("a.jsonl", b"", "is empty"),
        ("a.jsonl", b"\xff\xfe\x00", "UTF-8"),
        ("a.jsonl.gz", b"no gzip", "cannot be read"),
        ("a.zip", b"no zip", "cannot be read"),
        ("a.json", b'[{"title": "x"}]', "no ChatGPT export"),
        ("a.json", b"[1,", "not JSON"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=said):
        read_source(path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        read_source(tmp_path / "none.jsonl")
    with pytest.raises(InvalidInput, match="is a folder"):
        read_source(tmp_path)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_checkpointed_thread_becomes_turns(memory: Memory, kind: str) -> None:
    if kind == "memory":
        check_thread(memory, InMemorySaver())
    else:
        with SqliteSaver.from_conn_string(":memory:") as saver:
            check_thread(memory, saver)


def check_thread(memory: Memory, saver: object) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("answer", lambda state: {"messages": [AIMessage(f"{len(state['messages'])} so far")]})
    graph.add_edge(START, "answer")
    compiled = graph.compile(checkpointer=saver)  # type: ignore[arg-type]
    config = {"configurable": {"thread_id": "t1"}}
    for text in ("I keep bees", "They are calm"):
        compiled.invoke({"messages": [HumanMessage(text)]}, config)
    turns = from_checkpointer(saver, "t1")
    assert [turn.text for turn in turns] == ["I keep bees", "1 so far", "They are calm", "3 so far"]
    times = [turn.time for turn in turns]
    assert times == sorted(times)  # type: ignore[type-var]
    assert times[0] < times[2]  # type: ignore[operator]
    assert len(memory.remember(turns, user="ana")) == 4
    assert memory.remember(from_checkpointer(saver, "t1"), user="ana") == []
    with pytest.raises(InvalidInput, match="'t2'"):
        from_checkpointer(saver, "t2")
