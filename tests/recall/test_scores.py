"""The scores: BM25 as defined, windows, contributions that sum, confidence, budget."""

from __future__ import annotations

from collections import Counter
from math import log

import numpy as np
import pytest
from conftest import OpenMemory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memoria import Memory, Settings
from memoria.recall.budget import quote_of
from memoria.recall.lexical import K1, B, score_lexical
from memoria.settings import RecallSettings, Signals
from memoria.store.text import count_tokens, terms

SAID = ["tea by the sea", "sea", "green tea and black tea", "mountains", "we saw the sea from the train", "yes"]


def examined(memory: Memory, question: str) -> object:
    return memory.examine(question, user="ana")


def naive_bm25(documents: list[list[str]], question: list[str]) -> np.ndarray:
    mean = sum(map(len, documents)) / len(documents)
    scores = np.zeros(len(documents))
    most = 0.0
    for word in question:
        holding = sum(word in each for each in documents)
        idf = log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
        most += idf * (K1 + 1)
        for number, each in enumerate(documents):
            tf = Counter(each)[word]
            scores[number] += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * len(each) / mean))
    return scores / most


def test_bm25_of_turns_is_bm25(memory: Memory) -> None:
    memory.remember(SAID, user="ana", session="s")
    found = examined(memory, "tea at the sea")
    expected = naive_bm25([terms(f"user: {text}") for text in SAID], ["tea", "sea"])
    np.testing.assert_allclose(found.lexical.turn, expected, rtol=1e-5)
    assert found.lexical.known == pytest.approx(1)


def test_a_window_is_a_turn_with_its_neighbours(memory: Memory) -> None:
    memory.remember(SAID, user="ana", session="s")
    memory.remember(["alone"], user="ana", session="t")
    found = examined(memory, "mountains")
    assert (found.lexical.window[:7] > 0).tolist() == [False, False, True, True, True, False, False]
    assert found.lexical.turn[3] > 0
    assert (found.lexical.session > 0).tolist() == [True] * 6 + [False]


def test_masked_turns_count_for_nothing(memory: Memory) -> None:
    memory.remember(SAID, user="ana", session="s")
    shelf = examined(memory, "tea sea").shelf
    mask = np.array([True, True, True, False, False, False])
    expected = naive_bm25([terms(f"user: {text}") for text in SAID[:3]], ["tea", "sea"])
    scores = score_lexical(shelf, mask, ["tea", "sea"])
    np.testing.assert_allclose(scores.turn[:3], expected, rtol=1e-5)
    assert scores.turn[3:].tolist() == [0, 0, 0]


QUESTIONS = st.sampled_from(
    ["Where is the sea?", "When did Ana drink tea in 2026?", "tea", "茶", "What do you like?", "?"]
)
SWITCHES = st.fixed_dictionaries({name: st.booleans() for name in Signals.model_fields})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=QUESTIONS, switches=SWITCHES)
def test_signals_sum_to_the_score_and_can_be_switched_off(
    open_memory: OpenMemory, question: str, switches: dict[str, bool]
) -> None:
    memory = open_memory(settings=Settings(recall=RecallSettings(signals=Signals(**switches))))
    for number, text in enumerate(SAID):
        memory.remember({"text": text, "speaker": "Ana", "id": str(number)}, user="ana", session=f"s{number // 3}")
    context = memory.recall(question, user="ana", k=20)
    scores = [hit.score for hit in context.hits]
    assert scores == sorted(scores, reverse=True)
    for hit in context.hits:
        assert sum(hit.signals.values()) == pytest.approx(hit.score)
        assert all(switches[name] for name in hit.signals)
    memory.close()


def test_chinese_is_found_by_words_alone(open_memory: OpenMemory) -> None:
    words = Signals(dense=False, dense_window=False)
    memory = open_memory(settings=Settings(recall=RecallSettings(signals=words)))
    memory.remember(["我养了一只叫小白的猫", "昨天下雨了", "ร้านกาแฟอยู่ใกล้บ้าน"], user="ana")
    assert memory.recall("我的猫叫什么", user="ana").hits[0].episode.text == "我养了一只叫小白的猫"
    assert memory.recall("กาแฟ", user="ana").hits[0].episode.text.startswith("ร้าน")


def test_the_budget_is_kept_and_what_is_left_out_is_named(memory: Memory) -> None:
    memory.remember([f"the sea is {'very ' * i}blue" for i in range(1, 20)], user="ana")
    for budget in (1, 15, 60, 400):
        context = memory.recall("sea", user="ana", k=8, budget=budget)
        assert count_tokens(context.render()) <= context.tokens <= budget
        assert len(context.render().splitlines()) == (len(context.hits) + 2 if context.hits else 0)
        assert [hit.citation for hit in context.hits] == list(range(1, len(context.hits) + 1))
        left = [each for each in context.dropped if "budget" in each.reason]
        assert len(left) + len(context.hits) == 8
        assert any("k is 8" in each.reason for each in context.dropped)


def test_a_long_turn_is_quoted_where_it_matters() -> None:
    text = "Nothing here. " * 80 + "My violin stands in the attic. " + "Nothing there. " * 80
    quote = quote_of(text, terms("Where is my violin?"), 100)
    assert "violin stands in the attic" in quote
    assert quote.startswith("… ")
    assert quote.endswith(" …")
    assert len(quote) <= 104
    assert quote_of("short\nand  sweet", [], 100) == "short and sweet"


@pytest.mark.parametrize("text", ["", "word", "a longer sentence, with marks!", "我喜欢茶", "x" * 1000])
def test_tokens_are_counted_high(text: str) -> None:
    assert count_tokens(text) >= len(text.split())
    assert count_tokens(text) >= len(text) / 6
