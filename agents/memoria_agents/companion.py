"""A companion that remembers: the conversation graph with a thread for each talk.

What enters: what a person says, or a history of earlier talks. What leaves: replies with the context they rest on, and
everything said, kept. It is the agent of `memoria demo`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from memoria_graphs import Person, build_conversation

from memoria import Context, Memory, Turn
from memoria.errors import InvalidInput


@dataclass(frozen=True)
class Reply:
    """What was answered, and the context it rests on (None when nothing was asked of the memory)."""

    text: str
    context: Context | None


class Companion:
    """One person's companion over `memory`; `model` None answers extractively, offline."""

    def __init__(
        self,
        memory: Memory,
        *,
        user: str,
        tenant: str = "default",
        model: BaseChatModel | None = None,
        checkpointer: BaseCheckpointSaver[Any] | None = None,
    ) -> None:
        self._user, self._tenant = user, tenant
        self._graph = build_conversation(memory, model=model, checkpointer=checkpointer or InMemorySaver())

    def live_through(self, turns: Sequence[Turn], progress: Callable[[int], None] | None = None) -> None:
        """Take earlier talks (in order, each turn with its session) through the graph's `remember`, thread by thread.

        `progress` hears how many turns of each talk were done. Raises `InvalidInput` for a turn without a session.
        """
        for session, talk in groupby(turns, key=lambda turn: turn.session):
            if session is None:
                raise InvalidInput("A talk needs a session on every turn; give each its session's name.")
            messages = [_message(turn, session, number) for number, turn in enumerate(talk)]
            config = self._config(session)
            self._graph.update_state(config, {"messages": messages}, as_node="respond")
            self._graph.invoke(None, config, context=Person(self._user, self._tenant))
            if progress is not None:
                progress(len(messages))

    def ask(self, text: str, *, thread: str, now: datetime | None = None) -> Reply:
        """Say something on `thread` and hear the reply. `now` (aware) is for replays."""
        said = HumanMessage(text, additional_kwargs={"time": now.isoformat()} if now else {})
        person = Person(self._user, self._tenant, now)
        state = self._graph.invoke({"messages": [said]}, self._config(thread), context=person)
        recalled = state.get("recalled")
        return Reply(state["messages"][-1].text, Context.model_validate(recalled) if recalled else None)

    def _config(self, thread: str) -> RunnableConfig:
        return {"configurable": {"thread_id": thread}}


def _message(turn: Turn, session: str, number: int) -> AnyMessage:
    kind = AIMessage if turn.role == "assistant" else HumanMessage
    extra: dict[str, Any] = {"metadata": turn.metadata}
    if turn.time is not None:
        extra["time"] = turn.time.isoformat()
    return kind(turn.text, name=turn.speaker, id=turn.id or f"{session}/{number}", additional_kwargs=extra)
