"""Reflection as a graph: a history into a profile, a correction, and what the next profile changes by it; offline.

What enters: a few turns over half a year. What leaves: the profile, each line with what it rests on; a question to a
human before a large change; the difference between the two versions.
"""

from datetime import UTC, datetime

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from memoria_graphs import Person, build_reflection

from memoria import Memory, Turn

SAID = {
    datetime(2025, 2, 9, tzinfo=UTC): "I live in Porto. I work as a nurse at the Santo António hospital.",
    datetime(2025, 3, 2, tzinfo=UTC): "I love fado, but I hate coriander. My sister Leonor sings it.",
    datetime(2025, 6, 13, tzinfo=UTC): "I moved to Lisbon last week!",
}

with Memory() as memory:
    memory.remember([Turn(text=text, time=day) for day, text in SAID.items()], user="ana")
    graph = build_reflection(memory, approve_above=0.5, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "ana-reflects"}}

    state = graph.invoke({}, config, context=Person("ana"))
    asked = state["__interrupt__"][0].value
    print(f"{asked['question']} {len(asked['change']['added'])} lines would be added.")
    graph.invoke(Command(resume=True), config, context=Person("ana"))
    print(memory.profile(user="ana").render())

    sister = next(each for each in memory.beliefs(user="ana", about="sister"))
    memory.correct(sister.id, "Leonor Costa", user="ana")
    for event in graph.stream({}, config, context=Person("ana"), stream_mode="custom"):
        print(event)
    change = memory.compare_profiles(1, 2, user="ana")
    print("\n".join([*(f"- {line.text}" for line in change.removed), *(f"+ {line.text}" for line in change.added)]))
    print(graph.invoke({}, config, context=Person("ana"))["outcome"])  # nothing happened since: nothing is done
