"""A personal assistant over two sessions, offline and without a language model; then questions about its memory.

What enters: what a person says, from a script. What leaves: answers with their sources, and whether they are as
expected. `Assistant(memory, user=..., model=load_chat_model("local"))` adds the small model that runs here, a trusted
one (`strict=False`) answers in its own words; `memoria chat` is the same assistant in a terminal.
"""

from memoria_agents import Assistant, SimulatedUser
from memoria_agents.simulated_user import Line, Said, Talk

from memoria import Memory

PERSON = SimulatedUser(
    [
        Talk(
            talk="monday",
            lines=(
                Line(say=("I live in Porto.",)),
                Line(say=("My sister Leonor is getting married in Braga on the 6th of September.",)),
                Line(say=("I moved to Lisbon last week!",)),
            ),
        ),
        Talk(
            talk="tuesday",
            lines=(
                Line(say=("Where do I live?",), expect=("You live in Lisbon",)),
                Line(say=("When is Leonor's wedding?",), expect=("6th of September",)),
                Line(say=("What is the name of my parrot?",), expect=("I do not know",)),
                Line(say=("What changed?",), expect=("Porto",)),
                Line(say=("Why do you believe that I live in Lisbon?",), expect=("I moved to Lisbon",)),
            ),
        ),
    ]
)


def talk(said: Said) -> str:
    """One line of the talk, heard by a program that has just started: all it knows is in the memory."""
    with Memory() as memory:
        answer = Assistant(memory, user="ana", thread=said.talk).ask(said.text)
    return answer.render()


played = PERSON.play(talk)
print(played.render())
assert not played.faults
