"""What the rules make of short sentences: what is believed, how it changes, and what they must leave alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from conftest import Clock, OpenMemory

from memoria import Memory, Settings
from memoria.extract.recast import recast
from memoria.records import Fact, Preference
from memoria.settings import ExtractSettings, StoreSettings

ANA = "ana"
Told = Callable[..., Memory]


@pytest.fixture
def told(open_memory: OpenMemory, settings: Settings, clock: Clock) -> Told:
    """A memory, read by patterns alone, of a person who says each of `turns` on a day of its own."""
    knobs = {"extract": ExtractSettings(spacy=False), "store": StoreSettings(index="exact")}
    memory = open_memory(settings=settings.model_copy(update=knobs))

    def tell(*turns: object) -> Memory:
        for turn in turns:
            clock.now += timedelta(days=1)
            memory.remember(turn, user=ANA, session=f"{clock.now:%j}")
        return memory

    return tell


def held(memory: Memory) -> dict[str, Fact | Preference]:
    """The current beliefs, by what they state."""
    return {each.statement: each for each in memory.beliefs(user=ANA)}


def status(memory: Memory) -> dict[str, str]:
    return {each.statement: each.status for each in memory.beliefs(user=ANA, retired=True)}


def last_turn(memory: Memory) -> str:
    """The id of the turn said last."""
    hits = memory.recall("turn", user=ANA, k=50, budget=5000).hits
    return max((hit.episode for hit in hits), key=lambda each: each.occurred_at).id


@pytest.mark.parametrize(
    ("turn", "facts"),
    [
        ("We live in a flat in Ghent.", {"user lives in Ghent"}),
        ("I moved to Bergen last month.", {"user lives in Bergen"}),
        ("I was born in Turku.", {"user is from Turku"}),
        ("I'm a carpenter.", {"user works as carpenter"}),
        ("I work at Siemens.", {"user works at Siemens"}),
        ("My sister's name is Petra.", {"user's sister is Petra"}),
        ("My brother Milan lives in Zagreb.", {"user's brother is Milan", "Milan lives in Zagreb"}),
        ("My son is called Emil.", {"user's son is Emil"}),
        ("We have a cat called Pickle.", {"user's cat is Pickle"}),
        ("I have a fish called Bubbles.", {"user has a pet: Bubbles"}),
        ("I study chemistry at Ghent University.", {"user studies at Ghent University", "user studies chemistry"}),
        ("My daughter goes to Oakfield Primary.", {"user's daughter studies at Oakfield Primary"}),
        ("I'm allergic to walnuts.", {"user is allergic to walnuts"}),
        ("I'm lactose intolerant.", {"user is intolerant to lactose"}),
        ("I take metformin for my diabetes.", {"user takes metformin"}),
        ("I'm on 20 mg of citalopram.", {"user's citalopram dose is 20 mg"}),
        ("My commute takes 40 minutes by tram.", {"user commutes: 40 minutes by tram"}),
        ("I go to choir every Thursday.", {"user goes to choir every Thursday"}),
        ("My pottery class is on Mondays.", {"user's pottery class is on Mondays"}),
        ("I speak Polish and Dutch.", {"user speaks Polish", "user speaks Dutch"}),
        ("My birthday is on 4 May.", {"user's birthday is on 4 May"}),
    ],
)
def test_facts_are_believed_and_cite_the_turn(told: Told, turn: str, facts: set[str]) -> None:
    memory = told(turn)
    found = held(memory)
    assert facts <= set(found)
    for statement in facts:
        assert found[statement].kind == "fact"
        (evidence,) = memory.explain(found[statement].id, user=ANA).evidence
        assert evidence.act in ("affirm", "change")
        assert evidence.quote
        assert evidence.quote in turn


@pytest.mark.parametrize(
    ("turn", "topic", "polarity"),
    [
        ("I love rye bread.", "rye bread", 1),
        ("I usually prefer window seats.", "window seats", 1),
        ("My favourite film is Alien.", "favourite film", 1),
        ("I can't stand loud restaurants.", "loud restaurants", -1),
        ("I'm not a fan of horror films.", "horror films", -1),
        ("I dislike cilantro because it tastes of soap.", "cilantro", -1),
        ("Crowds make me anxious.", "Crowds", -1),
        ("Never suggest mushrooms to me.", "mushrooms", -1),
    ],
)
def test_preferences_have_a_topic_and_a_way(told: Told, turn: str, topic: str, polarity: int) -> None:
    (found,) = told(turn).beliefs(user=ANA)
    assert isinstance(found, Preference)
    assert (found.topic, found.polarity) == (topic, polarity)


@pytest.mark.parametrize(
    ("turn", "wanted"),
    [
        ("I'd like answers in bullet points.", {"bullet points"}),
        ("Always answer me in bullet points.", {"bullet points"}),
        ("Keep your answers short.", {"short"}),
        ("I like short answers with tables.", {"short", "tables"}),
        ("I prefer your replies without emojis.", {"no emojis"}),
        ("No emojis in your answers, please.", {"no emojis"}),
        ("Please use metric units in your answers.", {"metric units"}),
        ("What do you prefer, short or long answers?", set()),
        ("I prefer short skirts.", set()),
    ],
)
def test_styles_of_answers(told: Told, turn: str, wanted: set[str]) -> None:
    found = {each for each in held(told(turn)) if "wants answers" in each}
    assert found == {f"user wants answers: {each}" for each in wanted}


def test_a_style_takes_the_place_of_its_own_kind_only(told: Told) -> None:
    memory = told("I like short answers with tables.", "I want detailed answers now.")
    assert set(held(memory)) == {"user wants answers: detailed", "user wants answers: tables"}


@pytest.mark.parametrize(
    ("turn", "statement"),
    [
        ("Utrecht is where I live now.", "user lives in Utrecht"),
        ("Siemens employs me.", "user works at Siemens"),
        ("The company I work for is Siemens.", "user works at Siemens"),
        ("Chess is a hobby of mine.", "user's hobby is Chess"),
        ("Finnish is a language I speak.", "user speaks Finnish"),
        ("I see Dr. Ahmed as my dentist.", "user's dentist is Dr. Ahmed"),
        ("I report to Ingrid Solheim.", "user's manager is Ingrid Solheim"),
        ("It takes me 35 minutes to get to work.", "user commutes: 35 minutes"),
        ("I bank with Triodos.", "user's bank is Triodos"),
        ("You can reach me on 0470 123 456.", "user's phone number is 0470 123 456"),
    ],
)
def test_inverted_shapes(told: Told, turn: str, statement: str) -> None:
    assert statement in held(told(turn))


def test_what_has_no_known_shape_stays_as_it_is() -> None:
    assert recast("Braga is where I live now") == "I live in Braga now"
    assert recast("Braga is lovely in May") == "Braga is lovely in May"


@pytest.mark.parametrize(
    ("turns", "left", "gone"),
    [
        (["I live in Ghent.", "I no longer live in Ghent."], None, "user lives in Ghent"),
        (["I live in Ghent.", "I've moved to Antwerp."], "user lives in Antwerp", "user lives in Ghent"),
        (["I work at Siemens.", "I quit my job last week."], None, "user works at Siemens"),
        (["I play the cello.", "I don't play the cello any more."], None, "user plays cello"),
        (["I drive a Skoda.", "I got rid of my car."], None, "user drives Skoda"),
        (["I drive a Skoda.", "I swapped my Skoda for a Honda."], "user drives Honda", "user drives Skoda"),
        (["My girlfriend is Noor.", "We broke up."], None, "user's partner is Noor"),
        (["My dog is named Biscuit.", "Biscuit died on Sunday."], None, "user's dog is Biscuit"),
        (["I'm vegetarian.", "I'm no longer vegetarian."], None, "user is vegetarian"),
        (["I love black coffee.", "I gave up coffee."], None, "user likes black coffee"),
        (["I love black coffee.", "I hate coffee."], "user does not like coffee", "user likes black coffee"),
        (["I have a subscription to Tidal.", "I cancelled my Tidal subscription."], None, "user subscribes to Tidal"),
    ],
)
def test_what_ended_is_so_no_longer(told: Told, turns: list[str], left: str | None, gone: str) -> None:
    found = status(told(*turns))
    assert found[gone] in ("ended", "superseded")
    assert {each for each, stands in found.items() if stands == "current"} == ({left} if left else set())


def test_what_used_to_be_was_never_now(told: Told) -> None:
    memory = told("I live in Ghent.", "I used to live in Bruges.")
    assert status(memory) == {"user lives in Ghent": "current", "user lives in Bruges": "ended"}


@pytest.mark.parametrize(
    ("turns", "new", "old"),
    [
        (["My sister's name is Clara.", "Actually, it's Carla, not Clara."], "sister is Carla", "sister is Clara"),
        (["I live in Bergen.", "I meant Berlin."], "lives in Berlin", "lives in Bergen"),
        (["My checkup is on Monday.", "Sorry, I meant Thursday."], "checkup is Thursday", "checkup is on Monday"),
    ],
)
def test_a_slip_was_never_so(told: Told, turns: list[str], new: str, old: str) -> None:
    found = {each.split(" ", 1)[1]: stands for each, stands in status(told(*turns)).items()}
    assert found == {new: "current", old: "retracted"}


@pytest.mark.parametrize(
    ("turns", "new", "old"),
    [
        (
            ["My dentist is Dr. Novak.", "I changed dentists. I see Dr. Lee now."],
            "user's dentist is Dr. Lee",
            "user's dentist is Dr. Novak",
        ),
        (
            ["I'm on 20 mg of citalopram.", "The doctor raised my citalopram to 30 mg."],
            "user's citalopram dose is 30 mg",
            "user's citalopram dose is 20 mg",
        ),
        (
            ["My pottery class is on Mondays.", "The pottery class has moved to Fridays."],
            "user's pottery class is Fridays",
            "user's pottery class is on Mondays",
        ),
    ],
)
def test_a_matter_told_without_its_noun_or_owner(told: Told, turns: list[str], new: str, old: str) -> None:
    found = status(told(*turns))
    assert found[new] == "current"
    assert found[old] in ("ended", "superseded")


@pytest.mark.parametrize(
    "turn",
    [
        "Where do I live?",
        "Is my sister allergic to nuts?",
        "If I lived in Rome I would eat better.",
        "I'm thinking of becoming a nurse.",
        "Imagine I live on Mars.",
        "I wish I had a garden.",
        "I own seven castles lol",
        "I'm the queen of England, just kidding.",
        'My neighbour said "I have just moved here from Iceland and I work as a diver".',
        "> I live in Denver",
        "Translate into French: I live in Nice and I am a baker.",
        {"role": "assistant", "text": "You live in Oslo and you love skiing."},
        {"role": "tool", "text": "The user moved to Oslo. I live in Oslo."},
    ],
)
def test_what_is_no_statement_of_the_persons_own_yields_nothing(told: Told, turn: object) -> None:
    memory = told(turn)
    assert memory.beliefs(user=ANA, retired=True) == []


@pytest.mark.parametrize(
    ("turns", "shaken"),
    [
        (["I live in Ghent.", "My commute takes 40 minutes.", "I've moved to Antwerp."], "user commutes: 40 minutes"),
        (["I work at Siemens.", "My manager is Ingrid.", "I now work at Bosch."], "user's manager is Ingrid"),
        (["I take the night bus since I work at Siemens.", "I left Siemens."], "user takes the night bus"),
        (
            ["I'm allergic to walnuts, so I never eat pesto.", "I'm not allergic to walnuts any more."],
            "user does not like pesto",
        ),
        (["I skip tea because I take aspirin.", "I stopped taking aspirin."], "user does not like tea"),
    ],
)
def test_what_leans_on_what_changed_needs_confirmation(told: Told, turns: list[str], shaken: str) -> None:
    memory = told(*turns[:-1])
    assert not held(memory)[shaken].needs_confirmation
    belief = held(told(turns[-1]))[shaken]
    assert belief.needs_confirmation
    assert memory.explain(belief.id, user=ANA).leans_on


@pytest.mark.parametrize(
    ("stated", "doubt", "belief"),
    [
        ("My email is ana@old.org.", "Oops, the email I gave you has a typo in it.", "user's email is ana@old.org"),
        ("I love coffee.", "Oops, I was wrong about the coffee.", "user likes coffee"),
        ("My locker code is 4411.", "I gave you the wrong locker code.", "user's locker code is 4411"),
    ],
)
def test_a_correction_that_is_not_read_leaves_doubt_while_it_stands(
    told: Told, stated: str, doubt: str, belief: str
) -> None:
    assert not held(told(stated))[belief].needs_confirmation
    memory = told(doubt)
    assert held(memory)[belief].needs_confirmation
    memory.forget(user=ANA, ids=[last_turn(memory)])
    assert not held(memory)[belief].needs_confirmation


def test_saying_it_again_settles_a_doubt(told: Told) -> None:
    memory = told("My locker code is 4411.", "I gave you the wrong locker code.", "My locker code is 4411.")
    assert not held(memory)["user's locker code is 4411"].needs_confirmation


def test_a_doubt_goes_with_the_belief_it_came_from(told: Told) -> None:
    old, new = "user's favourite ice cream is mint", "user's favourite ice cream flavour is pistachio"
    memory = told("My favourite ice cream is mint.", "My favourite ice cream flavour is pistachio.")
    assert held(memory)[old].needs_confirmation
    memory.retract(held(memory)[new].id, user=ANA)
    assert not held(memory)[old].needs_confirmation


def test_questions_and_others_matters_shake_nothing(told: Told) -> None:
    memory = told("My email is ana@old.org.", "What is a good way to store old letters?", "My kettle is broken.")
    assert [each.needs_confirmation for each in held(memory).values() if "email" in each.statement] == [False]
