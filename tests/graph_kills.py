"""The three graphs, killed at every boundary between nodes and inside the verbs that write, then gone on with.

What enters: a folder and the name of a graph. What leaves: how the whole run ended, and how each killed run ended after
another process went on with it: the graph's state and what the home holds. Every run is a process of its own that ends
itself by SIGKILL, forked from one that has opened nothing; checkpoints are in SQLite on disk.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import alembic.command  # noqa: F401  # here once, not in every process that opens a home
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command
from memoria_graphs import (
    Candidate,
    Least,
    Sources,
    Training,
    Verdict,
    build_conversation,
    build_distillation,
    build_reflection,
)
from scripted import Speaking

from memoria import HashEmbeddings, Memory, Settings

NOW = datetime(2026, 1, 1, 9, tzinfo=UTC)
CONFIG: Any = {"configurable": {"thread_id": "t", "langgraph_user_id": "ana"}}
EARLIER = ["I live in Porto.", "I love fado.", "I work as a nurse."]
SINCE = ["I moved to Lisbon.", "I hate cilantro.", "My friend Zé Silva lives in Faro.", "Ze Silva lives in Faro."]


class Scripted:
    """A trainer that trains nothing, in files: what it does twice is there once."""

    facts = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def last(self, tenant: str, user: str) -> Sources | None:
        return None

    def owes(self, tenant: str, user: str) -> str:
        return ""

    def train(self, sources: Sources) -> Training:
        made = Candidate(sources.digest[:8], "scripted", sources.tenant, sources.user, sources.digest, {"loss": 0.5})
        (self.folder / f"{made.id}.candidate").write_text(sources.digest)
        return Training((made,))

    def judge(self, candidate: Candidate) -> Verdict:
        return Verdict(candidate=candidate.id, passed=True, figures={"accuracy": 0.9})

    def promote(self, candidate: Candidate, verdict: Verdict) -> None:
        (self.folder / "serving").write_text(candidate.id)

    def settle(self, sources: Sources) -> None:
        (self.folder / "settled").write_text(sources.digest)


def speak(heard: list[Any]) -> AIMessage:
    """What the conversation's model answers: it can only know it from its prompt."""
    return AIMessage("Fado, of course." if "fado" in heard[0].text else "I do not know.", id="a1")


@dataclass(frozen=True)
class Case:
    """A graph, the verbs inside of which it is killed too, what it is given, and what a human answers."""

    build: Callable[[Memory, Scripted, Any], Any]
    verbs: tuple[str, ...]
    given: dict[str, Any]
    answer: Callable[[Any], Any] = lambda _: True


CASES = {
    "conversation": Case(
        lambda memory, _, saver: build_conversation(memory, model=Speaking(say=speak), checkpointer=saver),
        verbs=("recall", "remember"),
        given={"messages": [HumanMessage("I moved to Braga. What music do I love?", id="h1")]},
    ),
    "reflection": Case(
        lambda memory, _, saver: build_reflection(memory, checkpointer=saver),
        verbs=("gather", "resolve", "consolidate", "check", "commit"),
        given={},
    ),
    "approved": Case(
        lambda memory, _, saver: build_reflection(memory, approve_above=0.1, checkpointer=saver),
        verbs=("check", "commit"),
        given={},
        answer=lambda asked: {"approve": True, "drop": [asked["change"]["added"][0]["text"]]},
    ),
    "distillation": Case(
        lambda memory, trainer, saver: build_distillation(
            memory, trainer=trainer, least=Least(beliefs=1), approve=True, checkpointer=saver
        ),
        verbs=("train", "judge", "promote", "settle"),
        given={},
    ),
}


@dataclass
class Opened:
    """What a process works with."""

    memory: Memory
    trainer: Scripted
    graph: Any

    def go_on(self, case: Case, told: Callable[[str], None] = lambda _: None) -> None:
        """Take the run to its end from wherever it is, answering what it asks; `told` hears of each boundary."""
        state = self.graph.get_state(CONFIG)
        given = None if state.created_at is not None else case.given
        while True:
            if state.interrupts:
                given = Command(resume=case.answer(state.interrupts[0].value))
            for event in self.graph.stream(given, CONFIG, stream_mode="tasks", durability="sync"):
                told(f"{'after' if 'result' in event else 'before'} {event['name']}")
            state, given = self.graph.get_state(CONFIG), None
            if not state.next:
                return

    def end(self) -> dict[str, Any]:
        """The graph's state, and what was kept. What a measurement took is another every time."""
        state = {name: _plain(value) for name, value in self.graph.get_state(CONFIG).values.items()}
        state.get("recalled", {}).pop("timings", None)
        memory, ana = self.memory, {"user": "ana"}
        versions = [memory.profile(version=each.version, **ana) for each in memory.profiles(**ana)]
        return {
            "state": state,
            "episodes": [each.model_dump(mode="json") for each in memory.episodes(**ana)],
            "beliefs": [each.model_dump(mode="json") for each in memory.beliefs(retired=True, **ana)],
            "merges": [each.model_dump(mode="json") for each in memory.merges(**ana)],
            "profiles": [each.model_dump(mode="json") for each in versions],
            "trainer": {each.name: each.read_text() for each in sorted(self.trainer.folder.iterdir())},
            "faults": memory.verify(),
        }


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def open_memory(folder: Path) -> Memory:
    settings = Settings(cache_dir=folder / "cache")
    return Memory(folder / "home", embeddings=HashEmbeddings(32), settings=settings, clock=lambda: NOW)


def prepare(folder: Path) -> None:
    """A home with a profile, and turns since."""
    folder.mkdir()
    with open_memory(folder) as memory:
        memory.remember(EARLIER, user="ana", session="earlier")
        memory.reflect(user="ana")
        memory.remember(SINCE, user="ana", session="since")


def run(folder: Path, name: str, at: int | None, verb: str | None) -> None:
    """Take a graph to its end; or die at its boundary number `at`, or when `verb` has done its work and told nobody."""
    case = CASES[name]
    boundaries: list[str] = []

    def told(boundary: str) -> None:
        boundaries.append(boundary)
        if len(boundaries) - 1 == at:
            os.kill(os.getpid(), signal.SIGKILL)

    connection = sqlite3.connect(folder / "checkpoints.sqlite", check_same_thread=False)
    # It takes none but LangGraph's own types.
    saver = SqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    trainer = Scripted(folder / "trainer")
    with closing(connection), open_memory(folder) as memory:
        if verb is not None:
            die_after(trainer if name == "distillation" else memory, verb)
        opened = Opened(memory, trainer, case.build(memory, trainer, saver))
        opened.go_on(case, told)
        (folder / "end.json").write_text(json.dumps(opened.end() | {"boundaries": boundaries}))


def die_after(owner: Any, verb: str) -> None:
    """Have the process killed once `owner` has done `verb`."""
    done = getattr(owner, verb)

    def dying(*args: Any, **more: Any) -> None:
        done(*args, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, verb, dying)


def in_process(work: Callable[[], None]) -> int:
    """Do `work` in a process of its own; what it exited with, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kills(folder: Path, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """How the run ends unkilled ("whole"); then, for each place where it is killed, how it ends when gone on with."""
    base = folder / "base"
    assert in_process(partial(prepare, base)) == 0

    def ended(at: int | None, verb: str | None) -> dict[str, Any]:
        place = folder / "killed"
        shutil.copytree(base, place)
        first = in_process(partial(run, place, name, at, verb))
        if at is not None or verb is not None:
            assert first == -signal.SIGKILL, f"was to be killed, and ended with {first}"
            assert not (place / "end.json").exists()
            first = in_process(partial(run, place, name, None, None))
        assert first == 0
        end = json.loads((place / "end.json").read_text())
        shutil.rmtree(place)
        return end

    whole = ended(None, None)
    yield "whole", whole
    for number, boundary in enumerate(whole["boundaries"]):
        yield boundary, ended(number, None)
    for verb in CASES[name].verbs:
        yield f"in {verb}", ended(None, verb)


if __name__ == "__main__":
    for each in kills(Path(sys.argv[1]), sys.argv[2]):
        print(json.dumps(each), flush=True)
