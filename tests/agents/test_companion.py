"""The companion lives through a history and answers from it."""

from __future__ import annotations

import pytest
from conftest import OpenMemory
from memoria_agents import Companion

from memoria import InvalidInput, Turn
from memoria.remember.turns import to_turns

YEAR = [
    {"text": "I adopted a dog called Bolota", "time": "2025-02-09T17:15:00Z", "session": "dog", "speaker": "Ana"},
    {"text": "Lovely!", "time": "2025-02-09T17:16:00Z", "session": "dog", "role": "assistant", "speaker": "Memo"},
    {"text": "I moved to Lisbon", "time": "2025-06-13T09:00:00Z", "session": "move", "metadata": {"mood": "happy"}},
]


def test_a_history_goes_through_the_graph_once(open_memory: OpenMemory) -> None:
    memory = open_memory()
    companion = Companion(memory, user="ana")
    done: list[int] = []
    companion.live_through(to_turns(YEAR), progress=done.append)
    assert done == [2, 1]
    Companion(memory, user="ana").live_through(to_turns(YEAR))
    assert memory.status()["episodes"] == 3
    hit = memory.recall("Lisbon", user="ana", k=1).hits[0]
    assert (hit.episode.session, hit.episode.metadata) == ("move", {"mood": "happy"})
    assert f"{hit.episode.occurred_at:%Y-%m-%d}" == "2025-06-13"
    reply = companion.ask("Where did I move?", thread="new")
    assert reply.context is not None
    assert reply.context.hits[0].episode.text == "I moved to Lisbon"


def test_a_turn_without_a_session_is_refused(open_memory: OpenMemory) -> None:
    with pytest.raises(InvalidInput, match="session"):
        Companion(open_memory(), user="ana").live_through([Turn(text="x")])
