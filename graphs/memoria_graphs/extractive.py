"""Answering without a language model: the best quotes, with their citations.

What enters: what was said, and a context. What leaves: a message that quotes, or says that nothing is known. Whether it
is known is the context's calibrated confidence against the settings' threshold: never a guess.
"""

from __future__ import annotations

import re

from langchain_core.messages import AIMessage, BaseMessage

from memoria import Context

UNKNOWN = "I do not know: you never told me."
NOTED = "I will remember that."

QUOTES = 5
_MARK = "memoria_extract"
_ASKS = re.compile(
    r"[?？]|^\W*(who|whom|whose|what|when|where|which|why|how|is|are|was|were|am|do|does|did|have|has|had|can|could|"
    r"will|would|should|tell me|remind me)\b",
    re.IGNORECASE,
)


def extract_answer(said: str, context: Context | None) -> AIMessage:
    """The reply to `said`: up to five quotes with citations, that nothing is known, or, to a statement, a nod."""
    return AIMessage(_answer(said, context), additional_kwargs={_MARK: True})


def asks(said: str) -> bool:
    """Whether what was said asks for something."""
    return bool(_ASKS.search(said))


def is_extract(message: BaseMessage) -> bool:
    """Whether a message only quotes the memory."""
    return bool(message.additional_kwargs.get(_MARK))


def _answer(said: str, context: Context | None) -> str:
    if not asks(said):
        return NOTED
    if context is None or not context.known:
        return UNKNOWN
    lines = [
        f"[{hit.citation}] “{hit.quote}” ({hit.episode.speaker}, {hit.episode.occurred_at:%d %b %Y})"
        for hit in context.hits[:QUOTES]
    ]
    return "\n".join(["From what I remember:", *lines])
