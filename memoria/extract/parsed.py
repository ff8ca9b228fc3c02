"""What a parse finds where the patterns find nothing: who does what, and who "she" is.

What enters: clauses that patterns read in vain, with whom they may be about. What leaves: proposals. The parser is
spaCy's small English model (the `nlp` extra), loaded at the first clause that needs it. A wrong fact is worse than a
missing one: only people known by relation or named as such count, only plain statements, and verbs that tell something.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import yaml

from memoria.extract.ontology import Ontology
from memoria.extract.parser import Action, Parser
from memoria.extract.phrases import clip, value_of
from memoria.extract.proposals import SELF, Proposal
from memoria.extract.subjects import ADJECTIVE, NAME, About, Spoken, mention_of
from memoria.store.truth import Act

_TABLE = Path(__file__).parent / "patterns" / "parsed.yaml"
_LONGEST_CLAUSE, _LONGEST_LOOK_BACK = 30, 400  # words; characters
_PRONOUN = re.compile(r"^(?:she|he|her|his)\b", re.IGNORECASE)
_GIVEN = re.compile(r"^(?:(?:Dr|Mr|Mrs|Ms|Prof|Aunt|Uncle|Coach)\.?\s+)?[A-ZÀ-ÖØ-Þ][a-zß-ÿ’-]+$")
_SPEAKS = re.compile(r"\b(?:i|i'm|i've|my|me|we|our|us)\b", re.IGNORECASE)
_FIRST_VERB = re.compile(
    r"^(?:(?:\w+ly|also|still|now|always|often|just|even|then|never|sometimes)\s+)*(?P<verb>\w+)\b(?P<article>\s+(?:an?|the)\b)?",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"\s*(?:,? (?:which|who|whom|where|because|so|but|though|while)\b|[;:(]).*$", re.IGNORECASE | re.DOTALL
)
_MINE = ((re.compile(r"\b(?:my|our)\b", re.I), f"{SELF}'s"), (re.compile(r"\b(?:me|us)\b", re.I), SELF))
_MOST_WORDS = 6


@lru_cache(maxsize=1)
def _words() -> dict[str, frozenset[str]]:
    """Verbs and nouns by what they are worth, read at first use."""
    table: dict[str, str] = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    return {name: frozenset(words.split()) for name, words in table.items()}


class Parsed:
    """Reads what patterns do not, by one ontology. Safe to share by threads."""

    def __init__(self, ontology: Ontology, parser: Parser) -> None:
        self._ontology, self._parser = ontology, parser
        nouns = "|".join(sorted(map(re.escape, ontology.relations), key=len, reverse=True))
        self._related = re.compile(
            rf"^(?P<owner>my|our|his|her)\s+(?:{ADJECTIVE}\s+)*(?P<relation>{nouns})\b(?!')"
            rf"(?:,?\s+(?:named\s+|called\s+)?(?P<name>{NAME})\b,?(?!'))?\s+(?P<phrase>\w.*)$",
            re.IGNORECASE | re.DOTALL,
        )

    def recall_person(self, text: str, before: str, spoken: Spoken) -> None:
        """Let "she" or "he" at the head of `text` be the one person that the turn named `before`, if patterns saw
        none."""
        if spoken.person is not None or not _PRONOUN.match(text) or not 0 < len(before) <= _LONGEST_LOOK_BACK:
            return
        if _SPEAKS.search(before):
            people = [name for name in self._parser.people_in(before) if name != spoken.speaker]
            spoken.person = people[0] if len(people) == 1 and _GIVEN.match(people[0]) else None

    def read(self, text: str, turn: str, about: About | None, spoken: Spoken, base: Proposal) -> list[Proposal]:
        """The facts that the expanded clause `text` of `turn` states of somebody known by relation, or by name."""
        if len(text.split()) > _LONGEST_CLAUSE:
            return []
        subject, phrase, known = self._subject(text, turn, about, spoken)
        if not subject or not self._may_tell(text, phrase, known):
            return []
        found = self._parser.actions_of("He" if "'s " in subject else subject, phrase)
        speaks = found.is_person and bool(_SPEAKS.search(text))
        actions = [each for each in found.actions if self._tells(each, known or speaks, found.is_other)]
        return [made for each in actions for made in self._facts(each, phrase, replace(base, subject=subject))]

    def kinds(self, text: str, proposals: Sequence[Proposal]) -> list[Proposal]:
        """`proposals` with the kinds of objects that the ontology is silent about."""
        return [
            replace(each, object_kind=self._parser.kind_of(text, each.object)) if self._is_open(each) else each
            for each in proposals
        ]

    # -- inside --------------------------------------------------------------------------------------------------

    def _is_open(self, proposal: Proposal) -> bool:
        silent = proposal.object_kind is None and proposal.predicate not in self._ontology.predicates
        return proposal.kind == "fact" and silent and any(c.isupper() for c in proposal.object)

    def _subject(self, text: str, turn: str, about: About | None, spoken: Spoken) -> tuple[str, str, bool]:
        """Subject, verb phrase, and whether they are known by relation."""
        related = self._related.match(text)
        if related:
            own = related.group("owner").lower() in ("my", "our")
            owner = spoken.speaker if own else spoken.person
            if owner is None:
                return "", "", False
            relation = self._ontology.relations[related.group("relation").lower()]
            mention = related.group("name") or mention_of(owner, relation)
            return mention, _mended(related.group("phrase")), own or _is_own(owner, turn)
        if about is None or about.noun is not None or about.subject == spoken.speaker:
            return "", "", False
        owner = about.owner or about.subject.rpartition("'s ")[0]
        named = bool(_GIVEN.match(about.subject))
        known = owner == spoken.speaker or (named and _is_own(about.subject, turn))
        usable = (known or named) and text.endswith(about.phrase)
        return (about.subject, _mended(about.phrase), known) if usable else ("", "", False)

    def _may_tell(self, text: str, phrase: str, known: bool) -> bool:
        """A glance that spares most parses: the phrase begins with a finite verb, of a kind that is wanted."""
        match, words = _FIRST_VERB.match(phrase), _words()
        verb = match.group("verb").lower() if match else ""
        helping = (
            verb in words["helpers"] and match is not None and not match.group("article")
        )  # "is a ..." says no deed
        if not helping and (verb in words["helpers"] or not (verb.endswith(("s", "ed")) or verb in words["irregular"])):
            return False
        return known or bool(_SPEAKS.search(text)) or verb in words["human_verbs"]

    def _tells(self, action: Action, trusted: bool, other: bool) -> bool:
        words = _words()
        if action.verb in words["idle_verbs"] or action.head in words["idle_nouns"]:
            return False
        if action.past and action.denied:  # what somebody did not do is no fact about them
            return False
        if action.verb in words["light_verbs"] and {action.head, action.direct} & words["light_nouns"]:
            return False
        human = _third(action.verb) in words["human_verbs"]
        if action.preposition and not (action.preposition in words["prepositions"] and (action.is_proper or human)):
            return False
        return trusted or (not other and not action.past and human)

    def _facts(self, action: Action, phrase: str, base: Proposal) -> list[Proposal]:
        value = value_of(action.object)
        if not value or len(value.split()) > _MOST_WORDS:
            return []
        forms = (action.verb, f"{action.verb}s", f"{action.verb}es") if not action.preposition else ()
        known = next((form for form in forms if form in self._ontology.predicates), None)
        name = known or f"{action.verb} {action.preposition}".strip()
        statement = f"{base.subject} {_said(phrase)}"
        if action.denied:  # what is denied is the belief, and that it says
            statement = " ".join(f"{base.subject} {_third(action.verb)} {action.preposition} {value}".split())
        act: Act = "deny" if action.denied else "affirm"
        kind = action.kind if known is None else None
        fact = replace(base, predicate=name, object=value, act=act, statement=statement, object_kind=kind)
        return [replace(fact, many=known is None)]


def _is_own(name: str, turn: str) -> bool:
    """Whether the turn says whose `name` is: "my golden retriever Max"."""
    return bool(re.search(rf"\b(?:[Mm]y|[Oo]ur)\b[^.!?\n]{{0,40}}?\b{re.escape(name)}\b", turn))


def _mended(phrase: str) -> str:
    """The phrase with "'s been" written out as it is meant."""
    return re.sub(r"^is been\b", "has been", phrase)


def _said(phrase: str) -> str:
    """The phrase as a statement about somebody else: the speaker in it is the person."""
    for pattern, word in _MINE:
        phrase = pattern.sub(word, phrase)
    return clip(_STATED.sub("", phrase).strip(" .,!"), 160)


def _third(verb: str) -> str:
    """The third person of a verb ("teach on", "carry")."""
    first, _, rest = verb.partition(" ")
    ending = "es" if first.endswith(("s", "sh", "ch", "x", "z", "o")) else "s"
    first = f"{first[:-1]}ies" if re.search(r"[^aeiou]y$", first) else first + ending
    return f"{first} {rest}".strip()
