"""What is distilled after forgetting is, to the byte, what a life in which it was never said would come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Clock
from tiny import make_tiny

from memoria import Memory, Settings, Turn
from memoria.distill.recipes import Recipe, Stage
from memoria.models.adapter_files import WEIGHTS
from memoria.settings import DistilSettings

RECIPE = Recipe(name="test", facts=True, rank=4, stages=(Stage(steps=4, batch=4, rate=0.01),))
START = datetime(2026, 1, 1, 9, tzinfo=UTC)
SAID = ["I live in Porto.", "I love tea, and I do not like coffee.", "My dog is called Pepper.", "I am from Portugal."]
SECRET = "My locker code is 741926."


def weights(memory: Memory, name: str) -> bytes:
    """The weights of an adapter made now, which serves."""
    made = memory.fit("adapter", user="ana", recipe=RECIPE).adapter
    assert made is not None
    assert made.id == name
    memory.promote(made.id, user="ana", force=True)
    return (memory.home / made.folder / WEIGHTS).read_bytes()


def live(memory: Memory, *said: str) -> None:
    """Say it, each on the day that it stands at among all that is ever said."""
    days = [*SAID[:2], SECRET, *SAID[2:]]
    for text in said:
        at = START + timedelta(days=days.index(text))
        memory.remember(Turn(text=text, time=at, session=f"{at:%Y-%m-%d}"), user="ana")


@pytest.mark.slow
def test_nothing_is_left_of_what_was_forgotten(settings: Settings, clock: Clock, home: Path, tmp_path: Path) -> None:
    clock.now = START + timedelta(days=30)
    place = str(make_tiny(tmp_path / "tiny"))
    settings = settings.model_copy(update={"distil": DistilSettings(model=place)})
    with Memory(home, embeddings="hash-64", settings=settings, clock=clock) as memory:
        live(memory, *SAID[:2], SECRET, *SAID[2:])
        told = weights(memory, "lora-1")
        receipt = memory.forget(user="ana", query="741926")
        assert (receipt.quarantined, receipt.serving) == (("lora-1",), ())
        assert memory.serving("lora", user="ana") is None
        assert list(home.rglob(WEIGHTS)) == []
        rebuilt = weights(memory, "lora-2")
    with Memory(tmp_path / "other", embeddings="hash-64", settings=settings, clock=clock) as memory:
        live(memory, *SAID)
        never = weights(memory, "lora-1")
    assert rebuilt == never
    assert rebuilt != told
