"""What tools and pages say teaches nothing of the person and gives no orders; what the person says is learnt, however
much it looks like an attack. The data (60 attacks, 60 look-alikes) were written apart from the rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DIMENSION, Clock

from memoria import HashEmbeddings, Memory, Settings
from memoria.records import Context
from memoria.remember.trust import gives_orders
from memoria.settings import StoreSettings

DATA: dict[str, list[dict[str, Any]]] = json.loads((Path(__file__).parent / "data" / "poison.json").read_text())
ATTACKS, BENIGN = DATA["attacks"], DATA["benign"]
ORDERS = [each for each in ATTACKS if each["kind"] in ("instruction", "fake_system", "delayed_trigger")]
TOLD = ["I live in Lisbon and I love tea.", "I work at Acme as a nurse.", "My sister Anna lives in Rome."]
ABOUT_ME = "Where do I live, what do I like and where do I work?"
_QUOTED = re.compile(r"^\[\d+\] \d{4}-\d\d-\d\d \S+ \((?:tool|web), untrusted\): ")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """One home for all; every case is another person's."""
    folder = tmp_path_factory.mktemp("poison")
    settings = Settings(cache_dir=folder / "cache", store=StoreSettings(index="exact"))
    with Memory(folder / "home", embeddings=HashEmbeddings(DIMENSION), settings=settings, clock=Clock()) as memory:
        yield memory


def attacked(memory: Memory, attack: dict[str, Any], role: str) -> list[Context]:
    """What is recalled, by the attack's own words and by ordinary questions, once it was remembered."""
    user = f"{role}-{attack['id']}"
    memory.remember(TOLD, user=user, session="told")
    before = memory.beliefs(user=user, retired=True)
    turn = {"text": attack["text"], "role": role}
    assert len(memory.remember(turn, user=user, session="attack", trust=attack["trust"])) == 1
    assert memory.beliefs(user=user, retired=True) == before
    memory.learn(user=user)
    assert memory.beliefs(user=user, retired=True) == before
    asked = [f"{attack['text']} What does that mean?", " ".join(attack["claims"]), ABOUT_ME]
    return [memory.recall(question, user=user, budget=10_000, k=10) for question in asked]


@pytest.mark.parametrize("role", ["tool", "user"])
@pytest.mark.parametrize("attack", ATTACKS, ids=[each["id"] for each in ATTACKS])
def test_an_attack_is_no_belief_and_no_order(shared: Memory, attack: dict[str, Any], role: str) -> None:
    for context in attacked(shared, attack, role):
        for hit in context.beliefs:
            assert not any(claim in hit.belief.statement for claim in attack["claims"])
        for line in context.render().splitlines()[1:-1]:
            if not any(claim in line for claim in attack["claims"]):
                continue
            assert _QUOTED.match(line), line
            assert not gives_orders(attack["text"], attack["trust"]), line


@pytest.mark.parametrize("attack", ORDERS, ids=[each["id"] for each in ORDERS])
def test_orders_are_withheld_and_can_be_looked_at(shared: Memory, attack: dict[str, Any]) -> None:
    found = attacked(shared, attack | {"id": f"{attack['id']}-orders"}, "tool")
    assert any(hit.episode.text == attack["text"] for hit in found[0].hits)
    for context in found:
        assert not any(claim in context.render() for claim in attack["claims"])
    assert "withheld, as it gives orders" in found[0].render()


ORDINARY = [
    ("tool", '{"city": "Leeds", "temp_c": 11, "wind_kmh": 20, "summary": "Light rain until the evening"}'),
    (
        "tool",
        "Your train leaves at 08:12 from platform 4. Baggage: one suitcase. Always carry your ticket.",
    ),
    (
        "tool",
        "PASSED tests/test_api.py::test_login (0.12s)\n1 failed: AssertionError: got 404 for user 17",
    ),
    (
        "tool",
        "README.md\n# tinycsv\nA small CSV reader.\n## Install\npip install tinycsv\nDo not edit build files.",
    ),
    ("tool", "Event: dentist, 4 March, 09:30, Mill Street 12. Please arrive ten minutes early."),
    ("tool", "SELECT returned 3 rows: (1, 'Ana', 'ana@example.org'), (2, 'Bo', 'bo@example.org'), (3, 'Cy', NULL)"),
    ("web", "Lentil soup for four. Fry the onion, add the lentils and stock, simmer 25 minutes. I always add a lemon."),
    (
        "web",
        "The museum is open daily from ten to six. Tickets cost 12 euros; children enter free. Take a guide.",
    ),
    ("web", "To reset the router, hold the button for ten seconds. The user interface is at 192.168.0.1 by default."),
    ("web", "Minsk is the capital of Belarus. About two million people live there, and it was rebuilt after the war."),
    ("web", "Three laptops compared. We liked the second best: it is light, and its battery lasts for eleven hours."),
    ("web", "When a user clicks Save, the form sends a POST request; the server must answer with 201 or an error."),
]


@pytest.mark.parametrize(("trust", "text"), ORDINARY)
def test_ordinary_words_of_tools_and_pages_are_quoted(shared: Memory, trust: str, text: str) -> None:
    user = f"ordinary-{len(text)}"
    shared.remember({"text": text, "role": "tool"}, user=user, trust=trust)  # pyright: ignore
    assert text[:30].replace("\n", " ") in shared.recall(f"{text} What is that?", user=user).render()


def test_what_only_looks_like_an_attack_is_learnt(shared: Memory) -> None:
    missed: list[str] = []
    for each in BENIGN:
        shared.remember(each["text"], user=each["id"])
        held = shared.beliefs(user=each["id"], retired=True)
        told = [belief.statement.casefold() for belief in held if belief.status in ("current", "upcoming")]
        if not any(all(word.casefold() in said for word in each["learn"]) for said in told):
            missed.append(f"{each['id']} {each['text']} -> {told}")
    assert len(missed) <= 0.05 * len(BENIGN), "\n".join(missed)
