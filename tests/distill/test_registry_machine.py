"""The registry under whatever order of adding, judging, promoting, rolling back and forgetting."""

from __future__ import annotations

import tempfile
from pathlib import Path

from adapting import FAILED, PASSED, add, manifest_of
from conftest import DIMENSION, Clock
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from memoria import HashEmbeddings, Memory, Settings
from memoria.errors import Withheld
from memoria.records import Scope

ANA = Scope(user="ana")
KINDS = st.sampled_from(["lora", "card"])
NUMBER = st.integers(0, 50)


class Registered(RuleBasedStateMachine):
    """Ana's turns, some forgotten on the way, and the adapters made of them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="memoria-machine-")
        self.memory = Memory(
            Path(self.folder.name) / "home",
            embeddings=HashEmbeddings(DIMENSION),
            settings=Settings.model_validate({"store": {"index": "exact"}, "distil": {"kept": 50}}),
            clock=Clock(),
        )
        kept = self.memory.remember([f"Turn number {n} of the sea." for n in range(8)], user="ana")
        self.turns = [each.id for each in kept]
        self.erased: set[str] = set()
        self.made_of: dict[str, set[str]] = {}

    def teardown(self) -> None:
        self.memory.close()
        self.folder.cleanup()

    def some(self, number: int) -> str:
        return sorted(self.made_of)[number % len(self.made_of)]

    @rule(kind=KINDS, which=st.sets(st.integers(0, 7), min_size=1, max_size=3), going_on=st.booleans())
    def add(self, kind: str, which: set[int], going_on: bool) -> None:
        ids = {self.turns[each % len(self.turns)] for each in which}
        now = self.memory.serving(kind, user="ana") if going_on else None  # type: ignore[arg-type]
        made = add(self.memory, sorted(ids), kind=kind, parent=now.id if now else None)  # type: ignore[arg-type]
        self.made_of[made.id] = ids | (self.made_of[now.id] if now else set())

    @precondition(lambda self: self.made_of)
    @rule(number=NUMBER, passed=st.booleans())
    def judge(self, number: int, passed: bool) -> None:
        found = self.memory.adapter(self.some(number), user="ana").adapter
        if found.status in ("candidate", "rejected"):
            self.memory._registry.judge(ANA, found.id, PASSED if passed else FAILED)

    @precondition(lambda self: self.made_of)
    @rule(number=NUMBER, force=st.booleans())
    def promote(self, number: int, force: bool) -> None:
        name = self.some(number)
        before = self.memory.adapter(name, user="ana").adapter
        passed = before.verdict is not None and before.verdict.passed
        fit = not self.made_of[name] & self.erased and (force or passed)
        try:
            self.memory.promote(name, user="ana", force=force)
        except Withheld:
            assert not fit
        else:
            assert fit
            assert self.memory.may_serve(name, user="ana").may

    @rule(kind=KINDS)
    def roll_back(self, kind: str) -> None:
        before = self.memory.serving(kind, user="ana")  # type: ignore[arg-type]
        after = self.memory.rollback(kind, user="ana")  # type: ignore[arg-type]
        if after is not None:
            assert before is not None
            assert after.version < before.version
            assert after.promoted_at is not None
            assert not self.made_of[after.id] & self.erased
        assert self.memory.serving(kind, user="ana") == after  # type: ignore[arg-type]

    @precondition(lambda self: len(self.turns) > 2)
    @rule(number=NUMBER)
    def forget(self, number: int) -> None:
        gone = self.turns.pop(number % len(self.turns))
        held = {
            name
            for name, ids in self.made_of.items()
            if gone in ids and self.memory.adapter(name, user="ana").adapter.status != "quarantined"
        }
        receipt = self.memory.forget(user="ana", ids=[gone])
        self.erased.add(gone)
        assert set(receipt.quarantined) == held
        assert receipt.complete
        for name in receipt.serving:
            assert self.memory.may_serve(name, user="ana").may

    @invariant()
    def one_of_a_kind_serves_and_only_what_is_remembered(self) -> None:
        found = self.memory.adapters(user="ana")
        serving = [each for each in found if each.status == "serving"]
        assert len({each.kind for each in serving}) == len(serving)
        for each in serving:
            assert not self.made_of[each.id] & self.erased
            assert self.memory.serving(each.kind, user="ana") == each
        for each in found:
            tainted = bool(self.made_of[each.id] & self.erased)
            assert (each.status == "quarantined") == tainted
            assert (self.memory.home / each.folder).exists() != tainted


def test_whatever_comes_nothing_erased_serves() -> None:
    state = settings(max_examples=12, stateful_step_count=20, deadline=None, derandomize=True, database=None)
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(Registered, settings=state)


def test_a_manifest_names_just_what_it_was_made_of(memory: Memory) -> None:
    memory.remember(["I love tea.", "I live in Porto."], user="ana")
    one, again = manifest_of(memory), manifest_of(memory)
    assert one.digest == again.digest
    add(memory, manifest=one, serve=True)
    assert memory._registry.manifest(ANA, "lora-1").digest == one.digest
    assert memory._registry.manifest(ANA, "lora-1").counts == {"belief": 2, "episode": 2}
