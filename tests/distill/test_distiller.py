"""Distilling by heads alone, which need no language model: what is made, what is not made again, what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from conftest import DIMENSION, OpenMemory
from numpy.typing import NDArray
from taught import LIKES, say

from memoria import HashEmbeddings, InvalidInput, Memory
from memoria.distill import gate
from memoria.distill.card import Card
from memoria.errors import Withheld
from memoria.records import Episode
from memoria.settings import DistilSettings, GateSettings


@pytest.fixture
def taught(memory: Memory) -> Memory:
    """Ana's likings; hashed embeddings rank by chance, so the gate lets anything through."""
    gate = GateSettings(gain=0.0, keep=1.0, confidence=0.51, pairs=5)
    settings = DistilSettings(kinds=("head",), gate=gate)
    memory.settings = memory.settings.model_copy(update={"distil": settings})
    say(memory, *LIKES)
    return memory


def outcomes(memory: Memory) -> list[tuple[str, str]]:
    done = memory.distill(user="ana")
    return [(each.outcome, each.adapter.id if each.adapter is not None else "") for each in done.made]


def test_the_head_that_serves_ranks_answers(taught: Memory) -> None:
    assert taught.head(user="ana") is None
    assert outcomes(taught) == [("promoted", "head-1")]
    head = taught.head(user="ana")
    assert head is not None
    assert head.figures == taught.adapter("head-1", user="ana").adapter.figures | {}
    taught.rollback("head", user="ana")
    assert taught.head(user="ana") is None


def test_what_did_not_change_is_not_made_again(taught: Memory) -> None:
    first = taught.distill(user="ana").made[0]
    assert first.adapter is not None
    again = taught.distill(user="ana").made[0]
    assert again.outcome == "nothing"
    assert f"nothing changed since {first.adapter.id}" in again.why
    assert len(taught.adapters(user="ana")) == 1


def test_a_memory_that_comes_back_lets_its_head_serve_again(taught: Memory) -> None:
    taught.settings = taught.settings.model_copy(
        update={"distil": taught.settings.distil.model_copy(update={"gate": GateSettings(gain=0, keep=1, pairs=5)})}
    )
    made = taught.distill(user="ana").made[0]
    assert made.outcome == "promoted", made.why
    turn = say(taught, "I adore beetroot.", session="two")[0]
    assert taught.distill(user="ana").promoted == ("head-2",)
    liked = next(each for each in taught.beliefs(user="ana") if "beetroot" in each.statement)
    taught.retract(liked.id, user="ana")
    assert taught.distill(user="ana").promoted == ("head-1",)
    statuses = {each.id: each.status for each in taught.adapters(user="ana")}
    assert statuses == {"head-1": "serving", "head-2": "retired"}
    assert turn.id in {each.id for each in taught.episodes(user="ana")}


def test_what_was_rolled_back_is_not_let_serve_by_the_next_job(taught: Memory) -> None:
    assert outcomes(taught) == [("promoted", "head-1")]
    taught.rollback("head", user="ana")
    made = taught.distill(user="ana").made[0]
    assert (made.outcome, made.why) == ("nothing", "nothing changed since head-1, which was rolled back")
    assert taught.serving("head", user="ana") is None
    taught.promote("head-1", user="ana")
    taught.fit("head", user="ana")
    assert taught.serving("head", user="ana") is not None


def test_what_is_damaged_is_made_again(taught: Memory) -> None:
    made = taught.distill(user="ana").made[0].adapter
    assert made is not None
    (taught.home / made.folder / "head.safetensors").write_bytes(b"half")
    assert outcomes(taught) == [("promoted", "head-2")]
    served = taught.serving("head", user="ana")
    assert served is not None
    assert served.digest == made.digest


def test_what_served_by_force_is_judged_when_its_memory_comes_back(taught: Memory) -> None:
    assert taught.fit("head", user="ana").fresh
    taught.promote("head-1", user="ana", force=True)
    say(taught, "I adore beetroot.", session="two")
    assert taught.distill(user="ana").promoted == ("head-2",)
    taught.retract(next(b.id for b in taught.beliefs(user="ana") if "beetroot" in b.statement), user="ana")
    assert taught.distill(user="ana").promoted == ("head-1",)
    assert taught.adapter("head-1", user="ana").adapter.verdict is not None


def test_another_process_that_distils_the_same_is_no_error(
    taught: Memory, open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, judge = open_memory(settings=taught.settings), gate.judge

    def meanwhile(*args: Any, **more: Any) -> Any:
        monkeypatch.undo()
        other.distill(user="ana")
        return judge(*args, **more)

    monkeypatch.setattr(gate, "judge", meanwhile)
    assert outcomes(taught) == [("promoted", "head-1")]
    assert [each.status for each in taught.adapters(user="ana")] == ["serving"]


def test_a_candidate_of_a_killed_run_is_judged_and_serves(taught: Memory) -> None:
    fitted = taught.fit("head", user="ana")
    assert fitted.adapter is not None
    assert fitted.fresh
    again = taught.fit("head", user="ana")
    assert again.adapter == fitted.adapter
    assert again.fresh
    assert outcomes(taught)[0][1] == fitted.adapter.id


def test_too_little_says_what_is_missing(memory: Memory) -> None:
    say(memory, "I love jazz.")
    made = memory.distill(user="ana", kinds=("head",)).made[0]
    assert made.outcome == "rejected"
    assert "held-out pairs of 20" in made.why
    assert memory.serving("head", user="ana") is None


def test_a_card_tells_what_no_question_can_be_made_of(memory: Memory) -> None:
    say(memory, "I prefer being told the truth.")
    turn = say(memory, "I love being told the truth late.", session="two")[0]
    assert memory.dataset(user="ana").pairs == ()
    card = memory.fit("card", user="ana").adapter
    assert card is not None
    assert "told the truth" in Card.load(memory.home / card.folder).text
    assert turn.id in {each.id for each in memory.adapter(card.id, user="ana").origins}
    memory.forget(user="ana", ids=[turn.id])
    assert not memory.may_serve(card.id, user="ana").may


def test_nothing_said_is_nothing_made(memory: Memory) -> None:
    say(memory, "Good morning.")
    done = memory.distill(user="ana", kinds=("head", "card", "adapter"))
    assert [each.outcome for each in done.made] == ["nothing"] * 3
    assert all("nothing to learn from" in each.why for each in done.made)


def test_without_consent_nothing_is_made(taught: Memory) -> None:
    taught.consent(False, user="ana")
    with pytest.raises(InvalidInput, match="withholds consent"):
        taught.distill(user="ana")
    assert taught.adapters(user="ana") == []


def test_an_unknown_kind_is_named(taught: Memory) -> None:
    with pytest.raises(InvalidInput, match="'soul'"):
        taught.distill(user="ana", kinds=("soul",))  # type: ignore[arg-type]


class Meanwhile(HashEmbeddings):
    """Does something once, in the midst of fitting."""

    def __init__(self) -> None:
        super().__init__(DIMENSION)
        self.then: Callable[[], object] | None = None

    def embed_array(self, texts: Sequence[str]) -> NDArray[np.float32]:
        then, self.then = self.then, None
        if then is not None:
            then()
        return super().embed_array(texts)


def test_a_correction_that_is_corrected_meanwhile_is_not_learnt(open_memory: OpenMemory) -> None:
    embeddings = Meanwhile()
    memory = open_memory(embeddings=embeddings)
    _, answer, _, other = say(memory, "Which song?", "A: Take Five.", "And which drink?", "A: Tea.")
    memory.feedback(answer.id, user="ana", correction="So What.")

    def corrected(turn: Episode, words: str) -> Callable[[], object]:
        return lambda: memory.feedback(turn.id, user="ana", correction=words)

    embeddings.then = corrected(answer, "Blue in Green.")
    with pytest.raises(Withheld, match="thinks otherwise"):
        memory.fit("head", user="ana")
    assert memory.adapters(user="ana") == []
    for nothing_against in (corrected(answer, "Blue in Green."), corrected(other, "Coffee.")):
        embeddings.then = nothing_against
        assert memory.fit("head", user="ana").adapter is not None
