"""Feedback: what a person likes, turns down and corrects, as preference pairs that a model can learn from.

What enters: a few turns, a correction and a vote. What leaves: the pairs, how many there are, and how many once a
turn was forgotten; a refusal once the person withholds consent.
"""

from memoria import InvalidInput, Memory, Turn

TALK = [
    Turn(text="I love fado, and I can't stand spicy food."),
    Turn(text="How do I boil an egg?"),
    Turn(text="First of all, choose a pot of the right size and think about the water.", role="assistant"),
    Turn(text="That's too long."),
    Turn(text="Seven minutes in boiling water.", role="assistant"),
    Turn(text="Perfect, thanks!"),
    Turn(text="And how do I boil rice?"),
    Turn(text="Rice is a wonderful grain with a long history.", role="assistant"),
]

with Memory() as memory:
    turns = memory.remember(TALK, user="ana", session="kitchen")
    memory.feedback(turns[-1].id, user="ana", correction="Two parts of water, twelve minutes, lid on.")
    memory.feedback(turns[4].id, user="ana", score=1)

    data = memory.dataset(user="ana")
    for pair in [each for each in data.pairs if each.kind != "stated"] + data.pairs_of("held_out")[:4]:
        print(f"{pair.kind:8} {pair.prompt}\n  + {pair.chosen}\n  - {pair.rejected}")
    print({name: count for name, count in data.manifest.counts.items() if count})

    memory.forget(user="ana", ids=[turns[0].id])
    print(f"{len(memory.dataset(user='ana').pairs)} pairs are left of {len(data.pairs)}.")

    memory.consent(False, user="ana")
    try:
        memory.dataset(user="ana")
    except InvalidInput as refusal:
        print(refusal)
