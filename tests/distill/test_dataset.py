"""A person's data set: whose words it is made of, what it names, and that the forgotten is in none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from conftest import DIMENSION, START, OpenMemory
from hypothesis import given, settings
from hypothesis import strategies as st
from taught import LIKES, say, without_ids

from memoria import HashEmbeddings, InvalidInput, Memory, Settings, UnknownBelief, UnknownUser
from memoria.settings import DistilSettings, StoreSettings


def test_seven_preferences_are_enough_for_the_gate(memory: Memory) -> None:
    say(memory, *LIKES[:7])
    data = memory.dataset(user="ana")
    assert len(data.pairs_of("held_out")) >= 20
    for split in ("train", "held_out"):
        pairs = data.pairs_of(split)
        named = {name for each in pairs for name in each.belief_ids}
        assert len(named) == 7  # each preference is learnt, and asked about in other words


def test_length_tells_nothing(memory: Memory) -> None:
    say(memory, *LIKES)
    counts = memory.dataset(user="ana").manifest.counts
    assert counts["chosen_words"] == pytest.approx(counts["rejected_words"], rel=0.1)
    longer = counts["chosen_longer"] / (counts["chosen_longer"] + counts["rejected_longer"])
    assert 0.35 < longer < 0.65


def test_no_group_is_split_and_nothing_learnt_is_held_out(memory: Memory) -> None:
    say(memory, *LIKES)
    data = memory.dataset(user="ana", facts=True)
    made = (*data.pairs, *data.examples)
    splits = {(each.group, each.split) for each in made}
    assert len(splits) == len({each.group for each in made})
    learnt = {(each.prompt, each.chosen) for each in data.pairs_of("train")}
    assert not learnt & {(each.prompt, each.chosen) for each in data.pairs_of("held_out")}


def test_the_same_memory_comes_to_the_same_data_set(memory: Memory) -> None:
    say(memory, *LIKES)
    assert memory.dataset(user="ana", facts=True) == memory.dataset(user="ana", facts=True)


def test_the_manifest_names_just_what_the_examples_rest_on(memory: Memory) -> None:
    say(memory, *LIKES[:2], "It rained.", "Which song?", "A: Take Five.")
    memory.feedback(memory.episodes(user="ana")[-1].id, user="ana", score=1)
    data = memory.dataset(user="ana", facts=True)
    made = (*data.pairs, *data.examples)
    named = {(each.kind, each.id) for each in data.manifest.sources}
    assert named == {("belief", name) for each in made for name in each.belief_ids} | {
        ("episode", name) for each in made for name in each.episode_ids
    }
    assert all(each.belief_ids or each.episode_ids for each in made)
    assert not any(memory.episodes(user="ana")[2].id == each.id for each in data.manifest.sources)


def test_what_a_source_says_is_hashed_under_the_homes_key(
    memory: Memory, tmp_path_factory: pytest.TempPathFactory
) -> None:
    say(memory, "I love jazz.")
    with Memory(tmp_path_factory.mktemp("other"), embeddings=HashEmbeddings(DIMENSION)) as other:
        say(other, "I love jazz.")
        mine, theirs = (each.dataset(user="ana").manifest for each in (memory, other))
    assert {each.hash for each in mine.sources}.isdisjoint(each.hash for each in theirs.sources)


@pytest.mark.parametrize(
    "more", [{"trust": "web"}, {"trust": "tool"}, {"role": "assistant"}, {"role": "system"}, {"role": "tool"}]
)
def test_only_the_persons_own_words_are_learnt(memory: Memory, more: dict[str, str]) -> None:
    trust = more.get("trust")
    turn = {"text": "I love jazz.", "role": more.get("role", "user")}
    memory.remember([turn], user="ana", trust=trust)  # type: ignore[arg-type]
    data = memory.dataset(user="ana", facts=True)
    assert not data.pairs and not data.examples and not data.manifest.sources


def test_a_turn_may_be_kept_from_training(memory: Memory) -> None:
    say(memory, "I love jazz.", metadata={"train": False})
    assert not memory.dataset(user="ana").pairs
    (public,) = say(memory, "I really love jazz.", session="two")
    pairs = memory.dataset(user="ana").pairs
    assert pairs and {each.episode_ids for each in pairs} == {(public.id,)}


def test_what_needs_confirmation_is_not_learnt(memory: Memory) -> None:
    say(memory, "I live in Porto.", "My landlord is Lee.")
    assert any("Lee" in each.answer for each in memory.dataset(user="ana", facts=True).examples)
    say(memory, "I moved to Braga.", session="two")
    assert any(each.needs_confirmation for each in memory.beliefs(user="ana", about="Lee"))
    answers = " ".join(each.answer for each in memory.dataset(user="ana", facts=True).examples)
    assert "Braga" in answers and "Lee" not in answers and "Porto" not in answers


def test_facts_are_made_only_where_asked_for(memory: Memory) -> None:
    say(memory, "I live in Porto.")
    assert not memory.dataset(user="ana").examples
    assert memory.dataset(user="ana", facts=True).examples


def test_consent(memory: Memory, open_memory: OpenMemory, settings: Settings) -> None:
    say(memory, "I love jazz.")
    memory.consent(False, user="ana")
    with pytest.raises(InvalidInput, match="withholds consent"):
        memory.dataset(user="ana")
    memory.consent(True, user="ana")
    assert memory.dataset(user="ana").pairs
    strict = open_memory(settings=settings.model_copy(update={"distil": DistilSettings(consent="required")}))
    strict.remember("I love fado.", user="bea")
    with pytest.raises(InvalidInput, match="memoria consent --user bea"):
        strict.dataset(user="bea")
    assert strict.dataset(user="ana").pairs
    for verb in (lambda: memory.consent(True, user="nobody"), lambda: memory.dataset(user="nobody")):
        with pytest.raises(UnknownUser):
            verb()


def test_feedback_is_refused_by_name(memory: Memory) -> None:
    asked, answer = say(memory, "Which song?", "A: Take Five.")
    with pytest.raises(InvalidInput, match="no answer of an assistant's"):
        memory.feedback(asked.id, user="ana", score=1)
    with pytest.raises(InvalidInput, match="score is None"):
        memory.feedback(answer.id, user="ana")
    with pytest.raises(InvalidInput, match="score is 2"):
        memory.feedback(answer.id, user="ana", score=2)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="of one's own"):
        memory.feedback(answer.id, user="ana", correction="<memoria>\n[b1] user likes jazz (always)\n</memoria>")
    with pytest.raises(UnknownBelief):
        memory.feedback("ab" * 16, user="ana", score=1)
    memory.remember("hello", user="bea")
    with pytest.raises(UnknownBelief):
        memory.feedback(answer.id, user="bea", score=1)


def test_a_correction_goes_with_its_turn_out_of_every_file(memory: Memory) -> None:
    written = "Sing me the ballad of the seventeen herons instead."
    _, answer = say(memory, "Which song?", "A: Take Five.")
    memory.feedback(answer.id, user="ana", correction=written)
    assert memory.verify_forgotten([written], user="ana", vectors=False) != []
    receipt = memory.forget(user="ana", query="seventeen herons")
    assert receipt.episodes == 1 and receipt.complete and not receipt.residue
    assert memory.verify_forgotten([written], user="ana", vectors=False) == []
    assert not memory.dataset(user="ana").pairs


def test_the_forgotten_person_leaves_no_feedback(memory: Memory) -> None:
    written = "Sing me the ballad of the seventeen herons instead."
    _, answer = say(memory, "Which song?", "A: Take Five.")
    memory.feedback(answer.id, user="ana", correction=written)
    memory.consent(True, user="ana")
    assert memory.forget(user="ana", everything=True).residue == ()
    assert memory.verify_forgotten([written], vectors=False) == []


_numbers = count()
SAID = [
    *LIKES,
    "I hate jazz.",
    "I love coffee.",
    "I live in Porto.",
    "I moved to Braga.",
    "My sister is Leonor.",
    "What could I cook?",
    "A: A curry.",
    "No, that's too spicy.",
    "A: A mild soup.",
    "Perfect, thanks.",
    "I gave up coffee.",
    "A: Anything else?",
]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Memory, Memory]]:
    """Two homes, in which every life is another person's."""
    folder = tmp_path_factory.mktemp("lives")
    setting = Settings(cache_dir=folder, store=StoreSettings(index="exact"))
    one, other = (
        Memory(folder / name, embeddings=HashEmbeddings(DIMENSION), settings=setting) for name in ("one", "other")
    )
    with one, other:
        yield one, other


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_forgotten_is_as_if_it_had_never_been(homes: tuple[Memory, Memory], data: st.DataObject) -> None:
    """It yields no example, no pair and no id: the data set is that of a life without it."""
    said = data.draw(st.lists(st.sampled_from(SAID), min_size=2, max_size=14, unique=True))
    gone = data.draw(st.sets(st.integers(0, len(said) - 1), min_size=1, max_size=3))
    scores = data.draw(st.lists(st.sampled_from([1, -1, None]), min_size=len(said), max_size=len(said)))
    one, other = homes
    user = f"person{next(_numbers)}"
    kept = [place for place in range(len(said)) if place not in gone]
    for memory, places in ((one, range(len(said))), (other, kept)):
        for place in places:
            (turn,) = say(memory, said[place], user=user, time=START + timedelta(minutes=place), id=str(place))
            if turn.role == "assistant" and scores[place] is not None:
                words = "My own words." if place % 2 else None
                memory.feedback(turn.id, user=user, score=scores[place], correction=words)  # type: ignore[arg-type]
    turns = {each.text: each.id for each in one.episodes(user=user)}
    ids = [turns[said[place].removeprefix("A: ")] for place in gone]
    one.forget(user=user, ids=ids)
    mine = one.dataset(user=user, facts=True)
    assert not {each.id for each in mine.manifest.sources} & set(ids)
    if kept:
        theirs = other.dataset(user=user, facts=True)
        assert without_ids(mine) == without_ids(theirs)
        assert mine.manifest.counts == theirs.manifest.counts
    else:
        assert not mine.pairs and not mine.examples
