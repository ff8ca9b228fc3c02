"""What a preference is for, in words that fit into a sentence.

What enters: a belief with what bears it out. What leaves: `Liking`s: what is liked or not, as an assistant would say it
to the person, and when. What cannot be said so (a clause, a figure of speech, a sort of person) yields none: a sentence
that nobody would say teaches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from memoria.distill.material import Known
from memoria.extract.ontology import key_of
from memoria.extract.proposals import SELF
from memoria.records import Preference

_FILE = Path(__file__).parent / "preferences.yaml"
# Facts that show a liking, and what tells of them where no word does.
_DOES = {"hobby": "doing", "sport": "doing", "instrument": "music", "diet": "food", "favourite": "thing"}
_WHEN = re.compile(
    r"[ ,]+(?P<when>(?:when(?:ever)? i\b.+|in the (?:mornings?|evenings?|afternoons?)|at (?:work|home|night|weekends)"
    r"|in (?:spring|summer|autumn|fall|winter)|at (?:the weekend|breakfast|lunch|dinner)|for (?:breakfast|lunch|dinner)"
    r"|on (?:weekends|weekdays|holiday|vacation|\w+days)))$",
    re.IGNORECASE,
)
_BETTER = re.compile(r"^(?P<one>.+?) (?:to|over|than|rather than|instead of) (?P<other>.+)$", re.IGNORECASE)
_COMPARES = re.compile(r"\b(?:prefer\w*|rather|better|more)\b", re.IGNORECASE)
_DIET = re.compile(
    r"^(?:going |being |eating )?(vegetarian|vegan|kosher|halal|gluten[- ]free|plant[- ]based)$", re.IGNORECASE
)
_UNSAID = re.compile(
    r"\b(?:person|people|am|is|are|was|were|has|have|had|will|would|can|i|he|she|they|it|this|that|these|those|here)\b"
    r"|[\n\"“”;:!?()\[\]{}<>/\\]|^(?:\w+(?:ed|en)|read|seen|known|told|left|made) (?:by|with|at|from|to)\b"
    r"|^favou?rite\b",
    re.IGNORECASE,
)
_LIKENESS = re.compile(r"^\W*(?:just |a bit |rather |it'?s )?like\b", re.IGNORECASE)
_WANTING = (
    r"\b(?:like|love|hate|want|enjoy|prefer|adore|loathe|need) to|(?:\bwould|'d) (?:much |far )?rather"
    r"|\brather \w+(?: [\w']+){1,5} than"
)
_MINE = {"my": "your", "i": "you", "me": "you", "mine": "yours", "myself": "yourself", "our": "your", "us": "you"}
_DOUBLED = re.compile(r"^(?:[^aeiou]*[aeiou][bdgmnprt]|\w*(?:get|win|run|sit|cut|put|let|hit))$")
_GERUND = re.compile(
    r"(?!morning|evening|thing|nothing|something|spring|ring|king|wedding|building|pudding)\w+ing\b", re.IGNORECASE
)
_TITLE = re.compile(r"\b(?:The|A|An)\b.* [A-Z]|[A-Z]\w+(?: [a-z]+)+ [A-Z]")
_LONGEST = 8  # words


@dataclass(frozen=True)
class Liking:
    """`what` is liked (`way` 1) or not (-1), `when` (words before a question, or none); lines of `table` speak of it.

    `over` is what it is preferred to, by the person's own word. `key` names what it is about, whichever way.
    """

    known: Known
    what: str
    way: int
    table: str
    when: str = ""
    over: str | None = None
    weight: float = 1.0

    @property
    def key(self) -> str:
        """The same for who likes it and who does not, and for who prefers the one and who the other."""
        matter = sorted(key_of(each) for each in (self.what, self.over) if each)
        return " ".join([*matter, key_of(self.when)]).strip()


@lru_cache(maxsize=1)
def phrases() -> dict[str, Any]:
    """The packaged phrasings."""
    values: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return values


def likings(known: Iterable[Known]) -> list[Liking]:
    """What can be said of the beliefs, each matter once: of two that contradict each other the one said last holds."""
    found: dict[str, Liking] = {}
    for each in known:
        for liking in _read(each):
            before = found.pop(liking.key, None)
            same = before is not None and before.way == liking.way and before.over == liking.over
            found[liking.key] = before if same and before is not None else liking
    return list(found.values())


def style_of(known: Known) -> tuple[str, int] | None:
    """Which style of answers a preference asks for, and which of its two kinds (1 or -1); None where none."""
    belief = known.belief
    if not isinstance(belief, Preference) or belief.subject != SELF:
        return None
    said = f"{belief.topic} {known.object}" if "wants answers" in belief.statement else belief.topic
    for name, style in phrases()["styles"].items():
        for kind, pattern in zip((1, -1), style["matches"], strict=True):
            if re.search(pattern, said, re.IGNORECASE):
                return name, kind * int(belief.polarity)
    return None


def table_of(what: str, otherwise: str = "thing") -> str:
    """Which lines speak of such a thing; `otherwise`: where no word tells."""
    if _GERUND.match(what):
        return "doing"
    words = key_of(what)
    found = ((match.start(), table) for table, pattern in _tables() for match in pattern.finditer(words))
    return max(found, default=(0, "story" if _TITLE.search(what) else otherwise))[1]


@lru_cache(maxsize=1)
def _tables() -> list[tuple[str, re.Pattern[str]]]:
    words: dict[str, list[str]] = phrases()["words"]
    return [
        (table, re.compile(rf"\b(?:{'|'.join(re.escape(key_of(each)) for each in listed)})\b"))
        for table, listed in words.items()
    ]


def _read(known: Known) -> list[Liking]:
    belief = known.belief
    if belief.subject != SELF:
        return []
    if isinstance(belief, Preference):
        if style_of(known) is not None or any(_LIKENESS.match(quote) for quote in known.quotes):
            return []
        named = belief.topic == "diet" or re.match(r"favou?rite\b", belief.topic, re.IGNORECASE) is not None
        topic = known.object if named else belief.topic
        kind = table_of(belief.topic, "food" if belief.topic == "diet" else "thing") if named else "thing"
        return _liking(known, topic, int(belief.polarity), belief.strength, belief.context, kind)
    if belief.predicate in _DOES:
        return _liking(known, belief.object, 1, 0.8, None, _DOES[belief.predicate])
    return []


def _liking(known: Known, topic: str, way: int, weight: float, when: str | None, otherwise: str) -> list[Liking]:
    if (found := _WHEN.search(topic)) is not None:
        topic, when = topic[: found.start()], found["when"]
    over = None
    if any(_COMPARES.search(quote) for quote in known.quotes) and (found := _BETTER.match(topic)) is not None:
        topic, over = found["one"], found["other"]
    what = _spoken(topic, known.quotes)
    other = _spoken(over, known.quotes) if over is not None else None
    if what is None or (over is not None and other is None):
        return []
    if other is not None and _GERUND.match(what) and not _GERUND.match(other):
        other = _as_doing(other)
    said = _to_you(when or "")
    return [Liking(known, what, way, table_of(what, otherwise), said[:1].upper() + said[1:], other, weight)]


def _spoken(topic: str, quotes: Iterable[str]) -> str | None:
    """`topic` as it is said to the person, with the little word that stood before it; None where it cannot be."""
    topic = topic.strip(" .,'")
    if (diet := _DIET.match(topic)) is not None:
        return f"{diet[1].lower()} food"
    if _UNSAID.search(topic):
        return None
    for quote in quotes:
        if re.search(rf"(?:{_WANTING}) {re.escape(topic)}", quote, re.IGNORECASE):
            topic = _as_doing(topic)
            break
        if (before := re.search(rf"\b(being|an?|the|my|our) {re.escape(topic)}", quote, re.IGNORECASE)) is not None:
            topic = _with(before[1], topic, first=not before.start())
            break
    if not 1 <= len(topic.split()) <= _LONGEST or topic.startswith("being "):
        return None
    return _to_you(topic)


def _with(word: str, topic: str, *, first: bool) -> str:
    """The topic with the word that stood before it; of "a filter" all filters are meant."""
    if word.lower() not in ("a", "an"):
        return f"{word.lower() if first else word} {topic}"
    head = re.match(r"(.+?)(?= (?:of|in|on|at|with|for|from|to|by|without)\b|$)", topic)
    assert head is not None
    return f"{_plural(head[0])}{topic[head.end() :]}"


def _plural(noun: str) -> str:
    if re.search(r"(?:s|x|z|ch|sh)$", noun):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"


def _as_doing(phrase: str) -> str:
    """ "cooking for friends" of "cook for friends"."""
    verb, _, rest = phrase.partition(" ")
    if verb.endswith("ie"):
        verb = f"{verb[:-2]}y"
    elif verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and verb != "be":
        verb = verb[:-1]
    elif _DOUBLED.match(verb):
        verb += verb[-1]
    return f"{verb}ing {rest}".strip()


def _to_you(text: str) -> str:
    """What the person says of themselves, said to them."""
    return re.sub(r"[A-Za-z']+", lambda word: _MINE.get(word[0].lower(), word[0]), text)
