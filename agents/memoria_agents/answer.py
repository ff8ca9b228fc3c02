"""An assistant's answer, and what of the memory it may rest on.

What enters: what was said, and the context that recall gave. What leaves: the beliefs and quotes fit to answer with,
and an `Answer` that always shows them after its words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from memoria import BeliefHit, Context, Hit
from memoria.extract.ontology import Ontology
from memoria.recall.budget import belief_line
from memoria.store.text import terms
from memoria_agents.inspector import Inspection
from memoria_agents.phrasing import only_asks, to_you

QUOTES = 5
_BEARING = 3  # quotes beside the beliefs that they bear out
_TASTE = re.compile(
    r"\b(?:like|love|hate|enjoy|prefer|favou?rite|dislike|stand|fan|fond|taste|into)s?\b", re.IGNORECASE
)
_PAST = re.compile(r"\b(?:before|used to|previous|former|earlier|old|was|were|did|ex|first|last)\b", re.IGNORECASE)
_WANTS_MORE = re.compile(r"\W*(?:who|whom|whose|what|when|where|which|why|how)\b", re.IGNORECASE)
_CITED = re.compile(r"\[(b?\d{1,3})\]")
_NEAR_BEST = 0.75  # a quote that scores less beside one's own earlier question only looks like that question


@dataclass(frozen=True)
class Basis:
    """What a context holds for an answer. `known`: the answer is among it, by recall's calibrated confidence."""

    known: bool = False
    beliefs: tuple[tuple[int, BeliefHit], ...] = ()  # each with its number in the context
    quotes: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Learnt:
    """A belief that what was said brought, and what it took the place of."""

    id: str
    statement: str
    replaces: tuple[str, ...] = ()

    def __str__(self) -> str:
        instead = f" (no longer: {'; '.join(map(to_you, self.replaces))})" if self.replaces else ""
        return f"{to_you(self.statement)}{instead}"


@dataclass(frozen=True)
class Answer:
    """What was answered to `asked`, and what it rests on.

    `known` is None where nothing was asked. `learnt` are the beliefs that the person's words brought; `inspected` is
    set where the question was about the memory itself; `stopped` where the person would not hear the end.
    """

    asked: str
    text: str = ""
    known: bool | None = None
    context: Context | None = None
    basis: Basis = field(default_factory=Basis)
    learnt: tuple[Learnt, ...] = ()
    inspected: Inspection | None = None
    stopped: bool = False

    def sources(self) -> list[str]:
        """What the answer rests on, a line each, numbered as its words cite them."""
        beliefs = [f"[b{number}] {belief_line(hit.belief)}" for number, hit in self.basis.beliefs]
        return beliefs + [quoted(hit) for hit in self.basis.quotes]

    def notes(self) -> list[str]:
        """What was learnt, a line each."""
        return [f"learnt: {each}" for each in self.learnt]

    def render(self) -> str:
        """The words, then the sources, then what was learnt."""
        return "\n".join([self.text, *self.sources(), *self.notes()]).strip()


def quoted(hit: Hit) -> str:
    """A quote with its citation, speaker and day."""
    return f"[{hit.citation}] “{hit.quote}” ({hit.episode.speaker}, {hit.episode.occurred_at:%d %b %Y})"


def basis_of(question: str, context: Context, ontology: Ontology) -> Basis:
    """What of the context answers the question.

    Beliefs answer where they say just what is asked: facts, and tastes where the question is about tastes; what holds
    no more where it is about the past; what may have changed only where nothing better is known. It is known where
    recall's confidence says so, or where a belief that holds is the very thing that the question asks for. The
    person's own earlier questions are no evidence: asked twice, a thing is known no better.
    """
    told = [hit for hit in context.hits if hit.episode.role != "user" or not only_asks(hit.episode.text)]
    best = max((hit.score for hit in told), default=0.0)
    known = context.known and bool(told) and best >= _NEAR_BEST * context.hits[0].score
    fit = [(number, hit) for number, hit in enumerate(context.beliefs, 1) if hit.direct and _fits(question, hit)]
    sure = [(number, hit) for number, hit in fit if not hit.belief.needs_confirmation]
    asked = [(number, hit) for number, hit in sure if _asked_for(question, hit, ontology)]
    beliefs = tuple(sure if known else asked or fit)
    bearing = {each for _, hit in beliefs for each in hit.episode_ids}
    quotes = [hit for hit in told if hit.episode.id in bearing][:_BEARING] or told[: 1 if beliefs else QUOTES]
    return Basis(known or bool(asked), beliefs, tuple(quotes) if known or beliefs else ())


def cited_in(text: str, context: Context, otherwise: Basis) -> Basis:
    """What a model's words cite of the context; where they cite nothing, `otherwise`."""
    marks = set(_CITED.findall(text))
    beliefs = tuple((number, hit) for number, hit in enumerate(context.beliefs, 1) if f"b{number}" in marks)
    quotes = tuple(hit for hit in context.hits if str(hit.citation) in marks)
    return Basis(otherwise.known, beliefs, quotes) if beliefs or quotes else otherwise


def _asked_for(question: str, hit: BeliefHit, ontology: Ontology) -> bool:
    """Whether every term of the question is one that asks for the belief's predicate, or one of its own: "where do I
    live" of a home; not "what colour is my house"."""
    if hit.belief.kind != "fact" or hit.belief.status != "current":
        return False
    cues = ontology.predicate(hit.belief.predicate).asks
    own = set(terms(" ".join([*cues, hit.belief.predicate, hit.belief.statement])))
    return own.issuperset(terms(question))


def _fits(question: str, hit: BeliefHit) -> bool:
    """Whether a belief is of the time and kind asked for, and no mere echo: "you have a dog" is no answer to "what is
    my dog called"."""
    belief = hit.belief
    if belief.status != "current" and not _PAST.search(question):
        return False
    if _WANTS_MORE.match(question) and set(terms(question)).issuperset(set(terms(belief.statement)) - {"user"}):
        return False
    return belief.kind == "fact" or bool(_TASTE.search(question))
