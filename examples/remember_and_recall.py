"""Remember a few turns, recall with reasons, and see what a budget leaves out.

What enters: nothing. What leaves: a printed page. Offline; the memory lies in `$MEMORIA_HOME` or the default folder.
"""

from memoria import Memory

TURNS = [
    {"speaker": "Ana", "text": "My dog Bolota is four and afraid of umbrellas.", "time": "2025-02-09T17:15:00+00:00"},
    {"speaker": "Memo", "role": "assistant", "text": "A rainy problem.", "time": "2025-02-09T17:16:00+00:00"},
    {"speaker": "Ana", "text": "I am allergic to cashews, it turns out.", "time": "2025-03-02T11:00:00+00:00"},
    {"speaker": "Ana", "text": "We fly to the Azores on the 14th of August.", "time": "2025-08-03T15:20:00+00:00"},
]

with Memory() as memory:
    new = memory.remember(TURNS, user="ana")
    print(f"{len(new)} turns are new; a second time: {len(memory.remember(TURNS, user='ana'))}")
    context = memory.recall("What must I not eat?", user="ana", k=2)
    print(context.render())
    for hit in context.hits:
        reasons = ", ".join(f"{name} {value:+.2f}" for name, value in hit.signals.items())
        print(f"  [{hit.citation}] {hit.score:.2f} = {reasons}")
    print("left out:", [dropped.reason for dropped in context.dropped])
    print("known:", context.known, f"({context.confidence:.0%})")
