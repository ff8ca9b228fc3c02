"""A small life for tests of data sets, and data sets compared across homes.

What enters: a `Memory`, or a `Dataset`. What leaves: turns remembered; what a data set says without ids, which differ
from home to home.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from conftest import START

from memoria import Memory
from memoria.distill.records import Dataset
from memoria.records import Episode

LIKES = [
    "I love jazz.",
    "I can't stand spicy food.",
    "I prefer tea to coffee.",
    "I enjoy hiking in the mountains.",
    "I hate horror films.",
    "I love dogs.",
    "I'm allergic to cashews.",
    "I prefer bullet points.",
]


def say(memory: Memory, *texts: str, user: str = "ana", session: str = "one", **more: Any) -> list[Episode]:
    """Remember turns of the person's (after "A: " of the assistant's), a minute apart."""
    begun = len(memory.episodes(user=user)) if any(each.user == user for each in memory.users()) else 0
    rows = [
        {
            "text": text.removeprefix("A: "),
            "role": "assistant" if text.startswith("A: ") else "user",
            "time": START + timedelta(days=-1, minutes=begun + place),
            "id": f"{begun + place}",
            **more,
        }
        for place, text in enumerate(texts)
    ]
    return memory.remember(rows, user=user, session=session)


def without_ids(data: Dataset) -> list[dict[str, Any]]:
    """Every example, in order, as it is but for its ids, of which there are as many."""
    return [
        {
            **each.model_dump(exclude={"belief_ids", "episode_ids"}),
            "from": (len(each.belief_ids), len(each.episode_ids)),
        }
        for each in (*data.pairs, *data.examples)
    ]
