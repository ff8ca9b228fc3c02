"""Beliefs: what is so, why it is believed, what was believed before, and what a change puts in doubt.

What enters: a few turns over half a year. What leaves: beliefs with their dates, an explanation down to the quoted
words, the same question asked of an earlier day, and the state after the newest evidence is taken back.
"""

from datetime import UTC, datetime

from memoria import Memory, Turn

MARCH, JUNE = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 6, 13, tzinfo=UTC)

with Memory() as memory:
    memory.remember(Turn(text="I live in Porto. I cycle to work.", time=MARCH), user="ana", session="spring")
    memory.remember(Turn(text="I moved to Lisbon last week!", time=JUNE), user="ana", session="summer")

    for belief in memory.beliefs(user="ana", retired=True):
        doubt = ", needs confirmation" if belief.needs_confirmation else ""
        print(f"{belief.statement}: {belief.status}{doubt}")

    home = next(b for b in memory.beliefs(user="ana", about="Lisbon"))
    print(memory.explain(home.id, user="ana").text)
    print("in April:", [b.statement for b in memory.beliefs(user="ana", at=datetime(2025, 4, 1, tzinfo=UTC))])
    print(memory.recall("Where do I live?", user="ana").render())

    memory.retract(home.id, user="ana")  # a slip of the tongue: what it had superseded returns
    print("after all:", [b.statement for b in memory.beliefs(user="ana", about="lives")])
