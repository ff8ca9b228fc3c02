"""What memoria itself has said comes back in prompts and in answers, a thousand times: nothing is learnt of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from conftest import START, OpenMemory

from memoria import Memory, Settings
from memoria.records import Belief, Context, Preference
from memoria.settings import StoreSettings

LOOPS = 1000
TOLD = [
    "I live in Lisbon and I work at Acme as a nurse.",
    "I love green tea, and I can't stand crowds.",
    "My sister Anna lives in Rome.",
    "I'm allergic to peanuts.",
    "I moved to Porto last week.",
    "I gave up green tea.",
    "My favourite colour is blue because it calms me.",
]
ASKED = [
    "Where do I live?",
    "What do I like to drink?",
    "Where does my sister live, and what is her name?",
    "What can I not eat?",
    "Which colour should I paint the door?",
    "Where do I work, and as what?",
]

# How a rendered context comes back: whole, without its marks, quoted, cut off, after the question, as a list.
PASTED: list[Callable[[str, str], str]] = [
    lambda context, question: f"{context}\n\n{question}",
    lambda context, question: "\n".join([*context.splitlines()[1:-1], question]),
    lambda context, question: "\n".join([*(f"> {line}" for line in context.splitlines()), question]),
    lambda context, question: f"{question}\n{context[: len(context) * 2 // 3]}",
    lambda context, question: f"{question} Here is what you know:\n{context}",
    lambda context, question: "\n".join([f"- {line}" for line in context.splitlines()[1:-1]] + [question]),
]


def restated(context: Context, number: int) -> str:
    """What an assistant says of the beliefs it was shown, in its own words."""
    said: list[str] = []
    for belief in (hit.belief for hit in context.beliefs):
        yours = belief.statement.replace("user's", "your").replace("user", "you")
        own = belief.statement.replace("user's", "my").replace("user", "I")
        if belief.status == "current":
            said.append(f"I'm glad that {yours}.")
        else:
            said.append(f'As you said: "{own}", but no longer.')
    return " ".join([*said, f"That is answer {number}."])


def known(memory: Memory) -> dict[str, tuple[str, int, object]]:
    """Every belief with what bears it out, retired ones too."""

    def strength(belief: Belief) -> object:
        return (belief.strength, belief.polarity) if isinstance(belief, Preference) else None

    found = memory.beliefs(user="ana", retired=True)
    return {each.id: (each.statement, each.evidence, strength(each)) for each in found}


def test_a_thousand_echoes_teach_nothing(open_memory: OpenMemory) -> None:
    memory = open_memory(settings=Settings(store=StoreSettings(index="exact")))
    for number, text in enumerate(TOLD):
        memory.remember({"text": text, "time": START - timedelta(days=30 - number)}, user="ana", session=f"s{number}")
    before = known(memory)
    assert len(before) >= 9
    stated = 0
    for number in range(LOOPS):
        question = ASKED[number % len(ASKED)]
        context = memory.recall(question, user="ana")
        stated += len(context.beliefs)
        pasted = PASTED[number // len(ASKED) % len(PASTED)](context.render(), question)
        memory.remember(
            [{"role": "user", "text": pasted}, {"role": "assistant", "text": restated(context, number)}],
            user="ana",
            session=f"loop{number // 50}",
        )
    assert stated >= LOOPS
    assert known(memory) == before


@pytest.mark.parametrize("paste", PASTED)
def test_what_the_person_adds_is_still_learnt(memory: Memory, paste: Callable[[str, str], str]) -> None:
    memory.remember(TOLD[:3], user="ana")
    before = known(memory)
    rendered = memory.recall(ASKED[0], user="ana").render()
    if paste is PASTED[3]:  # what follows an opening mark that is never closed is lost: it comes first
        rendered = rendered[: len(rendered) // 2]
    memory.remember(paste(rendered, "I drive a Skoda."), user="ana", session="later")
    fresh = [statement for key, (statement, *_) in known(memory).items() if key not in before]
    assert fresh == ["user drives Skoda"]
