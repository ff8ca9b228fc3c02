"""The reflection graph: gather -> consolidate -> verify -> commit.

What enters: whose memory (`Person`, the run's context). What leaves: a new version of the profile where anything in it
changed, and what became of the run (`outcome`, `reflection`). A history that did not change ends the run at once. A
large change may wait for a human (`approve`). Checkpoints hold the lines that wait to be kept, so words of the person:
what keeps them is outside of memoria's home, and `forget` does not reach it; delete a thread when its run has ended.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from memoria import Memory, Reflection
from memoria.records import Merged
from memoria.reflect.records import Draft, Duplicate, Gathered
from memoria_graphs.approval import ask
from memoria_graphs.change import Change, as_if_once, change_of, without
from memoria_graphs.person import Person, person_of, tell

Outcome = Literal["unchanged", "same", "committed", "refused", "overtaken"]


class ReflectionState(TypedDict):
    """The records of memoria as plain values, so that any checkpointer takes them.

    `outcome`: the history is "unchanged", the profile says the "same" as before, a version was "committed", a human
    "refused" it, or it was "overtaken": while it waited, another reflection on the same history kept other lines.
    `merges` counts the merges of names there were before this run.
    """

    gathered: NotRequired[dict[str, Any]]
    merges: NotRequired[int]
    draft: NotRequired[dict[str, Any] | None]
    change: NotRequired[Change | None]
    reflection: NotRequired[dict[str, Any] | None]
    outcome: NotRequired[Outcome | None]


ReflectionGraph = CompiledStateGraph[ReflectionState, Person, ReflectionState, ReflectionState]


def build_reflection(
    memory: Memory,
    *,
    model: BaseChatModel | str | None = None,
    approve_above: float | None = None,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> ReflectionGraph:
    """The compiled graph over `memory`. Run it with `{}`, `context=Person(...)` and a `thread_id`.

    Args:
        memory: an open Memory.
        model: what writes lines beside those found without one; None is the settings' (`reflect.model`), else none.
        approve_above: ask a human where the lines that would come and go are more than this share of those that the
            profile shows now (0.3: nearly a third; a first profile is all new); None never asks. Needs a checkpointer.
            What to resume with: see `memoria_graphs.approval`. A line that was left out comes up again at the next
            change of the history: what it says is still believed.
        checkpointer: keeps the run between nodes, so that it survives its process.
    """
    nodes = _Nodes(memory, model, approve_above)
    graph = StateGraph(ReflectionState, context_schema=Person)
    for name in ("gather", "consolidate", "verify", "approve", "commit"):
        graph.add_node(name, getattr(nodes, name))
    graph.add_edge(START, "gather")
    graph.add_conditional_edges("gather", nodes.after_gather, ["consolidate", END])
    graph.add_edge("consolidate", "verify")
    graph.add_conditional_edges("verify", nodes.after_verify, ["approve", "commit"])
    graph.add_conditional_edges("approve", nodes.after_approve, ["commit", END])
    graph.add_edge("commit", END)
    return graph.compile(checkpointer=checkpointer)


class _Nodes:
    def __init__(self, memory: Memory, model: BaseChatModel | str | None, approve_above: float | None) -> None:
        self._memory, self._model, self._approve_above = memory, model, approve_above

    def gather(self, state: ReflectionState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Where the history stands; what an earlier run of the thread left is put aside."""
        person = person_of(runtime)
        gathered = self._memory.gather(user=person.user, tenant=person.tenant, model=self._model)
        tell(runtime, "gather", unchanged=gathered.unchanged, turns=gathered.turns, beliefs=gathered.beliefs)
        ended: dict[str, Any] = {"reflection": None, "outcome": None}
        if gathered.unchanged:
            stays = Reflection(tenant=gathered.tenant, user=gathered.user, version=gathered.version, changed=False)
            ended = {"reflection": stays.model_dump(mode="json"), "outcome": "unchanged"}
        merges = len(self._memory.merges(user=person.user, tenant=person.tenant))
        plain = gathered.model_dump(mode="json")
        return {"gathered": plain, "merges": merges, "draft": None, "change": None, **ended}

    def consolidate(self, state: ReflectionState, runtime: Runtime[Person]) -> dict[str, Any]:
        """The lines that the history comes to."""
        gathered = Gathered.model_validate(state.get("gathered"))
        draft = self._memory.consolidate(gathered, model=self._model)
        draft = draft.model_copy(update={"duplicates": self._merged(gathered, state.get("merges", 0))})
        tell(runtime, "consolidate", lines=len(draft.lines), duplicates=len(draft.duplicates))
        return {"draft": draft.model_dump(mode="json")}

    def verify(self, state: ReflectionState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Only the lines that their evidence supports, and what they would change."""
        draft = self._memory.check(_draft(state))
        change = change_of(self._memory, draft)
        tell(runtime, "verify", lines=len(draft.lines), rejected=len(draft.rejected), share=change["share"])
        return {"draft": draft.model_dump(mode="json"), "change": change}

    def approve(self, state: ReflectionState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Ask a human; what they leave out is not committed."""
        draft, change = _draft(state), state.get("change")
        assert change is not None
        answer = ask(_question(draft, change), {line["text"] for line in change["added"]})
        tell(runtime, "approve", approved=answer.approve, dropped=len(answer.drop))
        if answer.approve:
            return {"draft": without(draft, answer.drop).model_dump(mode="json")}
        gathered = draft.gathered
        stays = Reflection(tenant=gathered.tenant, user=gathered.user, version=gathered.version, changed=False)
        return {"reflection": stays.model_dump(mode="json"), "outcome": "refused"}

    def commit(self, state: ReflectionState, runtime: Runtime[Person]) -> dict[str, Any]:
        """Keep the lines as a new version, where they differ from the newest."""
        draft = _draft(state)
        made = as_if_once(self._memory, draft, self._memory.commit(draft))
        tell(runtime, "commit", version=made.version, added=made.added, removed=made.removed)
        unmoved = made.version == draft.gathered.version
        outcome: Outcome = "committed" if made.changed else "same" if unmoved else "overtaken"
        return {"reflection": made.model_dump(mode="json"), "outcome": outcome}

    # -- which way -----------------------------------------------------------------------------------------------

    def after_gather(self, state: ReflectionState) -> str:
        """An unchanged history has nothing to consolidate."""
        return END if state.get("outcome") == "unchanged" else "consolidate"

    def after_verify(self, state: ReflectionState) -> str:
        """A large change is asked about."""
        change = state.get("change")
        large = self._approve_above is not None and change is not None and change["share"] > self._approve_above
        return "approve" if large else "commit"

    def after_approve(self, state: ReflectionState) -> str:
        """What was refused ends here."""
        return END if state.get("outcome") == "refused" else "commit"

    # -- inside --------------------------------------------------------------------------------------------------

    def _merged(self, gathered: Gathered, before: int) -> tuple[Duplicate, ...]:
        """The names taken for one since the run began, by this process or by one that was killed."""
        made: list[Merged] = self._memory.merges(user=gathered.user, tenant=gathered.tenant)[before:]
        return tuple(
            Duplicate(name=each.name, same_as=each.same_as, score=each.score or 0.0)
            for each in made
            if each.made_by == "resolve" and each.undone_at is None
        )


def _draft(state: ReflectionState) -> Draft:
    return Draft.model_validate(state.get("draft"))


def _question(draft: Draft, change: Change) -> dict[str, Any]:
    gathered = draft.gathered
    return {
        "question": "Is this change of the profile right?",
        "user": gathered.user,
        "tenant": gathered.tenant,
        "version": gathered.version,
        "change": change,
        "duplicates": [each.model_dump(mode="json") for each in draft.duplicates],
    }
