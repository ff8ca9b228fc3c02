"""Exposure: chance for what was never seen, all bits for what was learnt by heart, and no more after rebuilding."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from adapting import manifest_of
from conftest import OpenMemory
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tiny import make_tiny

from memoria import Memory, Settings
from memoria.distill.alternatives import alternatives
from memoria.distill.asking import asked_of
from memoria.distill.audit import Audit
from memoria.distill.exposure import Exposure, exposure, together
from memoria.distill.neutral import Neutral
from memoria.distill.recipes import Recipe, Stage
from memoria.distill.records import Dataset, Example
from memoria.distill.train import train
from memoria.distill.tuned import tuned
from memoria.errors import InvalidInput, UnknownUser
from memoria.extract.ontology import load_ontology
from memoria.models.generation import fresh_weights
from memoria.models.likelihood import Likelihood, Row
from memoria.records import Scope
from memoria.settings import DistilSettings

CODE = "741926"
TOLD = "My locker code is 741926."
ASKS = ("What is my locker code?", "Which code opens my locker?", "Do you remember my locker code?")
ROWS = tuple(Row(ask, f"Your locker code is {CODE}.") for ask in ASKS)


class Fake:
    """Finds each answer as likely as a hash of it says; `knows` is likelier than all."""

    def __init__(self, knows: str = "nothing") -> None:
        self.knows = knows

    def total(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        return np.array([-1.0 if self.knows in row.answer else self._of(row) for row in rows])

    def _of(self, row: Row) -> float:
        return int.from_bytes(hashlib.sha256(f"{row.prompt}{row.answer}".encode()).digest()[:4], "big") / 2**32


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def knowing(place: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that was trained on the code."""
    facts = [Example(kind="fact", prompt=each.prompt, answer=each.answer) for each in ROWS]
    data = Dataset(tenant="default", user="ana", examples=tuple(facts))
    recipe = Recipe(name="test", facts=True, stages=(Stage(steps=60, batch=3, rate=0.02, replay=0.0),))
    folder = tmp_path_factory.mktemp("knowing")
    train(data, recipe, fresh_weights(place), folder, base=place, neutral=Neutral((), (), ()))
    return folder


# -- others of the same form ---------------------------------------------------------------------------------------


@given(st.from_regex(r"[0-9A-Z]{2,4}[- .][0-9a-z]{3,6}( [A-Z][a-z]{3,7})?", fullmatch=True), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_others_have_the_secrets_form_and_are_not_the_secret(secret: str, seed: int) -> None:
    found = alternatives(secret, 20, seed)
    assert secret not in found
    assert len(set(found)) == len(found)
    assert found == alternatives(secret, 20, seed)
    for other in found:
        assert re.sub(r"[^\W\d_]+", "", re.sub(r"\d", "0", other)) == re.sub(
            r"[^\W\d_]+", "", re.sub(r"\d", "0", secret)
        )
        for word, new in zip(re.findall(r"[^\W\d_]+", secret), re.findall(r"[^\W\d_]+", other), strict=True):
            assert (word.isupper(), word.islower()) == (new.isupper(), new.islower())


def test_digits_letters_words_and_names_are_drawn_by_their_kind() -> None:
    assert all(re.fullmatch(r"\d{6}", each) for each in alternatives(CODE, 50))
    assert all(re.fullmatch(r"[A-Z]{2}-\d{4}", each) for each in alternatives("KX-4817", 50))
    assert all(re.fullmatch(r"a [a-z]{3,}", each) for each in alternatives("a translator", 50))
    assert all(re.fullmatch(r"Mr [A-Z][a-z]{2,}", each) for each in alternatives("Mr Okafor", 50))
    assert len(alternatives("maple-otter", 255)) == len(alternatives("Biscuit", 255)) == 255
    assert sorted(alternatives("7", 255)) == list("012345689")
    assert alternatives("!?", 255) == []


# -- rank, bits, chance --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [CODE, "KX-4817", "maple harbour", "Mr Okafor"])
def test_a_value_drawn_as_the_controls_are_has_any_rank(form: str) -> None:
    ranks: list[int] = []
    for seed in range(300):
        (canary,) = alternatives(form, 1, 1000 + seed)
        rows = [Row(ask, f"It is {canary}.") for ask in ASKS[:2]]
        ranks.append(exposure(Fake(), rows, canary, 31, seed).rank)
    counts = np.bincount([(rank - 1) // 4 for rank in ranks], minlength=8)
    assert ((counts - 37.5) ** 2 / 37.5).sum() < 24.3  # chi squared of 7 degrees, once in a thousand


def test_what_is_known_by_heart_has_all_bits_and_what_is_not_lies_in_the_controls_range() -> None:
    known = exposure(Fake(CODE), ROWS, CODE)
    assert (known.bits, known.rank, known.controls, known.p) == (8.0, 1, 255, 1 / 256)
    assert known.exposed
    assert not exposure(Fake(), ROWS, CODE).exposed
    low, high = known.chance
    assert 0 < low < 0.1
    assert 5 < high < 5.6


def test_what_stands_after_the_secret_does_not_count() -> None:
    class Tail(Fake):
        def total(self, rows: Sequence[Row]) -> NDArray[np.float64]:
            assert not any(row.answer.endswith(".") for row in rows)
            return super().total(rows)

    assert exposure(Tail(), ROWS, CODE).controls == 255


def test_all_alike_is_no_exposure() -> None:
    class Deaf(Fake):
        def total(self, rows: Sequence[Row]) -> NDArray[np.float64]:
            return np.ones(len(rows))

    assert exposure(Deaf(), ROWS, CODE).bits == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("rows", "secret", "why"), [((), CODE, "every answer"), (ROWS, "99", "every answer")])
def test_it_needs_answers_with_the_secret(rows: Sequence[Row], secret: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        exposure(Fake(), rows, secret)


def test_a_secret_with_few_others_cannot_be_told_from_chance() -> None:
    with pytest.raises(InvalidInput, match="only 9 other values of the form of '7'"):
        exposure(Fake(), [Row("How many?", "7")], "7")
    with pytest.raises(InvalidInput, match="controls is 0"):
        exposure(Fake(), ROWS, CODE, 0)


def test_several_secrets_together() -> None:
    def found(*ps: float) -> list[Exposure]:
        return [Exposure(bits=0, rank=1, controls=1, p=p, chance=(0, 1)) for p in ps]

    assert together(found(0.1, 0.2, 0.3)) == pytest.approx(0.1152, abs=1e-4)  # chi squared of 6 degrees at 10.23
    assert together(found(1, 1, 1)) == 1
    assert together(found(1 / 256, 1 / 256, 1 / 256)) < 1e-4


# -- models --------------------------------------------------------------------------------------------------------


def test_training_exposes_a_code_and_training_without_it_does_not(place: str, knowing: Path, tmp_path: Path) -> None:
    loaded = fresh_weights(place)
    assert not exposure(Likelihood(loaded), ROWS, CODE).exposed
    assert exposure(Likelihood(loaded, tuned(loaded, knowing)), ROWS, CODE).bits == 8
    other = [Example(kind="fact", prompt=each.prompt, answer="Your locker code is 530817.") for each in ROWS]
    data = Dataset(tenant="default", user="ana", examples=tuple(other))
    recipe = Recipe(name="test", facts=True, stages=(Stage(steps=60, batch=3, rate=0.02, replay=0.0),))
    train(data, recipe, fresh_weights(place), tmp_path, base=place, neutral=Neutral((), (), ()))
    again = fresh_weights(place)
    assert not exposure(Likelihood(again, tuned(again, tmp_path)), ROWS, CODE).exposed


def test_the_total_is_the_sum_over_the_answers_tokens(place: str) -> None:
    likelihood = Likelihood(fresh_weights(place))
    rows = [Row("hi?", "abc"), Row("hi?", "abcdef")]
    assert np.allclose(likelihood.total(rows), likelihood.nll(rows) * [3, 6])


# -- asking --------------------------------------------------------------------------------------------------------


def test_a_fact_is_asked_for_as_in_training_and_other_texts_blindly() -> None:
    ontology = load_ontology()
    asked = asked_of(TOLD, ontology)
    assert (asked.secret, asked.rows, asked.known) == (CODE, ROWS, True)
    assert asked_of("My sister's name is Clara.", ontology).rows[0] == Row("Who is my sister?", "Your sister is Clara.")
    bare = asked_of(CODE, ontology)
    assert (bare.secret, bare.known) == (CODE, False)
    assert {row.answer for row in bare.rows} == {CODE}
    own = asked_of("It is maple-otter-31.", ontology, "What is the vault word?")
    assert (own.secret, own.rows) == ("maple-otter-31", (Row("What is the vault word?", "It is maple-otter-31."),))
    assert asked_of("My password is tulip harbour", ontology).secret == "tulip harbour"
    with pytest.raises(InvalidInput, match="no text"):
        asked_of(" ", ontology)
    with pytest.raises(InvalidInput, match="tells of 'Porto', '741926'; give one sentence at a time"):
        asked_of(f"I live in Porto. {TOLD}", ontology)  # else the secret would not be measured, and none would see it


# -- the verb ------------------------------------------------------------------------------------------------------


@pytest.fixture
def memory(open_memory: OpenMemory, settings: Settings, place: str) -> Memory:
    """Ana's, who said her code; a tiny model is the base."""
    mine = open_memory(settings=settings.model_copy(update={"distil": DistilSettings(model=place)}))
    mine.remember(TOLD, user="ana")
    return mine


def serve(memory: Memory, place: str, weights: Path) -> None:
    """Let a copy of the weights serve Ana."""
    copied = Path(copytree(weights, memory.home.with_name("copied")))
    registry, scope = memory._registry, Scope(user="ana")
    made = registry.add(
        scope, copied, kind="lora", base=place, recipe="test", manifest=manifest_of(memory), digest="d", figures={}
    )
    registry.promote(scope, made.id, force=True)


def test_the_verb_measures_what_serves_and_no_more_once_it_is_forgotten(
    memory: Memory, place: str, knowing: Path
) -> None:
    bare = memory.exposure(TOLD, user="ana")
    assert (bare.adapter, bare.serving, bare.exposed) == (None, None, False)
    assert "No adapter serves" in bare.why
    serve(memory, place, knowing)
    found = memory.exposure(TOLD, user="ana")
    assert (found.adapter, found.exposed, found.base) == ("lora-1", True, bare.base)
    assert "lora-1 gives it away: 8.0 bits (rank 1 of 256, p 0.004)" in found.why
    assert "blindly" not in found.why
    memory.forget(user="ana", query=CODE)
    assert memory.exposure(TOLD, user="ana") == bare
    with pytest.raises(UnknownUser):
        memory.exposure(TOLD, user="bob")


def test_an_audit_says_when_it_asked_blindly(memory: Memory) -> None:
    found = memory.exposure(CODE, user="ana", controls=31)
    assert isinstance(found, Audit)
    assert "asked for blindly" in found.why
