"""Where histories come from: files of turns, a ChatGPT export, a LangGraph checkpointer's thread.

What enters: a path, or a checkpointer. What leaves: turns, in the order they were said. Errors name the file and line.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from memoria.errors import InvalidInput
from memoria.records import ROLES, Turn
from memoria.remember.turns import to_turns

Kind = Literal["auto", "jsonl", "chatgpt"]


def read_source(path: Path, kind: Kind = "auto") -> list[Turn]:
    """The turns of a file: JSON lines of turn dicts (or .gz), or a ChatGPT export (conversations.json, or its .zip).

    Raises `InvalidInput` naming the file and what to do; nothing of a file with a fault is given.
    """
    if not path.exists():
        raise InvalidInput(f"{path} does not exist; check the path.")
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder; name a file in it.")
    try:
        text = _text_of(path)
    except (OSError, EOFError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{path} cannot be read as UTF-8 text ({error}); export it again.") from error
    if not text.strip():
        raise InvalidInput(f"{path} is empty; nothing was remembered.")
    if kind == "auto":
        kind = "chatgpt" if path.suffix == ".zip" or text.lstrip().startswith("[") else "jsonl"
    return _chatgpt(text, path) if kind == "chatgpt" else _json_lines(text, path)


def from_checkpointer(checkpointer: Any, thread_id: str) -> list[Turn]:
    """The messages of a LangGraph thread as turns: session = thread, time = the first checkpoint that held each.

    Raises `InvalidInput` when the thread is unknown or keeps no messages.
    """
    config = {"configurable": {"thread_id": thread_id}}
    latest = checkpointer.get_tuple(config)
    if latest is None:
        raise InvalidInput(f"The checkpointer has no thread {thread_id!r}; check its id.")
    messages = latest.checkpoint["channel_values"].get("messages")
    if messages is None:
        raise InvalidInput(f"Thread {thread_id!r} keeps no 'messages'; only message graphs can be read.")
    first_seen: dict[str, datetime] = {}
    for snapshot in reversed(list(checkpointer.list(config))):
        moment = datetime.fromisoformat(snapshot.checkpoint["ts"])
        for message in snapshot.checkpoint["channel_values"].get("messages", []):
            first_seen.setdefault(message.id, moment)
    last = datetime.fromisoformat(latest.checkpoint["ts"])
    turns: list[Turn] = []
    for message in messages:
        for turn in to_turns([message]):
            time = turn.time or first_seen.get(message.id, last)
            turns.append(turn.model_copy(update={"session": thread_id, "time": time}))
    return turns


def _text_of(path: Path) -> str:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            name = next((n for n in archive.namelist() if n.endswith("conversations.json")), None)
            if name is None:
                raise InvalidInput(f"{path} holds no conversations.json; is it a ChatGPT export?")
            return archive.read(name).decode()
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")


def _json_lines(text: str, path: Path) -> list[Turn]:
    turns: list[Turn] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            turns.extend(to_turns([json.loads(line)]))
        except json.JSONDecodeError as error:
            raise InvalidInput(f"{path}:{number}: not JSON ({error.msg}); each line holds one turn.") from error
        except InvalidInput as error:
            raise InvalidInput(f"{path}:{number}: {str(error).removeprefix('turn 1: ')}") from error
    return turns


def _chatgpt(text: str, path: Path) -> list[Turn]:
    try:
        conversations: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{path}:{error.lineno}: not JSON ({error.msg}); export it again.") from error
    given = cast(list[Any], conversations) if isinstance(conversations, list) else []
    if not given or not all(isinstance(each, dict) and "mapping" in each for each in given):
        raise InvalidInput(f"{path} is no ChatGPT export (a list of conversations with a 'mapping'); check the file.")
    turns: list[Turn] = []
    for number, conversation in enumerate(given, 1):
        try:
            turns.extend(to_turns(list(_kept_branch(conversation))))
        except (InvalidInput, KeyError, TypeError, ValueError) as error:
            raise InvalidInput(f"{path}: conversation {number}: {error}") from error
    return sorted(turns, key=lambda turn: turn.time or datetime.min.replace(tzinfo=UTC))


def _kept_branch(conversation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The branch that the person kept, from the root: a ChatGPT conversation is a tree of edits."""
    mapping: dict[str, Any] = conversation["mapping"]
    place = conversation.get("current_node") or (list(mapping)[-1] if mapping else None)
    branch: list[dict[str, Any]] = []
    while place is not None and len(branch) <= len(mapping):
        node = mapping[place]
        if node.get("message"):
            branch.append(node["message"])
        place = node.get("parent")
    session = str(conversation.get("conversation_id") or conversation.get("id") or conversation.get("title"))
    begun = conversation.get("create_time")
    for message in reversed(branch):
        turn = _chatgpt_turn(message, session, str(conversation.get("title") or ""), begun)
        if turn is not None:
            yield turn


def _chatgpt_turn(message: dict[str, Any], session: str, title: str, begun: float | None) -> dict[str, Any] | None:
    parts: list[Any] = message.get("content", {}).get("parts") or []
    text = "\n".join(part for part in parts if isinstance(part, str)).strip()
    role = message["author"]["role"]
    about: dict[str, Any] = message.get("metadata") or {}
    if not text or about.get("is_visually_hidden_from_conversation") or role not in ROLES:
        return None
    metadata: dict[str, Any] = {"title": title} if title else {}
    others = [str(part.get("content_type")) for part in parts if not isinstance(part, str)]
    if others:
        metadata["attachments"] = others
    said = message.get("create_time") or begun
    time = datetime.fromtimestamp(said, UTC) if said is not None else None
    return {
        "text": text,
        "role": role,
        "time": time,
        "session": session,
        "id": message.get("id"),
        "metadata": metadata,
    }
