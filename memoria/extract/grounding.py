"""From a model's findings to proposals: only what stands in the person's own turns passes.

What enters: `Findings`, and the turns that were read, by number. What leaves: proposals by turn. A quote must stand in
its turn, and the words of an object, a topic or a name in the person's own turns of that session: what a model adds by
itself, or was told by somebody else's text, is dropped and counted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from memoria.extract.findings import Findings, FoundAlias, FoundEnding, FoundFact, FoundPreference, first_moment
from memoria.extract.ontology import Ontology, key_of
from memoria.extract.proposals import SELF, Proposal, speaker_of
from memoria.records import Episode
from memoria.store.text import fold, terms

_FIRST_PERSON = frozenset((SELF, "the user", "i", "me", "myself"))
_OWNED = re.compile(r"^(?:my|our|(?:the )?user['’]s)\s+(?P<noun>.+)$", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_FAVOURITE = re.compile(r"^favou?rite (?=\w)")
_TASTES = frozenset(("likes", "like", "dislikes", "dislike", "loves", "hates", "prefers", "preference"))
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})
_MOST_WORDS = 5  # of a predicate
_STRENGTH = 0.7  # of a preference that the model does not weigh
_LONGEST = 300  # characters of an object


class Grounding:
    """Checks findings against the turns that they are said to come from. `rejected` counts what did not pass."""

    def __init__(self, turns: Mapping[int, Episode], ontology: Ontology, known: Iterable[str]) -> None:
        self._turns, self._ontology = turns, ontology
        self._known = frozenset(key_of(name) for name in known)
        self.rejected = 0
        said: dict[str, list[str]] = defaultdict(list)
        for episode in turns.values():
            said[episode.session].append(episode.text)
        self._text = {session: fold("\n".join(texts)) for session, texts in said.items()}
        self._words = {session: frozenset(terms(text)) for session, text in self._text.items()}

    def proposals(self, findings: Findings) -> dict[int, list[Proposal]]:
        """The proposals of each turn, by its number; endings first, so that what took their place stands."""
        made: dict[int, list[Proposal]] = {number: [] for number in self._turns}
        kinds = (findings.aliases, findings.endings, findings.facts, findings.preferences)
        for each in (found for kind in kinds for found in kind or ()):
            proposal = self._proposal(each)
            if proposal is None:
                self.rejected += 1
            elif proposal not in made[each.turn]:
                made[each.turn].append(proposal)
        return made

    def _proposal(self, found: FoundAlias | FoundEnding | FoundFact | FoundPreference) -> Proposal | None:
        episode = self._turns.get(found.turn)
        span = locate(found.quote, episode.text) if episode is not None else None
        subject = self._subject(found.subject, episode) if episode is not None else None
        if episode is None or span is None or subject is None:
            return None
        base = (subject, episode, span)
        if isinstance(found, FoundAlias):
            return self._alias(found, *base)
        if isinstance(found, FoundEnding):
            return self._ending(found, *base)
        since = first_moment(found.since) if found.since else None
        until = first_moment(found.until) if found.until else None
        if since is not None and until is not None and since >= until:
            return None
        if isinstance(found, FoundFact):
            return self._fact(found, *base, (since, until))
        return self._preference(found, *base, (since, until))

    def _fact(
        self,
        found: FoundFact,
        subject: str,
        episode: Episode,
        span: tuple[int, int],
        valid: tuple[int | None, int | None],
    ) -> Proposal | None:
        name, value = self._predicate(found.predicate), self._object(found.object, episode)
        if not name or not value:
            return None
        favourite = _FAVOURITE.sub("favourite ", name)
        if favourite != name or name.startswith("favourite "):
            return Proposal(
                "preference", subject, favourite, value, *span, strength=0.9, since=valid[0], until=valid[1]
            )
        leans = (*(self._predicate(each) for each in found.depends_on or ()), *self._ontology.predicate(name).leans_on)
        return Proposal(
            "fact",
            subject,
            name,
            value,
            *span,
            act=found.act or "affirm",
            since=valid[0],
            until=valid[1],
            leans=tuple(dict.fromkeys(each for each in leans if each and each != name)),
            object_kind=self._ontology.predicate(name).kind if name in self._ontology.predicates else None,
        )

    def _preference(
        self,
        found: FoundPreference,
        subject: str,
        episode: Episode,
        span: tuple[int, int],
        valid: tuple[int | None, int | None],
    ) -> Proposal | None:
        topic = self._object(found.topic, episode)
        if not topic:
            return None
        return Proposal(
            "preference",
            subject,
            "",
            topic,
            *span,
            polarity=1 if found.polarity == "likes" else -1,
            strength=_STRENGTH if found.strength is None else found.strength,
            context=self._object(found.context, episode) if found.context else None,
            explicit=found.explicit is not False,
            since=valid[0],
            until=valid[1],
        )

    def _alias(self, found: FoundAlias, subject: str, episode: Episode, span: tuple[int, int]) -> Proposal | None:
        name = self._object(found.name, episode)
        if not name or subject == speaker_of(episode) or key_of(subject) == key_of(name):
            return None
        relation = subject.rsplit("'s ", 1)[-1] if "'s " in subject else ""
        return Proposal("alias", subject, relation, name, *span)

    def _ending(self, found: FoundEnding, subject: str, episode: Episode, span: tuple[int, int]) -> Proposal | None:
        name = self._predicate(found.predicate) if found.predicate else ""
        value = self._object(found.object, episode) if found.object else ""
        if value is None or not (name or value):
            return None
        act = "deny" if found.never else "end"
        if name in _TASTES:
            name = ""
        if name and value and not _FAVOURITE.match(name):
            return Proposal("fact", subject, name, value, *span, act=act)
        return Proposal("ending", subject, "" if value else name, value, *span, act=act) if name or value else None

    # -- words ---------------------------------------------------------------------------------------------------

    def _subject(self, mention: str, episode: Episode) -> str | None:
        """Whom `mention` names; None where the person's turns name nobody like that."""
        plain = mention.strip()
        if plain.casefold() in _FIRST_PERSON or plain.casefold() == episode.speaker.casefold():
            return speaker_of(episode)
        owned = _OWNED.match(plain)
        if owned:
            noun = owned.group("noun").casefold()
            relation = self._ontology.relations.get(noun, noun)
            spoken = [noun, *(word for word, meant in self._ontology.relations.items() if meant == relation)]
            said = any(self._said(word, episode) for word in spoken)
            return f"{speaker_of(episode)}'s {relation}" if said else None
        return plain if key_of(plain) in self._known or self._said(plain, episode) else None

    def _object(self, value: str, episode: Episode) -> str | None:
        """`value` where the person said it; `SELF` where it is the person."""
        plain = " ".join(value.split())
        if plain.casefold() in _FIRST_PERSON:
            return speaker_of(episode)
        return plain if 0 < len(plain) <= _LONGEST and self._said(plain, episode) else None

    def _said(self, value: str, episode: Episode) -> bool:
        """Whether the person's turns of that session hold all terms of `value`, or it as it stands ("the US")."""
        words = set(terms(value))
        if words and words <= self._words[episode.session]:
            return True
        whole = re.escape(fold(value.strip()))
        return bool(whole) and bool(re.search(rf"(?<!\w){whole}s?(?!\w)", self._text[episode.session]))

    def _predicate(self, name: str) -> str:
        """The ontology's name for a predicate, else its plain words; "" where it is no name."""
        words = _WORD.findall(name.replace("_", " ").casefold())
        plain = " ".join(words)
        if not words or len(words) > _MOST_WORDS or len(plain) > 60:
            return ""
        if plain in self._ontology.predicates:
            return plain
        return self._ontology.relations.get(plain) or self._ontology.attributes.get(plain) or plain


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """Where `quote` stands in `text`: to the letter, else whatever its case, spaces and kind of quotation marks."""
    words = quote.split()
    if not any(letter.isalnum() for letter in quote):
        return None
    exact = text.find(quote.strip())
    if exact >= 0:
        return exact, exact + len(quote.strip())
    pattern = r"\s+".join(re.escape(word.translate(_QUOTES)) for word in words)
    match = re.search(pattern, text.translate(_QUOTES), re.IGNORECASE)  # a letter for a letter: places stay the same
    return (match.start(), match.end()) if match else None
