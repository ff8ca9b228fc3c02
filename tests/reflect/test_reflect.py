"""Reflecting, piece by piece: a model's lines, contrast with others, strength, duplicates, questions, stages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Clock, OpenMemory
from hypothesis import given
from hypothesis import strategies as st
from profiles import DAY, live, texts

from memoria import InvalidInput, Memory, Settings, Turn, UnknownProfile, UnknownUser
from memoria.reflect.decay import strength
from memoria.settings import ReflectSettings, ResolveSettings


def test_what_everybody_shares_drops_and_what_is_ones_own_stays(open_memory: OpenMemory, settings: Settings) -> None:
    own = settings.model_copy(update={"reflect": ReflectSettings(peers=True)})
    memory = open_memory(settings=own)
    for user in ("ben", "cleo", "dora", "emil"):
        live(
            memory,
            "I love coffee.",
            "The football was good.",
            "The football again.",
            "More of the football.",
            user=user,
        )
    mine = [f"The football, and the violin. {each}" for each in ("One.", "Two.", "Three.")]
    live(memory, "I love coffee.", "I love fado.", *mine)
    live(memory, "I love coffee.", "I love fado.", *mine, user="stranger")
    memory.reflect(user="ana")
    said = " ".join(texts(memory))
    assert "fado" in said
    assert "violin" in said
    assert "coffee" not in said
    assert "football" not in said
    alone = open_memory(settings=settings)
    alone.remember("One more turn.", user="ana")
    alone.reflect(user="ana")
    assert "coffee" in " ".join(texts(alone)), "without leave to compare nothing is dropped"


def test_peers_of_another_tenant_are_never_compared_with(open_memory: OpenMemory, settings: Settings) -> None:
    memory = open_memory(settings=settings.model_copy(update={"reflect": ReflectSettings(peers=True)}))
    for user in ("ben", "cleo", "dora"):
        memory.remember("I love coffee.", user=user, tenant="elsewhere")
    live(memory, "I love coffee.")
    memory.reflect(user="ana")
    assert "user likes coffee" in texts(memory)


@given(ages=st.lists(st.floats(0, 4000), min_size=1, max_size=20), fades=st.floats(0, 1), more=st.floats(0, 100))
def test_strength_falls_with_age_and_rises_with_use(ages: list[float], fades: float, more: float) -> None:
    value = strength(ages, fades)
    assert 0 < value < 1
    assert strength([age + more for age in ages], fades) <= value
    assert strength([*ages, more], fades) > value
    assert strength(ages, fades, asked=2, asked_age=more) > value


def test_what_is_asked_for_stays_strong(memory: Memory, clock: Clock) -> None:
    live(memory, "I love fado.", "I love jazz.", "I hate mud.")
    memory.reflect(user="ana")
    before = {line.text: line.strength for line in memory.profile(user="ana").lines}
    clock.now = DAY + timedelta(days=20)
    for _ in range(5):
        memory.recall("Do I like fado?", user="ana")
    memory.remember("I love tea.", user="ana")
    memory.reflect(user="ana")
    after = {line.text: line.strength for line in memory.profile(user="ana").lines}
    assert after["user likes fado"] > before["user likes fado"]
    assert after["user likes fado"] > after["user likes jazz"]


def test_the_same_in_other_words_is_one_line_and_two_beliefs(memory: Memory) -> None:
    live(memory, "I love fado.", "I love fado music.", "I love iced coffee.", "I love coffee.", "I hate fado bars.")
    memory.reflect(user="ana")
    (line,) = [each for each in memory.profile(user="ana").lines if each.text.startswith("user likes fado")]
    assert len(line.belief_ids) == 2
    assert len(line.episode_ids) == 2
    assert {"user likes iced coffee", "user likes coffee"} <= set(texts(memory)), "these are not the same"
    assert len([each for each in memory.beliefs(user="ana") if "fado" in each.statement]) == 3, "nothing is rewritten"


def test_names_of_one_are_merged_and_can_be_taken_apart(open_memory: OpenMemory, settings: Settings) -> None:
    memory = open_memory(settings=settings.model_copy(update={"resolve": ResolveSettings(meaning=0.0, score=0.6)}))
    live(memory, "My sister is Leonor Dias.", "Léonor Dias lives in Rome.", "Léonor Dias works at Acme.")
    reflection = memory.reflect(user="ana")
    (merged,) = reflection.duplicates
    memory.unmerge(merged.name, user="ana")
    assert memory.reflect(user="ana").duplicates == (), "what was taken apart stays apart"


def test_what_contradicts_itself_becomes_a_question(memory: Memory) -> None:
    live(memory, "I can't stand running.", "My hobby is running.", "I hate mud.", "I love music.")
    reflection = memory.reflect(user="ana")
    (found,) = reflection.contradictions
    assert "running" in found.text
    assert texts(memory, section="questions") == [f"which holds: {found.text}?"]
    (taste,) = [each for each in memory.beliefs(user="ana") if each.statement == "user does not like running"]
    memory.retract(taste.id, user="ana")
    assert memory.reflect(user="ana").contradictions == ()
    assert texts(memory, section="questions") == []


def test_weekdays_are_told_where_they_are_no_accident(memory: Memory) -> None:
    for number in range(60):
        pool = "I was at the pool." if (DAY + timedelta(days=number)).weekday() == 1 else "A day."
        live_on = DAY + timedelta(days=number)
        memory.remember(Turn(text=f"{pool} Also the violin.", time=live_on), user="ana", session=f"d{number}")
    memory.reflect(user="ana")
    said = texts(memory)
    assert any("pool" in each and each.endswith("mostly on Tuesdays") for each in said)
    assert any("violin" in each and "mostly" not in each for each in said)


def test_the_stages_are_plain_records_and_committing_twice_keeps_one(memory: Memory) -> None:
    live(memory, "I live in Porto.", "I love fado.")
    gathered = memory.gather(user="ana")
    draft = memory.consolidate(type(gathered).model_validate_json(gathered.model_dump_json()))
    checked = memory.check(type(draft).model_validate_json(draft.model_dump_json()))
    first = memory.commit(checked)
    again = memory.commit(checked)
    assert (first.version, again.version) == (1, 1)
    assert len(memory.profiles(user="ana")) == 1


def test_what_changed_between_check_and_commit_is_checked_again(memory: Memory) -> None:
    live(memory, "I live in Porto.", "I love fado.")
    draft = memory.check(memory.consolidate(memory.gather(user="ana")))
    memory.forget(user="ana", session="s1")
    memory.commit(draft)
    assert texts(memory) == ["user lives in Porto (since 2025-03-03)"]
    assert memory.profile(user="ana").stale, "it was made of what is no more"
    assert memory.reflect(user="ana").changed is False
    assert not memory.profile(user="ana").stale


def test_what_joins_the_commit_is_all_or_nothing(memory: Memory) -> None:
    live(memory, "I live in Porto.")

    def refuse(_: object) -> None:
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        memory.reflect(user="ana", also=refuse)
    with pytest.raises(UnknownProfile, match="memoria reflect --user ana"):
        memory.profile(user="ana")
    joined: list[object] = []
    memory.reflect(user="ana", also=joined.append)
    memory.reflect(user="ana", also=joined.append)
    assert len(joined) == 2, "also where nothing changed"


def test_a_plan_ages_by_itself(memory: Memory, clock: Clock) -> None:
    clock.now = DAY
    memory.believe("employer", "Acme", user="ana", since=DAY + timedelta(days=10))
    memory.remember("Hello there.", user="ana")
    memory.reflect(user="ana")
    assert any(each.startswith("user works at Acme (from 2025-03-13") for each in texts(memory))
    assert memory.reflect(user="ana").changed is False
    clock.now = DAY + timedelta(days=11)
    assert memory.profile(user="ana").stale
    memory.reflect(user="ana")
    assert "user works at Acme (since 2025-03-13)" in texts(memory)


def test_nobodys_profile_is_anothers(memory: Memory) -> None:
    live(memory, "I live in Porto.")
    live(memory, "I live in Braga.", user="ben")
    memory.reflect(user="ana")
    with pytest.raises(UnknownProfile):
        memory.profile(user="ben")
    memory.reflect(user="ben")
    assert "Porto" not in memory.profile(user="ben").render()
    with pytest.raises(UnknownUser):
        memory.reflect(user="nobody")
    with pytest.raises(UnknownProfile, match="there are 1 to 1"):
        memory.profile(user="ana", version=7)
    memory.forget(user="ben", everything=True)
    assert "Porto" in memory.profile(user="ana").render()


def test_a_profile_pasted_back_is_not_learnt(memory: Memory) -> None:
    live(memory, "I live in Porto.", "I love fado.")
    memory.reflect(user="ana")
    before = memory.beliefs(user="ana")
    pasted = memory.profile(user="ana").render()
    assert memory.remember(f"{pasted}\nThanks!", user="ana")[0].text == "Thanks!"
    assert memory.beliefs(user="ana") == before
