"""Questions about facts: several phrasings, one held out, false answers of the same form."""

from __future__ import annotations

import pytest
from taught import say

from memoria import Memory
from memoria.distill.records import Example


def facts(memory: Memory, word: str) -> list[Example]:
    return [each for each in memory.dataset(user="ana", facts=True).examples if word in each.answer]


def test_three_phrasings_are_learnt_and_one_is_held_out(memory: Memory) -> None:
    (turn,) = say(memory, "I live in Porto.")
    (belief,) = memory.beliefs(user="ana")
    found = facts(memory, "Porto")
    assert [each.split for each in found].count("train") == 3 and len(found) == len(
        {each.prompt for each in found}
    ) == 4
    assert {each.answer for each in found} == {"You live in Porto."}
    assert {(each.belief_ids, each.episode_ids) for each in found} == {((belief.id,), (turn.id,))}
    (kept,) = (each for each in found if each.split == "held_out")
    assert len(set(kept.alternatives)) == 3 and kept.answer not in kept.alternatives
    assert all(each.startswith("You live in ") for each in kept.alternatives)
    assert all(not each.alternatives for each in found if each is not kept)


@pytest.mark.parametrize(
    ("said", "answer", "form"),
    [
        ("I'm a nurse.", "You work as a nurse.", "You work as a"),
        ("My birthday is on the 3rd of May.", "Your birthday is on the 3rd of May.", "Your birthday is on the "),
        ("My dentist is Dr. Lee.", "Your dentist is Dr. Lee.", "Your dentist is Dr. "),
        ("My phone number is 0912 345 678.", "Your phone number is 0912 345 678.", "Your phone number is 0"),
        ("I play the cello.", "You play the cello.", "You play the "),
        ("I'm allergic to cashews.", "You are allergic to cashews.", "You are allergic to "),
    ],
)
def test_false_answers_have_the_form_of_the_true_one(memory: Memory, said: str, answer: str, form: str) -> None:
    say(memory, said)
    (kept,) = (each for each in facts(memory, answer) if each.split == "held_out")
    assert kept.answer == answer
    assert len(kept.alternatives) == 3 and all(each.startswith(form) for each in kept.alternatives)
    assert all(len(each.split()) == len(answer.split()) for each in kept.alternatives)


def test_two_of_a_kind_are_one_answer(memory: Memory) -> None:
    say(memory, "My sister is Leonor.", "My sister is Bea.")
    found = facts(memory, "Leonor")
    assert {each.answer for each in found} == {"Your sisters are Leonor and Bea."}
    assert all(len(each.belief_ids) == 2 for each in found)


def test_others_are_asked_about_by_name(memory: Memory) -> None:
    say(memory, "My dentist is Lee.", "Lee lives in Braga.")
    assert any(
        "Lee" in each.prompt for each in memory.dataset(user="ana", facts=True).examples if "Braga" in each.answer
    )


def test_only_what_holds_is_asked_about(memory: Memory) -> None:
    say(memory, "I live in Porto.", "I moved to Braga.")
    assert not facts(memory, "Porto") and facts(memory, "Braga")


def test_false_answers_come_from_nobodys_memory(memory: Memory) -> None:
    memory.remember("I live in Zanzibar.", user="bea")
    say(memory, "I live in Porto.")
    assert not facts(memory, "Zanzibar")
    assert not any("Zanzibar" in other for each in facts(memory, "Porto") for other in each.alternatives)
