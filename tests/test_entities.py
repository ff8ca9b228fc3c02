"""Entities under many names: likeness, merges that can be undone, and what speaks against one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import START, Clock, OpenMemory

from memoria import HashEmbeddings, Memory
from memoria.errors import UnknownBelief
from memoria.extract.spelling import spelling
from memoria.records import Likeness

ANA = "ana"


def _believe(memory: Memory, facts: Iterable[tuple[str, str, str]]) -> None:
    for subject, predicate, value in facts:
        memory.believe(predicate, value, user=ANA, subject=subject)


def _only(found: list[Likeness]) -> Likeness:
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Dr. Lee", "dr lee", 1.0),
        ("José", "Jose", 1.0),
        ("Doctor Lee", "Lee", 1.0),
        ("Acme Inc.", "ACME", 1.0),
        ("O’Brien", "O'Brien", 1.0),
        ("Anna", "Anna Lee", 0.9),
        ("Dr. Lee", "Anna Lee", 0.9),
        ("Tom", "Tommy", 0.8),
        ("Priya Raman", "Priya Ramen", 0.7),
        ("Mr. Lee", "Mrs. Lee", 0.0),
        ("Ana", "Anna", 0.0),
        ("Tom", "Tim", 0.0),
        ("Maria", "Marie", 0.0),
        ("Lee", "Anna Lee", 0.0),
        ("Anna Lee", "Anna Kim", 0.0),
        ("!", "?", 0.0),
    ],
)
def test_names_are_alike_by_kind_of_difference(one: str, other: str, alike: float) -> None:
    assert spelling(one, other) == alike
    assert spelling(other, one) == alike


def test_a_name_and_the_same_with_a_title_become_one(memory: Memory) -> None:
    _believe(memory, [("user", "dentist", "Dr. Lee"), ("Lee", "works on", "teeth"), ("Dr. Lee", "works on", "teeth")])
    made = _only(memory.resolve(user=ANA))
    assert (made.name, made.same_as, made.spelling, made.alike, made.why) == ("Lee", "Dr. Lee", 1.0, True, "")
    entity = next(each for each in memory.entities(user=ANA) if each.name == "Dr. Lee")
    assert entity.aliases == ("Lee",)
    assert len([b for b in memory.beliefs(user=ANA) if b.statement.endswith("teeth")]) == 1
    assert memory.resolve(user=ANA) == []


def test_a_merge_is_listed_with_its_score_and_stays_undone(memory: Memory) -> None:
    _believe(memory, [("user", "sister", "Anna"), ("user", "sister", "Anna Lee"), ("Anna Lee", "instrument", "piano")])
    made = _only(memory.resolve(user=ANA))
    merged = memory.merges(user=ANA)[0]
    assert (merged.name, merged.same_as, merged.made_by) == ("Anna", "Anna Lee", "resolve")
    assert merged.score == made.score
    assert merged.undone_at is None
    memory.unmerge("Anna", user=ANA)
    assert memory.merges(user=ANA)[0].undone_at is not None
    assert "Anna" in {each.name for each in memory.entities(user=ANA)}
    again = _only(memory.resolve(user=ANA))
    assert (again.alike, again.why) == (False, "they were taken apart before")
    with pytest.raises(UnknownBelief, match="memoria entities"):
        memory.unmerge("Anna", user=ANA)


def test_a_dry_run_shows_and_merges_nothing(memory: Memory) -> None:
    _believe(memory, [("user", "brother", "Tom"), ("user", "brother", "Tommy"), ("Tommy", "sport", "football")])
    shown = memory.resolve(user=ANA, dry_run=True)
    assert _only(shown).spelling == 0.8
    assert memory.merges(user=ANA) == []
    assert memory.resolve(user=ANA) == shown
    assert len(memory.merges(user=ANA)) == 1


def test_a_merge_made_by_hand_has_no_score(memory: Memory) -> None:
    _believe(memory, [("user", "friend", "Bob"), ("user", "friend", "Robert")])
    memory.merge("Bob", "Robert", user=ANA)
    assert [(m.name, m.made_by, m.score) for m in memory.merges(user=ANA)] == [("Bob", "user", None)]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ([("user", "wife", "Anna Lee"), ("user", "sister", "Anna")], "one is"),
        ([("user", "wife", "Dr. Lee"), ("user", "dentist", "Lee")], "one is"),
        ([("Anna", "home", "Paris"), ("Anna Lee", "home", "Berlin")], "they differ in home"),
        ([("Anna", "sister", "Anna Lee"), ("Anna", "age", "9")], "a belief relates"),
        (
            [("user", "friend", "Anna"), ("user", "friend", "Anna Lee"), ("user", "friend", "Anna Kim")],
            "Anna may be several",
        ),
        ([("Anna", "hobby", "chess"), ("Anna Lee", "owns", "a red barge upstream")], "is below"),
    ],
)
def test_what_speaks_against_one_is_decisive(memory: Memory, facts: list[tuple[str, str, str]], why: str) -> None:
    _believe(memory, facts)
    found = memory.resolve(user=ANA)
    assert found
    assert all(not each.alike and why in each.why for each in found), found
    assert memory.merges(user=ANA) == []


def test_wife_and_partner_may_be_one(memory: Memory) -> None:
    _believe(memory, [("user", "wife", "Anna"), ("user", "partner", "Anna Lee"), ("Anna", "partner", "user")])
    assert not any(each.why.startswith("one is") for each in memory.resolve(user=ANA, dry_run=True))


def test_two_sisters_named_in_one_turn_stay_two(memory: Memory) -> None:
    memory.remember("My sister Rob lives in Porto and my sister Robbie lives in Porto.", user=ANA)
    _believe(memory, [("Rob", "sport", "tennis"), ("Robbie", "sport", "tennis")])
    assert _only(memory.resolve(user=ANA)).why == "one turn names both"


def test_whose_time_is_past_may_be_another(memory: Memory, clock: Clock) -> None:
    _believe(memory, [("user", "wife", "Anna Lee"), ("Anna Lee", "sport", "tennis")])
    clock.now = START + timedelta(days=400)
    memory.believe("wife", "Anna Lee", user=ANA, act="end")
    clock.now = START + timedelta(days=800)
    memory.believe("dentist", "Anna", user=ANA, since=clock.now)
    memory.believe("sport", "tennis", user=ANA, subject="Anna")
    assert _only(memory.resolve(user=ANA, dry_run=True)).why == ""


def test_a_group_holds_no_pair_that_something_speaks_against(memory: Memory) -> None:
    _believe(memory, [("user", "doctor", "Lee"), ("user", "landlord", "Dr. Lee Ho"), ("Lee Ho", "home", "Rome")])
    _believe(memory, [(name, "sport", "tennis") for name in ("Lee", "Dr. Lee Ho", "Lee Ho")])
    found = memory.resolve(user=ANA)
    assert [each.alike for each in found] == [True, False, False]
    assert {each.why for each in found[1:]} == {"one is doctor, the other landlord"}
    assert len(memory.merges(user=ANA)) == 1


def test_a_surname_of_two_people_is_neither_of_them(memory: Memory) -> None:
    _believe(memory, [("user", "doctor", "Dr. Lee"), ("user", "landlord", "Mr. Lee"), ("Lee", "home", "Rome")])
    found = memory.resolve(user=ANA)
    assert {(each.alike, each.why) for each in found} == {(False, "Lee may be several")}


def test_kinds_and_values_are_not_mixed(memory: Memory) -> None:
    _believe(memory, [("user", "visited", "Jordan"), ("user", "friend", "Jordan Smith"), ("user", "visited", "York")])
    _believe(
        memory, [("user", "visited", "York Minster"), ("user", "drives", "Tesla"), ("user", "owns", "Tesla Roadster")]
    )
    assert memory.resolve(user=ANA) == []


def test_only_the_persons_own_names_are_compared(memory: Memory) -> None:
    _believe(memory, [("user", "sister", "Anna")])
    memory.believe("sister", "Anna Lee", user="ben")
    assert memory.resolve(user=ANA) == []


def test_a_home_of_the_version_before_keeps_its_merges(open_memory: OpenMemory, home: Path) -> None:
    memory = open_memory()
    _believe(memory, [("user", "friend", "Bob"), ("user", "friend", "Robert")])
    memory.merge("Bob", "Robert", user=ANA)
    memory.close()
    ledger = next(home.glob("*.db"))
    connection = sqlite3.connect(ledger)
    for column in ("made_by", "score"):
        connection.execute(f"ALTER TABLE merge DROP COLUMN {column}")
    connection.execute("UPDATE alembic_version SET version_num = '0002'")
    connection.commit()
    connection.close()
    again = open_memory(embeddings=HashEmbeddings(64))
    assert [(m.name, m.made_by, m.score) for m in again.merges(user=ANA)] == [("Bob", "user", None)]
