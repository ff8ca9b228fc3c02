"""What a parse adds to the patterns, and what it must not."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import OpenMemory

from memoria import Memory, Settings
from memoria.errors import ModelUnavailable
from memoria.extract.ontology import load_ontology
from memoria.extract.parser import Parser, installed
from memoria.extract.proposals import Proposal
from memoria.extract.rules import RulesExtractor
from memoria.records import Episode
from memoria.settings import ExtractSettings

pytestmark = pytest.mark.skipif(installed() is None, reason='needs pip install "memoria-lifelong[nlp]"')

ANA = "ana"


def turn(text: str, **more: str) -> Episode:
    values = {"role": "user", "trust": "user", "speaker": "user", "session": "s"} | more
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Episode.model_construct(user=ANA, text=text, occurred_at=now, **values)


@pytest.fixture(scope="module")
def parsed() -> RulesExtractor:
    return RulesExtractor(load_ontology(), spacy=True)


@pytest.fixture(scope="module")
def plain() -> RulesExtractor:
    return RulesExtractor(load_ontology())


def added(parsed: RulesExtractor, plain: RulesExtractor, text: str) -> list[Proposal]:
    """What the parse proposes beyond the patterns."""
    without = plain.extract([turn(text)], ())[0]
    return [each for each in parsed.extract([turn(text)], ())[0] if each not in without]


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("My brother Tom coaches football on weekends.", {("Tom", "coach", "football")}),
        (
            "My sister Anna repairs old radios in Denver and restores violins.",
            {("Anna", "repair", "old radios"), ("Anna", "repair in", "Denver"), ("Anna", "restore", "violins")},
        ),
        (
            "My sister carried groceries for Mrs. Hall.",
            {("user's sister", "carry", "groceries"), ("user's sister", "carry for", "Mrs. Hall")},
        ),
        ("Marta trains horses in Vienna.", {("Marta", "train", "horses"), ("Marta", "train in", "Vienna")}),
        ("My cousin Leo fixed my bike last week.", {("Leo", "fix", "bike")}),
        ("My friend Ivy proposed to me on Mount Etna.", {("Ivy", "propose on", "Mount Etna")}),
    ],
)
def test_people_known_by_relation_or_name_do_things(
    parsed: RulesExtractor, plain: RulesExtractor, text: str, facts: set[tuple[str, str, str]]
) -> None:
    found = {(each.subject, each.predicate, each.object) for each in added(parsed, plain, text)}
    assert found == facts


@pytest.mark.parametrize(
    "text",
    [
        "Does my brother Tom repair radios?",
        "My brother Tom might repair radios.",
        "My brother Tom wants to repair radios.",
        "If my sister repairs radios I will be glad.",
        "My sister says he repairs radios.",
        "My dad was promoted by Google.",
        "My sister makes a difference and gives advice.",
        "My sister has not returned my sweater.",
        "My brother told me a story.",
        "My brother does things.",
        "Apple released a new phone.",
        "Python supports closures.",
        "Einstein developed relativity in Bern.",
        "Sounds great, keep going.",
        "Write a story: my brother Tom repairs radios in Denver.",
    ],
)
def test_junk_is_worse_than_nothing(parsed: RulesExtractor, plain: RulesExtractor, text: str) -> None:
    assert added(parsed, plain, text) == []


def test_a_name_without_a_relation_needs_more(parsed: RulesExtractor, plain: RulesExtractor) -> None:
    assert added(parsed, plain, "Bob gave the eggs to Alice.") == []
    assert [p.object for p in added(parsed, plain, "Bob gave me the eggs.")] == ["eggs"]


def test_a_fact_speaks_in_the_turns_words_and_cites_them(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember("Guess what! My cousin Leo fixed my bike, which is old.", user=ANA)
    fact = next(each for each in memory.beliefs(user=ANA) if each.subject == "Leo")
    assert fact.statement == "Leo fixed user's bike"
    assert memory.explain(fact.id, user=ANA).evidence[0].quote.startswith("My cousin Leo fixed my bike")


def test_what_somebody_does_stands_side_by_side_until_denied(memory: Memory) -> None:
    for text in ("My sister Anna restores violins.", "My sister Anna restores cellos."):
        memory.remember(text, user=ANA, session=text)
    assert {"Anna restores violins", "Anna restores cellos"} <= _statements(memory)
    memory.remember("My sister Anna doesn't restore violins.", user=ANA, session="later")
    assert "Anna restores violins" not in _statements(memory)
    assert "Anna restores cellos" in _statements(memory)


def test_what_is_denied_first_is_said_as_a_belief_once_affirmed(memory: Memory) -> None:
    memory.remember("My uncle Ed does not carry parcels in Rome.", user=ANA, session="1")
    assert not any("parcels" in each for each in _statements(memory))
    memory.remember("My uncle Ed carries parcels.", user=ANA, session="2")
    assert "Ed carries parcels" in _statements(memory)


def test_she_is_the_one_person_named_before(parsed: RulesExtractor, plain: RulesExtractor) -> None:
    met = "Yesterday I met Clara at the gym. She works at Siemens."
    assert [(p.subject, p.object) for p in added(parsed, plain, met)] == [("Clara", "Siemens")]
    assert added(parsed, plain, "I met Clara and Julia at the gym. She works at Siemens.") == []
    assert added(parsed, plain, "Thanks, Clara! She works at Siemens.") == []


def test_kinds_come_from_the_parse_where_the_ontology_is_silent(parsed: RulesExtractor) -> None:
    kinds = {
        text: parsed.extract([turn(text)], ())[0][0].object_kind
        for text in ("My departure city is New York.", "My passion is Cooking.", "My car is a Volvo.")
    }
    assert list(kinds.values()) == ["place", None, None]


def test_without_it_the_patterns_read_alone(open_memory: OpenMemory, settings: Settings) -> None:
    off = settings.model_copy(update={"extract": ExtractSettings(spacy=False)})
    memory = open_memory(settings=off)
    memory.remember("My cousin Leo fixed my bike.", user=ANA)
    assert {each.subject for each in memory.beliefs(user=ANA)} == {"user"}
    assert RulesExtractor(load_ontology()).name == "rules-1"


def test_turns_read_without_it_are_read_again(open_memory: OpenMemory, settings: Settings) -> None:
    off = settings.model_copy(update={"extract": ExtractSettings(spacy=False)})
    open_memory(settings=off).remember("My cousin Leo fixed my bike.", user=ANA)
    memory = open_memory()
    before = memory.beliefs(user=ANA)
    assert memory.learn(user=ANA) == 1
    after = memory.beliefs(user=ANA)
    assert {"Leo fixed user's bike"} == {b.statement for b in after} - {b.statement for b in before}
    assert [b.evidence for b in after][: len(before)] == [b.evidence for b in before]


def test_others_words_are_not_parsed(parsed: RulesExtractor) -> None:
    said = "My cousin Leo fixed my bike."
    assert parsed.extract([turn(said, role="assistant"), turn(said, trust="tool")], ()) == [[], []]


def test_threads_share_one_parser(parsed: RulesExtractor) -> None:
    texts = [f"My brother Tom repairs {each} in Denver." for each in ("radios", "clocks", "bells", "toys")] * 8
    alone = [parsed.extract([turn(text)], ()) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: parsed.extract([turn(text)], ()), texts))
    assert together == alone


def test_it_loads_only_where_it_may_help(tmp_path: Path) -> None:
    script = """if True:
        import sys
        from memoria import HashEmbeddings, Memory
        with Memory(sys.argv[1], embeddings=HashEmbeddings(8)) as memory:
            memory.remember(["I live in Lisbon.", "Sounds great. Does my sister paint?"], user="ana")
            print("spacy" in sys.modules)
            memory.remember("My cousin Leo fixed my bike.", user="ana")
            print("spacy" in sys.modules)
    """
    assert subprocess.check_output([sys.executable, "-c", script, str(tmp_path)], text=True) == "False\nTrue\n"


def test_a_model_that_does_not_load_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import spacy

    def refuse(*_: object, **__: object) -> None:
        raise OSError("[E053] Could not read config file")

    monkeypatch.setattr(spacy, "load", refuse)
    with pytest.raises(ModelUnavailable, match=r"extract\.spacy"):
        Parser().people_in("I met Clara.")


def _statements(memory: Memory) -> set[str]:
    return {each.statement for each in memory.beliefs(user=ANA)}
