"""`MemoriaChatMessageHistory`: a session of a person's memory as a LangChain chat history.

What enters: messages. What leaves: the same messages, in order, as the ledger has them: with role, name, id, tool calls
and the text of their contents. A message that says nothing (an assistant that only calls tools) is kept with the next
one that does; pictures and sounds are not kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast
from uuid import uuid4

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage, messages_from_dict

from memoria.errors import UnknownUser
from memoria.integrations.messages import cleaned
from memoria.memory import Memory
from memoria.records import Episode
from memoria.remember.turns import to_turns

_MARK = "langchain"  # what a turn cannot say of a message, in its metadata
_FIELDS = ("id", "name", "additional_kwargs", "tool_calls", "tool_call_id", "status", "usage_metadata")
_TYPES = {"user": "human", "assistant": "ai", "system": "system", "tool": "tool"}
_LONGEST = 32_000  # characters of what goes along with a message


class MemoriaChatMessageHistory(BaseChatMessageHistory):
    """The messages of one session, kept in `memory` with everything else that the person said.

    What is added is remembered and can be recalled on every thread; `clear` forgets the session for good. The same
    message (by its id) added twice is kept once.
    """

    def __init__(self, memory: Memory, *, user: str, session: str, tenant: str = "default") -> None:
        super().__init__()
        self._memory, self._session = memory, session
        self._whose: dict[str, Any] = {"user": user, "tenant": tenant}

    @property
    def messages(self) -> list[BaseMessage]:  # pyright: ignore[reportIncompatibleVariableOverride]  # as LangChain's own
        """The session's messages, in order; none of somebody unknown."""
        try:
            episodes = self._memory.episodes(session=self._session, **self._whose)
        except UnknownUser:
            return []
        return [message for episode in episodes for message in _messages_of(episode)]

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Remember messages. Raises `InvalidInput` for one that cannot be kept; then none is."""
        turns: list[Any] = []
        silent: list[BaseMessage] = []
        for message in messages:
            if not message.text.strip():
                silent.append(message)
                continue
            # Without an id of its own a second "yes" would be taken for the first, sent again.
            named = cleaned(message).model_copy(update={"id": message.id or str(uuid4())})
            for turn in to_turns([named], max_chars=self._memory.settings.store.max_chars):
                mark = _mark(message, silent)
                turns.append(turn.model_copy(update={"metadata": {**turn.metadata, **mark}}))
            silent = []
        if turns:
            self._memory.remember(turns, session=self._session, **self._whose)

    def clear(self) -> None:
        """Forget the session, for good."""
        try:
            if self._memory.episodes(session=self._session, last=1, **self._whose):
                self._memory.forget(session=self._session, **self._whose)
        except UnknownUser:
            return


def _mark(message: BaseMessage, silent: Sequence[BaseMessage]) -> dict[str, Any]:
    """What goes along with a turn: the fields of its message that are set, and the messages before it that say
    nothing. What is no JSON, or too much of it, is left out."""
    about = {"type": message.type, **_fields(message)}
    if silent:
        about["before"] = [{"type": each.type, **_fields(each)} for each in silent]
    try:
        fits = len(json.dumps(about, allow_nan=False)) <= _LONGEST
    except (TypeError, ValueError):
        fits = False
    return {_MARK: about if fits else {"type": message.type, "id": message.id}}


def _fields(message: BaseMessage) -> dict[str, Any]:
    values = ((name, getattr(message, name, None)) for name in _FIELDS)
    return {name: value for name, value in values if value}


def _messages_of(episode: Episode) -> Iterator[BaseMessage]:
    """The message of an episode, after those that said nothing; a tool's without the call that it answers is none: no
    provider takes it."""
    given: Any = episode.metadata.get(_MARK)
    about: dict[str, Any] = {"type": _TYPES[episode.role]}
    if isinstance(given, dict):
        about = cast(dict[str, Any], given)
    if about["type"] == "tool" and not about.get("tool_call_id"):
        return
    before: list[dict[str, Any]] = about.get("before", [])
    for each, text in [*((one, "") for one in before), (about, episode.text)]:
        data = {"content": text} | {name: each[name] for name in _FIELDS if name in each}
        yield from messages_from_dict([{"type": each["type"], "data": data}])
