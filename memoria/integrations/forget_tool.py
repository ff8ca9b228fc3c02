"""A tool by which a model forgets for the person, in two steps that it cannot take alone.

What enters: what to forget, in words. What leaves: first, what would go, and a code; then, with that code, a receipt.
The code stands for exactly what was shown, and counts only after the person has spoken again: a page or a tool that
asks for something to be forgotten cannot get it done within one run.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolArg, StructuredTool
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from memoria.clock import to_micros
from memoria.errors import UnknownUser
from memoria.integrations.memory_tools import NOTHING
from memoria.integrations.messages import FORGOT
from memoria.integrations.person import Binding, Person, User
from memoria.memory import Memory
from memoria.records import Episode, Receipt
from memoria.remember.trust import CLOSING, OPENING, gives_orders

_WHEN = (
    "Forget for good what the person asks you to forget, and only then. The first call shows what would go and gives a "
    "code: show it to the person and ask. Call again with the code once they have agreed."
)
_QUOTED = 200  # characters of each turn shown


# Filled in by the agent, never by the model; None where the tool is called by itself.
_Run = Annotated[ToolRuntime[Any, Any] | None, InjectedToolArg]


class _Wish(BaseModel):
    what: Annotated[str, Field(description="What to forget, in the words it was told in.")]
    confirmation: Annotated[
        str | None, Field(description="The code that the first call gave; only after the person has agreed.")
    ] = None


def create_forget_tool(
    memory: Memory,
    *,
    user: User | None = None,
    tenant: str = "default",
    limit: int = 20,
    name: str = "forget_memory",
    instructions: str = "",
) -> StructuredTool:
    """A tool by which a model forgets what mentions some words or means nearly the same, for good.

    Called with `what` alone it erases nothing: it shows what would go, with a code. Called again with the code it
    erases just that, and what was said of it since on the same thread. Where the agent keeps a thread, the code counts
    only after a message of the person's that is newer than it. For a person's hand on the button itself, add
    `HumanInTheLoopMiddleware(interrupt_on={"forget_memory": True})`.

    Args:
        user, tenant: whose memory where a run does not say so itself; see `Binding`.
        limit: more turns than that are not forgotten at once: the wish is too wide for this way.
    """
    forgetting = _Forgetting(memory, Binding(user, tenant), limit)

    def forget(what: str, confirmation: str | None = None, runtime: _Run = None) -> tuple[str, Any]:
        return forgetting.answer(what, confirmation, runtime)

    async def aforget(what: str, confirmation: str | None = None, runtime: _Run = None) -> tuple[str, Any]:
        return await asyncio.to_thread(forgetting.answer, what, confirmation, runtime)

    return StructuredTool.from_function(
        forget,
        aforget,
        name=name,
        description=f"{_WHEN} {instructions}".strip(),
        args_schema=_Wish,
        response_format="content_and_artifact",
    )


@dataclass(frozen=True)
class _Forgetting:
    memory: Memory
    binding: Binding
    limit: int

    def answer(self, what: str, confirmation: str | None, runtime: _Run) -> tuple[str, Any]:
        """What to tell the model, and the artifact by which the middleware knows what was forgotten."""
        person = self.binding.person(runtime, runtime.config if runtime is not None else None)
        try:
            shown = self.memory.forget(user=person.user, tenant=person.tenant, query=what, dry_run=True)
        except UnknownUser:
            return NOTHING, None
        if not shown.would_go and not shown.beliefs_would_go:
            return NOTHING, None
        if len(shown.would_go) > self.limit:
            told = f"{len(shown.would_go)} turns mention that, and at most {self.limit} are forgotten at once."
            return f"{told} Nothing was forgotten. Ask the person to be more precise.", None
        if confirmation is None:
            return self._shown(person, what, shown), None
        if not _agreed(confirmation, runtime):
            return (
                "Nothing was forgotten: show the person what would go, and ask; the code counts once they agree.",
                None,
            )
        return self._erase(person, what, shown, confirmation.strip())

    def _shown(self, person: Person, what: str, shown: Receipt) -> str:
        code = _code(person, what, shown.would_go, to_micros(shown.at))
        turns = [f"- {each.occurred_at:%Y-%m-%d} {each.speaker}: {_quote(each)}" for each in shown.would_go]
        beliefs = [f"- believed: {statement}" for statement in shown.beliefs_would_go]
        ask = f"Nothing was forgotten yet. Ask the person; once they agree, call again with confirmation={code}"
        return "\n".join([OPENING, "This would be forgotten for good:", *turns, *beliefs, CLOSING, ask])

    def _erase(self, person: Person, what: str, shown: Receipt, code: str) -> tuple[str, Any]:
        moment = _moment(code)
        then = [each for each in shown.would_go if to_micros(each.recorded_at) <= moment]
        since = {each.session for each in shown.would_go if to_micros(each.recorded_at) > moment}
        # What was said of it since, on this thread, is the talk about forgetting it.
        known = person.session is None or since <= {person.session}
        if not known or _code(person, what, then, moment) != code:
            return f"That code was for something else. {self._shown(person, what, shown)}", None
        receipt = self.memory.forget(user=person.user, tenant=person.tenant, query=what)
        told = f"Forgotten: {receipt.episodes} turns and {receipt.beliefs} beliefs (receipt {receipt.number})."
        rest = "" if receipt.complete else " Another process finishes erasing its files."
        return f"{told}{rest} Do not repeat what it was.", {FORGOT: what}


def _agreed(code: str, runtime: _Run) -> bool:
    """Whether the person has spoken since the code was given; without a thread there is nobody to ask."""
    state: Any = runtime.state if runtime is not None else None
    found = cast(Mapping[str, Any], state).get("messages") if isinstance(state, Mapping) else None
    messages: Sequence[BaseMessage] = found or []
    if not messages:
        return True
    given = next((i for i, m in enumerate(messages) if isinstance(m, ToolMessage) and code.strip() in m.text), None)
    return given is not None and any(
        isinstance(each, HumanMessage) and not each.additional_kwargs.get("lc_source") for each in messages[given:]
    )


def _code(person: Person, what: str, shown: Sequence[Episode], moment: int) -> str:
    """Stands for just these turns, shown to this person at that moment."""
    content = "\x00".join([person.tenant, person.user, what, str(moment), *sorted(each.id for each in shown)])
    return f"{_base36(moment)}-{hashlib.blake2b(content.encode(), digest_size=5).hexdigest()}"


def _moment(code: str) -> int:
    try:
        return int(code.split("-")[0], 36)
    except ValueError:
        return 0


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = digits[digit] + text
    return text or "0"


def _quote(episode: Episode) -> str:
    if gives_orders(episode.text, episode.trust):
        return "(withheld, as it gives orders)"
    flat = " ".join(episode.text.split())
    return flat if len(flat) <= _QUOTED else f"{flat[:_QUOTED]} …"
