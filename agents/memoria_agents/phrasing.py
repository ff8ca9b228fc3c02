"""Saying to a person what is believed of them.

What enters: a belief's statement ("user lives in Porto") or a text. What leaves: the same in the second person ("you
live in Porto"); whether a text only asks.
"""

from __future__ import annotations

import re

from memoria import Fact, Preference

_SUBJECT = re.compile(r"^user (?P<adverbs>(?:(?:also|always|never|no longer|often|still|usually) )*)(?P<verb>\w+)")
_IRREGULAR = {"is": "are", "was": "were", "has": "have", "does": "do", "goes": "go"}
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("zzes", "zz"), ("oes", "o"))
_ONLY_ASKS = re.compile(r"^[^.!?]+\?+\W*$")


def to_you(statement: str) -> str:
    """A statement about "user", said to them."""
    found = _SUBJECT.match(statement)
    if found is not None:
        said = f"you {found['adverbs']}{_plural(found['verb'])}"
        statement = said + statement[found.end() :]
    return re.sub(r"\buser\b", "you", re.sub(r"\buser's\b", "your", statement))


def believed(belief: Fact | Preference) -> str:
    """A belief said to the person: what is so, what may be so no longer, what was."""
    said = to_you(belief.statement)
    if belief.status == "current":
        return f"{said} (that may have changed since)" if belief.needs_confirmation else said
    until = f" until {belief.valid_to:%d %b %Y}" if belief.valid_to else ""
    return f"no longer so{until}: {said}"


def sentence(text: str) -> str:
    """`text` with a capital in front."""
    return text[:1].upper() + text[1:]


def only_asks(text: str) -> bool:
    """Whether a text is one question and nothing else: it says nothing that an answer could rest on."""
    return bool(_ONLY_ASKS.match(text.strip()))


def _plural(verb: str) -> str:
    """A verb of "he" or "she" as one of "you"."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    for ending, plain in _ENDINGS:
        if verb.endswith(ending):
            return verb.removesuffix(ending) + plain
    return verb.removesuffix("s") if not verb.endswith("ss") else verb
