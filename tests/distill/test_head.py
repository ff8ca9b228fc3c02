"""The preference head: what it learns, keeps, and leaves alone."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from memoria import HashEmbeddings
from memoria.distill.head import ABOUT, WEIGHTS, PreferenceHead, best_of_n
from memoria.distill.records import Pair
from memoria.errors import EmbeddingMismatch, InvalidInput
from memoria.models.embeddings import Embedder, load_embeddings
from memoria.store.text import terms
from tests.distill.tastes import EASY, HARD, HELD_OUT, pairs_of


class Held:
    """An embedder that asks its model once for each text."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder, self._vectors = embedder, dict[str, Any]()
        self.identity, self.dimension = embedder.identity, embedder.dimension

    def embed(self, texts: list[str]) -> Any:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(new, self._embedder.embed(new), strict=True))
        return np.array([self._vectors[text] for text in texts])


@pytest.fixture(scope="module")
def minilm(model_cache: Path) -> Any:
    return Held(load_embeddings(None, model_cache))


def _split(pairs: list[Pair]) -> tuple[list[Pair], list[Pair]]:
    return [p for p in pairs if p.split == "train"], [p for p in pairs if p.split == "held_out"]


def _ranked_right(tastes: dict[str, Any], embedder: Any) -> float:
    """The mean over everybody there can be: each takes either side of each dimension, so that words alone, or a taste
    of the model's own, come out at exactly one half."""
    found = []
    for sides in product([True, False], repeat=len(tastes)):
        train, held_out = _split(pairs_of(tastes, sides))
        found.append((PreferenceHead.fit(train, embedder).margins(held_out) > 0).mean())
    return float(np.mean(found))


def test_preferences_that_words_give_away(minilm: Any) -> None:
    assert _ranked_right(EASY, minilm) >= 0.9


def test_preferences_that_words_do_not_give_away(minilm: Any) -> None:
    assert _ranked_right(HARD, minilm) >= 0.6


def test_hard_set_shares_no_content_word() -> None:
    def said(begin: int, end: int | None) -> set[str]:
        return {term for each in HARD.values() for row in each[begin:end] for text in row[1:] for term in terms(text)}

    assert not said(0, -HELD_OUT) & said(-HELD_OUT, None)


def test_mirror_has_the_mirrored_scores(minilm: Any) -> None:
    train, held_out = _split(pairs_of(HARD, [True] * len(HARD)))
    mirrored = [pair.model_copy(update={"chosen": pair.rejected, "rejected": pair.chosen}) for pair in train]
    margins = PreferenceHead.fit(train, minilm).margins(held_out)
    np.testing.assert_allclose(PreferenceHead.fit(mirrored, minilm).margins(held_out), -margins, atol=1e-6)


def test_taste_that_turns_with_the_topic(minilm: Any) -> None:
    """Tea at home and coffee at the office: the answer alone tells nothing."""
    home = ["At home, in the evening?", "On my sofa at home?", "For the kitchen at home?", "Home on a Sunday?"]
    work = ["At the office?", "In a meeting at work?", "For my desk at the office?", "At work on a Monday?"]
    pairs = [Pair(kind="vote", prompt=each, chosen="A cup of tea.", rejected="A cup of coffee.") for each in home]
    pairs += [Pair(kind="vote", prompt=each, chosen="A cup of coffee.", rejected="A cup of tea.") for each in work]
    head = PreferenceHead.fit(pairs, minilm)
    assert head.features == "topic"
    assert head.best_of("Something to drink at home?", ["A mug of coffee.", "A mug of tea."]) == 1
    assert head.best_of("Something to drink at the office?", ["A mug of coffee.", "A mug of tea."]) == 0


def test_answer_alone_where_topics_tell_nothing_more(minilm: Any) -> None:
    train, _ = _split(pairs_of(EASY, [True] * len(EASY)))
    assert PreferenceHead.fit(train, minilm).features == "answer"


@pytest.fixture
def embedder() -> Embedder:
    return Embedder(HashEmbeddings(256), "hash-256")


def _easy() -> list[Pair]:
    return pairs_of(EASY, [True, False] * 3)


def test_saved_and_loaded_scores_alike_and_holds_no_words(embedder: Embedder, tmp_path: Path) -> None:
    head = PreferenceHead.fit(_easy(), embedder)
    head.save(tmp_path)
    loaded = PreferenceHead.load(tmp_path, embedder)
    np.testing.assert_allclose(loaded.margins(_easy()), head.margins(_easy()), rtol=1e-5)
    assert loaded.figures == head.figures
    written = (tmp_path / WEIGHTS).read_bytes() + (tmp_path / ABOUT).read_bytes()
    assert not [word for word in ("vegetarian", "jazz", "train at nine") if word.encode() in written]


def test_same_pairs_same_bytes(embedder: Embedder, tmp_path: Path) -> None:
    for name in ("one", "two"):
        PreferenceHead.fit(_easy(), embedder).save(tmp_path / name)
    for file in (WEIGHTS, ABOUT):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_head_of_other_vectors_is_refused(embedder: Embedder, tmp_path: Path) -> None:
    PreferenceHead.fit(_easy(), embedder).save(tmp_path)
    with pytest.raises(EmbeddingMismatch, match="hash-256"):
        PreferenceHead.load(tmp_path, Embedder(HashEmbeddings(128), "hash-128"))


@pytest.mark.parametrize(
    ("file", "damage"), [(ABOUT, None), (ABOUT, "{"), (ABOUT, json.dumps({"format": 1})), (WEIGHTS, "half a fi")]
)
def test_no_head_is_told(embedder: Embedder, tmp_path: Path, file: str, damage: str | None) -> None:
    if damage is not None:
        PreferenceHead.fit(_easy(), embedder).save(tmp_path)
        (tmp_path / file).write_text(damage)
    with pytest.raises(InvalidInput, match="distil again"):
        PreferenceHead.load(tmp_path, embedder)


def test_nothing_to_fit(embedder: Embedder) -> None:
    with pytest.raises(InvalidInput, match="no pairs"):
        PreferenceHead.fit([], embedder)
    with pytest.raises(InvalidInput, match="no pairs"):
        PreferenceHead.fit([_easy()[0].model_copy(update={"weight": 0.0})], embedder)


def test_one_pair_is_enough_to_fit(embedder: Embedder) -> None:
    pair = Pair(kind="vote", prompt="Which?", chosen="green tea", rejected="black coffee")
    assert PreferenceHead.fit([pair], embedder).margins([pair]) > 0


def test_heavier_pair_wins(embedder: Embedder) -> None:
    tea = Pair(kind="vote", prompt="Which?", chosen="green tea", rejected="black coffee")
    coffee = Pair(kind="edit", prompt="Which?", chosen="black coffee", rejected="green tea", weight=3.0)
    assert PreferenceHead.fit([tea, coffee], embedder).best_of("Which?", ["green tea", "black coffee"]) == 1


def test_best_of_n(embedder: Embedder) -> None:
    head = PreferenceHead.fit(_easy(), embedder)
    model = FakeListChatModel(responses=["A beef steak.", "A vegetarian curry.", "Some beef broth."])
    best = best_of_n(model, [SystemMessage("Help."), HumanMessage("What should I cook?")], head, 3)
    assert best.message.text == "A vegetarian curry."
    assert best.place == int(np.argmax(best.scores))
    assert {each.text for each in best.messages} == set(model.responses)
    with pytest.raises(InvalidInput, match="at least one"):
        best_of_n(model, [HumanMessage("What?")], head, 0)


def test_rerank_weighs_liking_against_relevance(embedder: Embedder) -> None:
    head = PreferenceHead.fit(_easy(), embedder)
    texts = ["the beef burger", "the bus stop", "the vegetarian burger"]
    assert head.rerank("Lunch?", texts)[0] == 2
    assert head.rerank("Lunch?", texts, [0.9, 0.1, 0.2], weight=0.0)[0] == 0
    assert head.rerank("Lunch?", [], []) == []
