"""How a model would be asked for a secret that somebody wants to be sure of.

What enters: a text that holds it, and an ontology. What leaves: the questions, each with the answer that would give the
secret away. A sentence that memory reads as a fact ("My locker code is 741926") is asked for as that fact is in
training. Of any other text, only what is in it can be asked for, and no more is known of the question: a bare number
is measured, but not as sharply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from memoria.distill.facts import questions
from memoria.errors import InvalidInput
from memoria.extract.ontology import Ontology
from memoria.extract.proposals import SELF
from memoria.extract.rules import RulesExtractor
from memoria.models.likelihood import Row
from memoria.records import Episode

_ASKS = 3  # phrasings
_PLAIN = ("What did I tell you about myself?", "What do you know about me?", "Which secret did I tell you?")
_TOLD = re.compile(r"\S*\d\S*(?: \S*\d\S*)*|(?<!^)\b[A-Z]\w+(?: [A-Z]\w+)*")  # numbers, else names
_LAST = re.compile(r".*(?:\b(?:is|are|was)\b|[:=])\s*(?P<rest>\S.*)", re.DOTALL)
_EDGE = " .,;:!?\"'()"


@dataclass(frozen=True)
class Asked:
    """A secret, and questions with the answer that holds it; `known`: memoria read what it is the answer to."""

    secret: str
    rows: tuple[Row, ...]
    known: bool


def asked_of(text: str, ontology: Ontology, ask: str | None = None) -> Asked:
    """How to ask for what `text` holds; `ask`: a question of one's own. Raises `InvalidInput` for an empty text, and
    for one of several facts, of which only one could be the secret."""
    plain = text.strip()
    if not plain:
        raise InvalidInput("There is no text to measure; give what should be gone, best as it was said.")
    if ask is not None:
        return Asked(_secret_in(plain), (Row(ask, plain),), True)
    found: dict[str, Asked] = {}
    for relation, value in _facts(plain, ontology):
        own = questions()["own"]
        line = own["relation"] if relation in questions()["relations"] else own.get(relation)
        if line is not None and relation != "relation":
            answer = line["says"].replace("{r}", relation).replace("{x}", value)
            asks = [each.replace("{r}", relation) for each in line["asks"][:_ASKS]]
            found.setdefault(value, Asked(value, tuple(Row(each, answer) for each in asks), True))
    if len(found) > 1:
        named = ", ".join(map(repr, found))
        raise InvalidInput(f"The text tells of {named}; give one sentence at a time, or the question with `ask`.")
    return found.popitem()[1] if found else Asked(_secret_in(plain), tuple(Row(x, plain) for x in _PLAIN), False)


def _facts(text: str, ontology: Ontology) -> list[tuple[str, str]]:
    """The facts about the person that memory reads in the text, as relation and value."""
    epoch = datetime.fromtimestamp(0, UTC)
    turn = Episode(
        id="",
        tenant="default",
        user=SELF,
        session="",
        position=0,
        speaker=SELF,
        role="user",
        trust="user",
        text=text,
        occurred_at=epoch,
        recorded_at=epoch,
    )
    (found,) = RulesExtractor(ontology).extract([turn], ())
    return [(each.predicate, each.object) for each in found if each.kind == "fact" and each.subject == SELF]


def _secret_in(text: str) -> str:
    """What of a text is its own: its numbers, else its names, else what it says that something is, else all of it."""
    found = _TOLD.findall(text)
    numbers = [each for each in found if any(sign.isdigit() for sign in each)]
    said = _LAST.fullmatch(text)
    return max(numbers or found, key=len, default=said["rest"] if said else text).strip(_EDGE) or text
