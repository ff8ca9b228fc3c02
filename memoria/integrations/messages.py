"""Which messages of a thread are worth keeping, and as which turns.

What enters: LangChain messages. What leaves: the person's question, and turns. What a middleware wrote in the person's
name (a summary) is nobody's words; what a tool of memoria's answered is no news.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from memoria.records import Turn
from memoria.remember.turns import to_turns
from memoria.store.text import terms

FORGOT = "memoria_forgot"  # in the artifact of a tool's message: the words that were forgotten
MEMORY_TOOLS = frozenset({"manage_memory", "search_memory", "recall_memory", "explain_memory", "forget_memory"})
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def question_of(messages: Sequence[BaseMessage]) -> HumanMessage | None:
    """The last thing that the person said; None where they said nothing in words."""
    for message in reversed(messages):
        if isinstance(message, HumanMessage) and _written_by_hand(message):
            return message if message.text.strip() else None
    return None


def plain(text: str) -> str:
    """`text` with the letters that no text can hold replaced."""
    return _NO_TEXT.sub("\ufffd", text)


def cleaned(message: BaseMessage) -> BaseMessage:
    """The message with what no text can hold replaced."""
    text = str(message.text)
    return message.model_copy(update={"content": plain(text)}) if _NO_TEXT.search(text) else message


def last_exchange(messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
    """The messages from what the person said last on."""
    begin = len(messages)
    while begin and not isinstance(messages[begin - 1], HumanMessage):
        begin -= 1
    while begin and isinstance(messages[begin - 1], HumanMessage):
        begin -= 1
    return messages[begin:]


def is_kept(message: BaseMessage, tools: bool | Collection[str]) -> bool:
    """Whether a message is remembered: what the person and the assistant said, and what `tools` (all, or those named)
    answered."""
    if isinstance(message, ToolMessage):
        asked = tools if isinstance(tools, bool) else message.name in tools
        return asked and message.name not in MEMORY_TOOLS and bool(message.text.strip())
    said = isinstance(message, HumanMessage | AIMessage)
    return said and _written_by_hand(message) and bool(message.text.strip())


def without_forgotten(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages but those that repeat what a tool has just forgotten: the wish, and the news that it is done."""
    gone = [set(terms(words)) for words in _forgotten(messages)]
    return [each for each in messages if not any(words and words.issubset(terms(each.text)) for words in gone)]


def turns_of(messages: Iterable[BaseMessage], max_chars: int) -> Iterator[Turn]:
    """The turns of messages; one too long for the ledger comes in parts, letters that no text can hold are replaced."""
    for message in messages:
        for turn in to_turns([cleaned(message)], max_chars=len(message.text) + 1):
            parts = [turn.text[at : at + max_chars] for at in range(0, len(turn.text), max_chars)]
            for number, part in enumerate(parts):
                name = turn.id if number == 0 or turn.id is None else f"{turn.id}#{number}"
                if part.strip():
                    yield turn.model_copy(update={"text": part, "id": name})


def _written_by_hand(message: BaseMessage) -> bool:
    return not message.additional_kwargs.get("lc_source")  # LangChain's mark on messages that a middleware made


def _forgotten(messages: Sequence[BaseMessage]) -> Iterator[str]:
    for message in messages:
        artifact: Any = message.artifact if isinstance(message, ToolMessage) else None
        if isinstance(artifact, dict) and FORGOT in artifact:
            yield str(cast(dict[str, Any], artifact)[FORGOT])
