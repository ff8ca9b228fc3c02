"""The conversation graph: recall -> respond -> remember.

What enters: messages on a thread, and whose memory it is (`Person`, the run's context). What leaves: an answer, what it
rested on, and the messages kept as episodes. Any `BaseChatModel` may respond, and streams where it can; without one the
answer is extractive: the best quotes with their citations, or that nothing is known. A run that was killed goes on
where it was: a message is remembered once, by its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NotRequired, TypedDict
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage, BaseMessage, SystemMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_config
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from memoria import Context, Memory, UnknownUser
from memoria.clock import utc_now
from memoria.integrations.prompt import HOW_TO_USE, PROFILE_SHARE, MemoryPrompt
from memoria.remember.trust import CLOSING, OPENING
from memoria.store.text import count_tokens
from memoria_graphs.extractive import extract_answer, is_extract
from memoria_graphs.person import Person, person_of, tell


class State(TypedDict):
    """`recalled` is the last context as plain values, `profile` what of the profile is told to a model beside it;
    `kept` counts the messages already remembered."""

    messages: Annotated[list[AnyMessage], add_messages]
    recalled: NotRequired[dict[str, Any]]
    profile: NotRequired[str]
    kept: NotRequired[int]


Graph = CompiledStateGraph[State, Person, State, State]


def build_conversation(
    memory: Memory, *, model: BaseChatModel | None = None, checkpointer: BaseCheckpointSaver[Any] | None = None
) -> Graph:
    """The compiled graph over `memory`. Run it with `context=Person(...)` and a `thread_id`, the session's name.

    Args:
        memory: an open Memory.
        model: what responds; None answers extractively, offline.
        checkpointer: keeps threads between turns; without one, send the whole thread each time.
    """
    nodes = _Nodes(memory, model)
    graph = StateGraph(State, context_schema=Person)
    graph.add_node("recall", nodes.recall)
    graph.add_node("respond", nodes.respond)
    graph.add_node("remember", nodes.remember)
    for before, after in ((START, "recall"), ("recall", "respond"), ("respond", "remember"), ("remember", END)):
        graph.add_edge(before, after)
    return graph.compile(checkpointer=checkpointer)


class _Nodes:
    def __init__(self, memory: Memory, model: BaseChatModel | None) -> None:
        self._memory, self._model = memory, model

    def recall(self, state: State, runtime: Runtime[Person]) -> dict[str, Any]:
        """What memory holds on the last message, and for a model the profile, both within recall's budget."""
        person = person_of(runtime)
        question = _last_text(state["messages"])
        if not question.strip():
            return {"recalled": {}, "profile": ""}
        profile, room = self._known(person, question)
        try:
            context = self._memory.recall(
                question, user=person.user, tenant=person.tenant, now=person.now, budget=room, profile=False
            )
        except UnknownUser:  # the first words of somebody new
            context = Context(query=question, tenant=person.tenant, user=person.user, now=person.now or utc_now())
        tell(runtime, "recall", hits=len(context.hits), known=context.known, tokens=context.tokens)
        return {"recalled": context.model_dump(mode="json"), "profile": profile}

    def respond(self, state: State) -> dict[str, Any]:
        """An answer from the model, or from the quotes alone."""
        recalled = state.get("recalled")
        context = Context.model_validate(recalled) if recalled else None
        if self._model is None:
            answer = extract_answer(state["messages"][-1].text, context)
        else:
            answer = self._model.invoke(_prompted(state["messages"], state.get("profile", ""), context))
        if answer.id is None:  # remembering goes by it
            answer.id = str(uuid4())
        return {"messages": [answer]}

    def remember(self, state: State, runtime: Runtime[Person]) -> dict[str, Any]:
        """Keep what was said since the last time; quotes of the memory itself are no news, and would echo."""
        person = person_of(runtime)
        fresh = [each for each in state["messages"][state.get("kept", 0) :] if not is_extract(each)]
        thread = get_config().get("configurable", {}).get("thread_id")
        self._memory.remember(fresh, user=person.user, tenant=person.tenant, session=thread)
        tell(runtime, "remember", messages=len(fresh))
        return {"kept": len(state["messages"])}

    def _known(self, person: Person, question: str) -> tuple[str, int]:
        """The preference card and the profile as far as there is room beside what is asked for, and how many tokens
        that leaves."""
        budget = self._memory.settings.recall.budget
        if self._model is None or person.now is not None:  # quotes have no use for it; a replay must not know it
            return "", budget
        prompt = MemoryPrompt(self._memory)
        lines = prompt.known_text(person.user, person.tenant, question, int(budget * PROFILE_SHARE))
        text = f"{OPENING}\n{lines}\n{CLOSING}" if lines else ""
        return text, budget - count_tokens(text)


def _last_text(messages: Sequence[BaseMessage]) -> str:
    return messages[-1].text if messages else ""


def _prompted(messages: Sequence[BaseMessage], profile: str, context: Context | None) -> list[BaseMessage]:
    """The thread, with what is remembered before it; the memory is never part of the thread itself."""
    parts = [part for part in (profile, context.render() if context is not None else "") if part]
    return [SystemMessage("\n\n".join([HOW_TO_USE, *parts])), *messages] if parts else list(messages)
