"""The extractor that works offline: rules for English.

What enters: episodes. What leaves: proposals, each quoting its clause. Only what the person said themselves is read.
Where spaCy is installed, a parse reads what the patterns read in vain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from memoria.extract.answers import styles_of
from memoria.extract.changes import CORRECTING, instead_of, meant
from memoria.extract.doubt import doubtful
from memoria.extract.ontology import Ontology
from memoria.extract.parsed import Parsed
from memoria.extract.parser import installed, shared_parser
from memoria.extract.people import People
from memoria.extract.phrases import clip, since_of, still_ahead, third_person
from memoria.extract.proposals import Proposal, own_words, speaker_of
from memoria.extract.reasons import Reasons
from memoria.extract.recast import recast
from memoria.extract.sentences import Clause, clauses_of, statable
from memoria.extract.statements import Statements, taste_proposal
from memoria.extract.subjects import About, Spoken, expand, read_subject
from memoria.extract.tastes import read_thing
from memoria.extract.updates import dose_of, given, matter_of, news_of, weekly_of
from memoria.records import Episode

_NOW = re.compile(r"\b(?:now|instead|these days|nowadays|from now on|anymore|any more)\b", re.IGNORECASE)
_TOO = re.compile(r"\b(?:also|too|as well|another|besides)\b", re.IGNORECASE)
_THAT = re.compile(r"^that (?=is\b|was\b)", re.IGNORECASE)
_JOBS = frozenset(("job", "position", "role", "work", "company"))
_PRONOUN = re.compile(r"(?<=\w )(?:it|them|that|those)(?=$|[ ,.!])", re.IGNORECASE)


class RulesExtractor:
    """Reads English by rules; safe to share by threads. `spacy`: let a parse help where the `nlp` extra is installed.

    The name tells whether it does and by which model, so that `Memory.learn` reads old turns again once it is.
    """

    def __init__(self, ontology: Ontology, *, spacy: bool = False) -> None:
        model = installed() if spacy else None
        self.name = f"rules-1+spacy-{model}" if model else "rules-1"
        self._parsed = Parsed(ontology, shared_parser()) if model else None
        self._ontology = ontology
        self._people = People(ontology)
        self._statements = Statements(ontology, self._people)
        self._reasons = Reasons(ontology)

    def extract(self, episodes: Sequence[Episode], known: Sequence[str]) -> list[list[Proposal]]:
        """The proposals of each episode; none of what somebody else said."""
        return [self._read(each) if own_words(each) else [] for each in episodes]

    def _read(self, episode: Episode) -> list[Proposal]:
        spoken = Spoken(speaker_of(episode))
        correcting = bool(CORRECTING.search(episode.text))
        clauses = clauses_of(episode.text)
        read = [(clause, self._clause(clause, spoken, episode, correcting)) for clause in clauses]
        tied = self._reasons.tie(episode.text, read, spoken.speaker)
        known = {(each.kind, each.subject, each.predicate, each.object) for each in tied}
        spans = statable(episode.text)
        passing = [each for begin, stop in spans for each in self._people.apposed(episode.text, begin, stop, spoken)]
        passing = [each for each in passing if (each.kind, each.subject, each.predicate, each.object) not in known]
        return [*tied, *passing, *doubtful(episode.text, spans, spoken.speaker)]

    def _clause(self, clause: Clause, spoken: Spoken, episode: Episode, correcting: bool) -> list[Proposal]:
        text = recast(expand(clause.text))
        text = _THAT.sub("it ", text) if spoken.matter else text
        if spoken.topic:
            text = _PRONOUN.sub(spoken.topic, text, count=1) if read_thing(text) == () else text
        base = Proposal("fact", spoken.speaker, "", "", clause.begin, clause.stop)
        if self._parsed is not None:
            self._parsed.recall_person(text, episode.text[: clause.begin], spoken)
        new = meant(text) if correcting and spoken.attribute is None else None
        if new:
            passing = self._people.in_passing(text, spoken.speaker, spoken, base)
            return [*passing, replace(base, kind="ending", object=instead_of(text) or "", instead=new, act="deny")]
        text, over = self._of_the_matter(text, spoken, base)
        about = read_subject(text, spoken, self._ontology)
        found = self._people.in_passing(text, _owner(about, spoken), spoken, base)
        said, stated = episode.occurred_at, list[Proposal]()
        if about is not None:
            subject = replace(base, subject=about.subject, since=since_of(clause.text, said))
            found += self._people.introduced(about, subject)
            stated = self._statements.read(about, subject, said, spoken.speaker, correcting=correcting)
        if not found and not stated and (about is None or about.subject != spoken.speaker):
            stated = [taste_proposal(base, each) for each in read_thing(text)]
        stated += self._news(text, base, about, found + stated)
        styles = styles_of(expand(clause.text), episode.text) if about is None or about.subject == base.subject else []
        if styles:
            told = [each for each in stated if each.kind != "preference"]
            stated = told + [_style(base, aspect, value) for aspect, value in styles]
        if self._parsed is not None:
            plain = expand(clause.text)
            stated = self._parsed.kinds(plain, stated) or self._parsed.read(plain, episode.text, about, spoken, base)
        found = [self._dated(_turning(each, clause.text), said) for each in over + found + stated]
        if correcting:
            found = [_correction(each) for each in found]
        topics = [each.object for each in found if each.kind == "preference" and not each.predicate]
        spoken.topic = topics[-1] if topics else spoken.topic
        return list(dict.fromkeys(found))

    def _of_the_matter(self, text: str, spoken: Spoken, base: Proposal) -> tuple[str, list[Proposal]]:
        """The clause with the noun that it leaves out (after "I changed dentists", "I see Dr. Lee" says whom), and what
        has ended by it."""
        matter = matter_of(text)
        if matter is not None:
            spoken.matter, spoken.attribute = matter.what, None
            about = read_subject(f"my {matter.what} is new", spoken, self._ontology)  # so that "it is ..." speaks of it
            spoken.person = about.subject if about and about.subject != spoken.speaker else spoken.person
            over = [] if not matter.changed else self._slots(matter.what)
            return text, [replace(base, kind="ending", predicate=slot, object="", act="end") for slot in over]
        value = given(text) if spoken.matter is not None else None
        if value is None:
            return text, []
        noun, spoken.matter = spoken.matter, None
        return f"my {'employer' if noun in _JOBS else noun} is {value}", []

    def _dated(self, proposal: Proposal, said: datetime) -> Proposal:
        """A day without a year is one to come where it is planned for; and a birthday's is not since when it is so."""
        kind = self._ontology.predicate(proposal.predicate).kind if proposal.kind == "fact" else ""
        if proposal.since is None or kind not in ("date", "event"):
            return proposal
        return replace(proposal, since=still_ahead(proposal.since, said) if kind == "event" else None)

    def _slots(self, noun: str) -> list[str]:
        """The slots with one answer that a noun speaks of; its own name where the ontology has none."""
        if noun in _JOBS:
            return ["employer", "occupation"]
        noun = noun.lower().replace("favorite", "favourite")
        name = self._ontology.relations.get(noun) or self._ontology.attributes.get(noun) or noun
        return [name] if self._ontology.predicate(name).single else []

    def _news(self, text: str, base: Proposal, about: About | None, found: Sequence[Proposal]) -> list[Proposal]:
        dose = dose_of(text)
        if dose:
            return [replace(base, predicate=f"{dose[0]} dose", object=dose[1], act="change")]
        weekly = weekly_of(text) if about is None or about.subject == base.subject else None
        if weekly and not any(weekly[1] in each.object for each in found):
            what, when, phrase = weekly
            said = f"{base.subject} {third_person(clip(phrase, 120))}"
            return [replace(base, predicate=what, object=when, statement=said)]
        news = news_of(text) if not found and (about is None or about.subject != base.subject) else None
        return [replace(base, kind="news", predicate=news[0], object=news[1], act="change")] if news else []


def _owner(about: About | None, spoken: Spoken) -> str:
    """Whose "a boss called Helga" is: the subject's; but in "my pet is a tortoise, Agatha" the subject's owner's."""
    if about is None:
        return spoken.speaker
    is_one = about.relation is not None and about.phrase.lower().startswith(("is ", "are ", "was "))
    return about.owner or spoken.speaker if is_one else about.subject


def _turning(proposal: Proposal, text: str) -> Proposal:
    """A fact that is said to hold "now" or "instead" became so: what stood in its place may be over."""
    became = proposal.kind == "fact" and proposal.act == "affirm" and _NOW.search(text) and not _TOO.search(text)
    return replace(proposal, act="change") if became else proposal


def _style(base: Proposal, aspect: str, value: str) -> Proposal:
    statement = f"{base.subject} wants answers: {value}"
    return replace(base, kind="preference", predicate=aspect, object=value, strength=0.9, statement=statement)


def _correction(proposal: Proposal) -> Proposal:
    """A proposal of a turn that takes something back: what it replaces was a slip."""
    plain = proposal.context is None and proposal.act != "deny" and proposal.kind in ("fact", "news", "alias")
    return replace(proposal, context="correction") if plain else proposal
