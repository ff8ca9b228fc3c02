"""People and animals by name: who stands in what relation to the speaker.

What enters: a clause. What leaves: proposals of relations ("my sister Anna") and aliases (she is the one that "my
sister" means), whether the name comes in passing or as the subject.
"""

from __future__ import annotations

import re
from dataclasses import replace

from memoria.extract.ontology import Ontology
from memoria.extract.phrases import value_of, values_of
from memoria.extract.proposals import SELF, Proposal
from memoria.extract.subjects import ADJECTIVE, NAME, NOT_NAMES, About, Spoken, mention_of

_IS_MINE = re.compile(
    rf"^(?:is|are|was) (?P<owner>my|our|his|her|their) (?:{ADJECTIVE} )*(?P<what>[\w -]+?)(?:$|,|\s+(?:and|who|from|at|in|now|since|for)\b)",
    re.IGNORECASE,
)
_IS_NAMED = re.compile(
    rf"^(?:is|are)(?: now| actually| really| currently| still)*(?: called| named)? (?P<name>{NAME})(?=$|[,;(]| (?:now|and|since|these|at|from|again|instead|by)\b)"
)
_CALLED = re.compile(r"\b(?:call|name|rename|naming|calling)\s*$", re.IGNORECASE)
_NO_NAMES = frozenset(
    (
        "I And But So The Is Was Has Wait Actually Sorry Also Well Oh No Yes Ok Okay Hi Hey Hello Thanks Please "
        "Now Then Anyway Btw Yeah Nope Correction Or Great Good Nice Cool Brilliant Perfect Right Sure Fine "
        "Honestly Sadly Just This That"
    ).split()
)


class People:
    """Reads names by the nouns for relations that an ontology knows."""

    def __init__(self, ontology: Ontology) -> None:
        self._ontology = ontology
        nouns = "|".join(sorted(map(re.escape, ontology.relations), key=len, reverse=True))
        names = rf"(?P<names>{NAME}(?:(?:,| and|, and)\s+{NAME})*)"
        self._mine = re.compile(
            rf"\b(?:my|our)\s+(?:{ADJECTIVE}\s+)*(?P<rel>{nouns})(?:,|,?\s+named|,?\s+called)?\s+(?P<name>{NAME})", re.I
        )
        self._introducing = re.compile(
            rf"\b(?:an?|two|three|four|our|my|the|another)\s+(?:(?!(?:has|have|had|is|was|and|who|with|got|of|says|said)\b)[\w-]+\s+){{0,4}}?(?P<rel>{nouns})s?"
            rf"(?:,?\s+(?:named|called|who we named|we named|whose names? (?:is|are)|that we call|i named|i call)\s+|,\s+|:\s+|\s[–—-]\s){names}",
            re.I,
        )
        self._apposed = re.compile(
            rf"(?<![\w'])(?P<name>{NAME})(?:, (?:who(?:'s| is| was) |that'?s )?|,? who(?:'s| is) |'s | is )(?:my|our)\s+(?:{ADJECTIVE}\s+)*(?P<rel>{nouns})\b(?=\s*(?:[,.!?;)]|$|and\b|who\b|is\b|has\b|will\b))",
            re.I,
        )
        self._nameless = re.compile(
            rf"\b(?:have|got|adopted|bought|own|rescued|keep) (?:\w+ )?(?:an?|another|one|this) (?:[\w-]+ ){{0,2}}?(?P<rel>{nouns})\b(?!'|s\b| (?:named|called))",
            re.I,
        )

    def in_passing(self, text: str, owner: str, spoken: Spoken, base: Proposal) -> list[Proposal]:
        """ "dinner with my sister Anna", "a dog named Rex", "two cats, Miso and Tofu", in a clause about `owner`."""
        found: list[Proposal] = []
        for match in self._mine.finditer(text):
            name, relation = match.group("name"), self._ontology.relations[match.group("rel").lower()]
            name = name[:-2] if name.endswith(("'s", "’s")) else name
            if name.split()[0] in _NO_NAMES or name.isupper():
                continue
            found += _both(base, spoken.speaker, relation, name)
            spoken.person = name
        for match in self._introducing.finditer(text):
            relation = self._ontology.relations[match.group("rel").lower()]
            for name in values_of(match.group("names")):
                if name[0].isupper() and name.split()[0] not in _NO_NAMES:
                    kind = self._ontology.predicate(relation).kind
                    mine = match.group().lower().startswith(("my ", "our "))
                    subject = spoken.speaker if mine else owner
                    found.append(replace(base, subject=subject, predicate=relation, object=name, object_kind=kind))
                    spoken.person = name
        nameless = self._nameless.search(text)
        if nameless and not found and owner == spoken.speaker:  # "... and her name is Olive" may follow
            spoken.person = mention_of(owner, self._ontology.relations[nameless.group("rel").lower()])
        return found

    def apposed(self, turn: str, begin: int, stop: int, spoken: Spoken) -> list[Proposal]:
        """ "Waffles, my dog, ate the butter"; "what do I tell my son Kofi?": a question takes him for granted too."""
        found: list[Proposal] = []
        for pattern in (self._apposed, self._mine):
            for match in pattern.finditer(turn, begin, stop):
                name = match.group("name")
                called = _CALLED.search(turn[max(begin, match.start() - 12) : match.start()])
                if (
                    called
                    or name.split()[0] in _NO_NAMES
                    or name.casefold().split()[0] in NOT_NAMES
                    or name.isupper()
                    or name.endswith(("'s", "’s"))
                ):
                    continue
                base = Proposal("fact", spoken.speaker, "", "", match.start(), match.end())
                found += _both(base, spoken.speaker, self._ontology.relations[match.group("rel").lower()], name)
        return found

    def introduced(self, about: About, base: Proposal) -> list[Proposal]:
        """What the subject itself tells: "my sister Anna works ...", "my dentist is Dr. Okafor"."""
        found = [
            replace(base, kind="alias", subject=mention, object=name, predicate=_relation(mention), since=None)
            for mention, name in about.aliases
        ]
        if about.named and about.relation and about.owner:
            kind = self._ontology.predicate(about.relation).kind
            found.append(
                replace(
                    base,
                    subject=about.owner,
                    predicate=about.relation,
                    object=about.named,
                    since=None,
                    object_kind=kind,
                )
            )
        named = _IS_NAMED.match(about.phrase) if about.relation and not about.named else None
        if named and about.owner and about.relation:
            found += _both(base, about.owner, about.relation, named.group("name"))
        return found

    def mine(self, about: About, base: Proposal) -> list[Proposal]:
        """ "Anna is my sister", "Dr. Lee is my dentist now"."""
        match = _IS_MINE.match(about.phrase)
        if match is None or about.subject == SELF or match.group("owner").lower() not in ("my", "our"):
            return []
        noun = match.group("what").lower()
        predicate = self._ontology.relations.get(noun) or self._ontology.attributes.get(noun, noun)
        if noun in self._ontology.relations:
            return _both(base, SELF, predicate, about.subject)
        return [replace(base, subject=SELF, predicate=predicate, object=value_of(about.subject))]

    def named(self, about: About, base: Proposal, name: str) -> list[Proposal]:
        """ "my sister's name is Carla"."""
        owner, relation = about.subject.rsplit("'s ", 1)
        return _both(base, owner, relation, name)


def _both(base: Proposal, owner: str, relation: str, name: str) -> list[Proposal]:
    """The relation, and that its mention means the one of that name."""
    alias = replace(base, kind="alias", subject=mention_of(owner, relation), object=name, predicate=relation)
    return [replace(base, subject=owner, predicate=relation, object=name, object_kind="person"), alias]


def _relation(mention: str) -> str:
    return mention.rsplit("'s ", 1)[-1]
