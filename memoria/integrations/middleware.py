"""`MemoriaMiddleware`: a memory for `langchain.agents.create_agent`.

What enters: an agent's runs. What leaves: before each model call, what is remembered, in the system message of that
call alone; after the run, its messages as episodes. The thread itself never holds a word of the memory.

Put it after `PIIMiddleware` (so that only what was redacted is kept) and before `SummarizationMiddleware` (so that a
message is seen before it is summarised away). `HumanInTheLoopMiddleware` can stand anywhere.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Annotated, Any, NotRequired

from langchain_core.messages import AnyMessage, BaseMessage, SystemMessage
from langgraph.runtime import Runtime

from memoria.errors import MemoriaError, UnknownUser
from memoria.integrations.messages import is_kept, last_exchange, question_of, turns_of, without_forgotten
from memoria.integrations.person import Binding, Person, User, running_config
from memoria.integrations.prompt import MemoryPrompt
from memoria.memory import Memory

try:
    from langchain.agents.middleware.types import (
        AgentMiddleware,
        AgentState,
        ModelRequest,
        ModelResponse,
        PrivateStateAttr,
    )
except ImportError as error:
    raise MemoriaError('The middleware needs LangChain; run: pip install "memoria-lifelong[langchain]"') from error

_HELD = 256  # questions whose answers are held for the next call of the same run
_CHECKPOINTER = "__pregel_checkpointer"  # LangGraph's key in a run's config


class MemoriaState(AgentState[Any]):
    """What the middleware keeps with a thread: the ids of the messages that are remembered, and the messages of the run
    under way, which a summary may take out of the thread before it ends."""

    memoria_kept: NotRequired[Annotated[list[str], PrivateStateAttr]]
    memoria_seen: NotRequired[Annotated[list[AnyMessage], PrivateStateAttr]]


class MemoriaMiddleware(AgentMiddleware[MemoriaState, Any, Any]):
    """Recall before the model, remember after the agent.

    Args:
        memory: an open Memory.
        user, tenant: whose memory where a run does not say so itself; see `Binding` for how a run does. `user` may be a
            function of the run's `Runtime`.
        budget, k: at most so many tokens of prompt, all told, and so many turns in it; None takes the settings'.
        profile: whether the person's profile comes first, where one was made.
        card: whether their preference card comes before it, where one serves.
        remember: whether runs are remembered.
        remember_tools: also what tools answered, all of them or those named; kept as a tool's words, never believed.

    Without a checkpointer only the last exchange of a run is new: what came before it was remembered then.
    Set it on the agent that the person talks to: to a subagent, a model speaks in their place.
    """

    state_schema = MemoriaState

    def __init__(
        self,
        memory: Memory,
        *,
        user: User | None = None,
        tenant: str = "default",
        budget: int | None = None,
        k: int | None = None,
        profile: bool = True,
        card: bool = True,
        remember: bool = True,
        remember_tools: bool | Collection[str] = False,
    ) -> None:
        super().__init__()
        self._memory, self._binding = memory, Binding(user, tenant)
        self._prompt = MemoryPrompt(memory, budget, k, profile, card)
        self._remembers, self._tools = remember, remember_tools
        self._held: OrderedDict[tuple[Any, ...], tuple[str, str]] = OrderedDict()
        self._lock = threading.Lock()

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Call the model with what is remembered."""
        return handler(self._with_memory(request))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """Call the model with what is remembered."""
        return await handler(await asyncio.to_thread(self._with_memory, request))

    def before_model(self, state: MemoriaState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Note the run's new messages: they may be summarised away before it ends."""
        seen = self._fresh(state) if self._remembers else []
        return {"memoria_seen": seen} if seen != state.get("memoria_seen", []) else None

    async def abefore_model(self, state: MemoriaState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Note the run's new messages: they may be summarised away before it ends."""
        return self.before_model(state, runtime)

    def after_agent(self, state: MemoriaState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Remember what was said since the last run. Done twice, it keeps nothing more."""
        if not self._remembers:
            return None
        said = [each for each in without_forgotten(self._fresh(state)) if is_kept(each, self._tools)]
        turns = list(turns_of(said, self._memory.settings.store.max_chars))
        if turns:
            person = self._binding.person(runtime)
            self._memory.remember(turns, user=person.user, tenant=person.tenant, session=person.session)
        return {"memoria_kept": [each.id for each in state["messages"]], "memoria_seen": []}

    async def aafter_agent(self, state: MemoriaState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Remember what was said since the last run. Done twice, it keeps nothing more."""
        return await asyncio.to_thread(self.after_agent, state, runtime)

    def _with_memory(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        state: Any = request.state
        seen: list[AnyMessage] = state.get("memoria_seen", [])
        question = question_of(request.messages) or question_of(seen)  # which a summary took out of the thread
        if question is None:
            return request
        text = self._recalled(self._binding.person(request.runtime), question)
        return request.override(system_message=_extended(request.system_message, text)) if text else request

    def _recalled(self, person: Person, question: BaseMessage) -> str:
        """What memory says to a question, worked out once for all calls of a run unless the memory changed."""
        asked = str(question.text)
        key, revision = (person, question.id, asked), self._revision(person)
        with self._lock:
            held = self._held.get(key)
        if held is not None and held[0] == revision:
            return held[1]
        text = self._prompt.text(person, asked)
        with self._lock:
            self._held[key] = (revision, text)
            self._held.move_to_end(key)
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return text

    def _revision(self, person: Person) -> str:
        """Another text whenever another prompt may come of the same question."""
        try:
            card = self._memory.serving("card", user=person.user, tenant=person.tenant)
            revision = self._memory.revision(user=person.user, tenant=person.tenant)
        except UnknownUser:
            return ""
        return f"{revision} {card.id}" if card is not None else revision

    def _fresh(self, state: MemoriaState) -> list[AnyMessage]:
        """The messages that are not remembered yet, as they read now; those no longer in the thread as last seen."""
        messages: Sequence[AnyMessage] = state["messages"]
        kept = set(state.get("memoria_kept", []))
        if "memoria_kept" not in state and not _has_checkpointer():
            earlier = len(messages) - len(last_exchange(messages))
            kept.update(str(each.id) for each in messages[:earlier])
        now = {each.id: each for each in messages if each.id not in kept}
        seen = {each.id: each for each in state.get("memoria_seen", [])}
        return list((seen | now).values())


def _has_checkpointer() -> bool:
    return bool(running_config().get("configurable", {}).get(_CHECKPOINTER))


def _extended(system: SystemMessage | None, text: str) -> SystemMessage:
    """The system message with `text` at its end, where it spoils least of what a provider has cached."""
    if system is None:
        return SystemMessage(text)
    content = system.content
    if isinstance(content, str):
        return system.model_copy(update={"content": f"{content}\n\n{text}" if content else text})
    return system.model_copy(update={"content": [*content, {"type": "text", "text": text}]})
