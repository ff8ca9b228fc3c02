"""Mirrored users: what the packaged ones must be, and that the harness measures by nothing but the person."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from tiny import make_tiny

from memoria import HashEmbeddings, Memory, Settings
from memoria.distill.recipes import Recipe, Stage
from memoria.errors import InvalidInput
from memoria.evaluate.mirrored import chosen_pairs, evaluate_mirrored
from memoria.evaluate.mirrored_data import HARD, SIDES, Dimension, Side, lengths, names, read_pair
from memoria.evaluate.mirrored_report import (
    ADAPTER,
    ARMS,
    BASE,
    HEAD,
    TWINS_HEAD,
    MirroredReport,
    PersonScores,
    Scores,
    Weights,
    show_mirrored_report,
)
from memoria.evaluate.mirrored_scores import Biased, check_blind, oracle, score
from memoria.models.embeddings import Embedder
from memoria.models.likelihood import Row
from memoria.models.local import LocalChat
from memoria.settings import DistilSettings

EVERY = [*names(), HARD]
DIMENSIONS = [pytest.param(each, id=f"{name}-{each.name}") for name in EVERY for each in read_pair(name).dimensions]


class Knowing:
    """Finds an answer the likelier, the more of its words stand in what was said before it; else goes by `taste`."""

    def __init__(self, taste: Callable[[str], float]) -> None:
        self.taste = taste

    def nll(self, rows: Sequence[Row]) -> np.ndarray:
        return np.array([self.taste(row.prompt + row.answer) - 9 * _in(row.answer, row.system) for row in rows])

    def plain(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([self.taste(text) for text in texts])


def _in(answer: str, system: str) -> int:
    return sum(word in system for word in answer.rstrip(".").split())


def by_hash(text: str) -> float:
    return zlib.crc32(text.encode()) / 2**32


# -- the packaged people ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_a_pair_is_whole(name: str) -> None:
    pair = read_pair(name)
    assert len(pair.dimensions) == (8 if name == HARD else 10)
    assert len(pair.facts) == (0 if name == HARD else 12)
    for dimension in pair.dimensions:
        assert (len(dimension.train), len(dimension.held_out)) == (5, 3)
        assert dimension.a != dimension.b
    for fact in pair.facts:
        assert len({*fact.answers("a")}) == 4
        assert {*fact.answers("a")} == {*fact.answers("b")}  # the twins choose among the same


@pytest.mark.parametrize("name", EVERY)
def test_nothing_held_out_is_trained_on(name: str) -> None:
    pair = read_pair(name)
    told = {text for each in pair.dimensions for choice in each.train for text in (choice.ask, choice.a, choice.b)}
    asked = [text for each in pair.dimensions for choice in each.held_out for text in (choice.a, choice.b)]
    assert told.isdisjoint(asked)
    for dimension in pair.dimensions:
        assert {choice.ask for choice in dimension.train}.isdisjoint(choice.ask for choice in dimension.held_out)


def test_nobody_is_twice_in_it() -> None:
    users = [read_pair(name).users.of(side) for name in EVERY for side in SIDES]
    assert len(users) == len({*users}) == 8


@pytest.mark.parametrize("dimension", read_pair(HARD).dimensions, ids=lambda each: each.name)
def test_words_give_nothing_away_in_the_hard_set(dimension: Dimension) -> None:
    assert dimension.vocabulary == "apart"
    assert dimension.shared_terms() == set()


@pytest.mark.slow
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_length_tells_nothing(dimension: Dimension, model_cache: Path) -> None:
    tokenizer = LocalChat(cache_dir=model_cache).loaded().tokenizer
    found = lengths(dimension, lambda text: len(tokenizer(text)["input_ids"]))
    assert abs(found["a"] / found["b"] - 1) <= 0.05
    assert abs(found["a longer"] - found["b longer"]) <= 2


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("side", SIDES)
def test_what_they_say_is_read_as_beliefs(name: str, side: Side, memory: Memory) -> None:
    pair = read_pair(name)
    for number, dimension in enumerate(pair.dimensions):
        memory.remember(dimension.of(side), user=f"p{number}")
        assert any(each.kind == "preference" for each in memory.beliefs(user=f"p{number}")), dimension.of(side)
    for number, fact in enumerate(pair.facts):
        memory.remember(fact.statement(side), user=f"f{number}")
        value = fact.of(side).removeprefix("a ").removeprefix("an ").removeprefix("the ")
        assert any(value in each.statement for each in memory.beliefs(user=f"f{number}")), fact.statement(side)


@pytest.mark.parametrize("side", SIDES)
def test_what_is_implied_is_no_belief(side: Side, memory: Memory) -> None:
    memory.remember([each.of(side) for each in read_pair(HARD).dimensions], user="u")
    assert not [each for each in memory.beliefs(user="u") if each.kind == "preference"]


def test_which_pairs_are_run() -> None:
    assert [each.name for each in chosen_pairs(1)] == ["pair1", HARD]
    assert [each.name for each in chosen_pairs(users=["milo", "mara"])] == ["pair2"]
    with pytest.raises(InvalidInput, match="ines"):
        chosen_pairs(users=["nobody"])


# -- the run ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_that_was_cut_short_goes_on(tmp_path: Path) -> None:
    whole = read_pair("pair1")
    pair = whole.model_copy(update={"dimensions": whole.dimensions[:2], "facts": whole.facts[:2]})
    settings = Settings(
        cache_dir=tmp_path / "cache", distil=DistilSettings(model=str(make_tiny(tmp_path / "tiny")), memory_mb=8000)
    )
    recipe = Recipe(name="quick", rank=2, facts=True, stages=(Stage(steps=2, batch=2),))
    heard: list[str] = []

    def run() -> MirroredReport:
        heard.clear()
        embedder = Embedder(HashEmbeddings(64), "hash")
        return evaluate_mirrored(
            [pair], embedder=embedder, settings=settings, recipe=recipe, out=tmp_path / "out", progress=stops
        )

    def stops(what: str) -> None:
        heard.append(what)
        if what == f"igor: {BASE}" and heard[0] == "ines: remembering":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    report = run()
    assert heard[0] == f"igor: {BASE}"  # what was made and measured before is there
    assert [set(each.arms) for each in report.people] == [{*ARMS}] * 2
    assert report.figures(BASE, report.people)["preferences"] == 0.5
    assert all(each.weights is not None and each.weights.steps == 2 for each in report.people)
    assert run() == report
    assert not heard
    with Console(record=True, width=120) as console:
        console.print(show_mirrored_report(report))
    assert "igor" in console.export_text()


def test_heads_need_no_language_model(tmp_path: Path) -> None:
    report = evaluate_mirrored(
        chosen_pairs(1),
        embedder=Embedder(HashEmbeddings(256), "hash"),
        settings=Settings(cache_dir=tmp_path, distil=DistilSettings(model="nowhere")),
        recipe=Recipe(name="none"),
        heads_only=True,
    )
    assert [each.user for each in report.people] == ["ines", "igor", "hanna", "hugo"]
    assert all(set(each.arms) == {HEAD, TWINS_HEAD} and each.weights is None for each in report.people)
    pair1, hard = report.of("pair1"), report.of(HARD)
    found = report.figures(HEAD, pair1)
    # Hashed embeddings see words alone: where no words are shared there is nothing to see.
    assert found["preferences_easy"] > 0.7
    assert found["preferences_easy"] > report.figures(HEAD, hard)["preferences"]
    assert report.of(None) == pair1


def test_a_folder_of_somebodys_own_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "ines" / "letters.txt"
    own.parent.mkdir()
    own.write_text("Dear Ines")
    with pytest.raises(InvalidInput, match="was not made here"):
        evaluate_mirrored(
            chosen_pairs(1),
            embedder=Embedder(HashEmbeddings(64), "hash"),
            settings=Settings(cache_dir=tmp_path),
            recipe=Recipe(name="none"),
            out=tmp_path,
            heads_only=True,
        )
    assert own.read_text() == "Dear Ines"


# -- the measure --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
@given(salt=st.text(max_size=5), constant=st.booleans())
def test_what_knows_nobody_is_right_on_exactly_a_half(name: str, salt: str, constant: bool) -> None:
    scorer = Knowing(lambda text: 1.0 if constant else by_hash(salt + text))
    one, other = (score(scorer, read_pair(name), side) for side in SIDES)
    check_blind("it", one, other)
    assert not constant or not any((*one.facts, *other.facts))  # a tie is no knowledge
    assert not any(a and b for a, b in zip(one.facts, other.facts, strict=True))


def test_what_peeks_is_found_out() -> None:
    pair = read_pair("pair1")
    peeking = score(Knowing(lambda text: -float(any(each.a in text for d in pair.dimensions for each in d.held_out))),
                    pair, "a")  # fmt: skip
    assert set(peeking.credits) == {1.0}
    with pytest.raises(Biased, match=r"1\.0000"):
        check_blind("It", peeking, peeking)


def test_memory_before_the_question_counts() -> None:
    pair = read_pair("pair2")
    blind, told = (score(Knowing(by_hash), pair, "b", system=each) for each in (lambda a, s: "", oracle))
    assert all(told.facts)
    assert not all(blind.facts)
    assert blind.margins != told.margins


def small() -> MirroredReport:
    """Twins on two dimensions: the adapter is right on all of the easy one and on half of the other."""

    def person(user: str, base: float) -> PersonScores:
        groups = ("easy", "easy", "other", "other")
        return PersonScores(
            pair="p",
            user=user,
            easy=("easy",),
            weights=Weights(folder="f", bytes=9_000_000, seconds=99, peak_mb=1800, steps=80),
            arms={
                BASE: Scores(margins=(base,) * 4, groups=groups, facts=(False, True, False, False), chosen=4.0),
                ADAPTER: Scores(margins=(1, 1, 1, -1), groups=groups, facts=(True,) * 4, chosen=3.0),
            },
        )

    return MirroredReport(model="m", recipe="facts", people=(person("one", 1.0), person("two", -1.0)))


def test_the_report_counts() -> None:
    found = small().to_json()["summary"]["all"]
    assert (found[BASE]["preferences"], found[BASE]["facts"]) == (0.5, 0.25)
    assert (found[ADAPTER]["preferences"], found[ADAPTER]["facts"]) == (0.75, 1.0)
    assert (found[ADAPTER]["preferences_easy"], found[ADAPTER]["preferences_rest"]) == (1.0, 0.5)
    assert found[ADAPTER]["preferences_ci95"] == [0.5, 1.0]
    assert found[ADAPTER]["chosen_to_base"] == 0.75
    assert "chat_to_base" not in found[ADAPTER]


def test_a_pair_that_is_none_says_where(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("users: {a: x, b: y}\ndimensions: [{name: n}]\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"dimensions\.0"):
        read_pair("odd", tmp_path)
    with pytest.raises(InvalidInput, match="There is no"):
        read_pair("none", tmp_path)
