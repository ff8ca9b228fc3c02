"""Distil: memories become a preference head and a card, behind a gate, and forgetting reaches them.

What enters: what a person likes. What leaves: what serves, and of what it was made; after one memory is forgotten it
serves no more, until it is made anew of the rest. With the kind "adapter" a local language model learns as well; that
takes minutes, and the job `distil` does it by night.
"""

from memoria import HashEmbeddings, Memory, Settings
from memoria.distill.distillation import Distillation
from memoria.settings import DistilSettings, GateSettings

LIKES = ["I love jazz.", "I love tea.", "I love hiking.", "I love trains.", "I love painting."]
distil = DistilSettings(kinds=("head", "card"), card_by="head", gate=GateSettings(pairs=15))


def show(done: Distillation) -> None:
    for made in done.made:
        print(f"  {made.kind}: {made.outcome} {made.why}")


with Memory(embeddings=HashEmbeddings(256), settings=Settings(distil=distil)) as memory:
    memory.remember(LIKES, user="ana", session="tastes")
    asked, answer = memory.remember(
        ["How far is the sea?", {"role": "assistant", "text": "What a wonderful question! It is 9 km."}], user="ana"
    )
    memory.feedback(answer.id, user="ana", correction="9 km.")
    print("distilled:")
    show(memory.distill(user="ana"))

    head = memory.serving("head", user="ana")
    assert head is not None
    print(f"{head.id} serves; it was made of:")
    for origin in memory.adapter(head.id, user="ana").origins:
        print(f"  {origin.kind} {origin.id[:8]} {origin.text}")

    ranks = memory.head(user="ana")  # for the answers of any language model
    assert ranks is not None
    answers = ["What a wonderful question! It is 12 km.", "12 km."]
    print("of two answers she would like:", answers[ranks.best_of("How far is the lake?", answers)])

    memory.forget(user="ana", ids=[memory.beliefs(user="ana", about="jazz")[0].id])
    print(memory.may_serve(head.id, user="ana").why)
    print("owed a rebuild:", [scope.user for scope in memory.owed()], "- the job rebuild does it, or:")
    show(memory.distill(user="ana"))
    now = memory.serving("head", user="ana")
    assert now is not None
    print(f"{now.id} serves, and nobody is owed anything: {memory.owed()}")
