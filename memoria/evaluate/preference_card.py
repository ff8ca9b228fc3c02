"""The card suite: does a preference card help a language model to the answer that suits the person?

What enters: a data set whose questions have options (PrefEval), a local model's likelihood, an embedding model. What
leaves: a `CardReport`. Each case is cut into people of a few preferences, so that one person's do not contradict each
other; a person says them among other conversations, memoria believes what it can read of them, and the card is compiled
of that alone. Of every option the model's mean NLL is taken: after the question alone, with the card, with the turn
that states the preference (oracle), and for some questions with the history, cut at its beginning to the context.

By "likelihood" the option of least NLL is chosen; by "gain" the one whose NLL the memory lowers most; by "contrast" the
one that the card makes likeliest against the same card with each rule turned round, which takes out that an option
becomes likelier just because the memory mentions it: of what a person dislikes that is the wrong one.
People are "dev" and "test" by turns; wording and sizes were set on "dev".
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from memoria.clock import utc_now
from memoria.distill.card import Card, compile_cards
from memoria.distill.choosing import by_head
from memoria.distill.head import PreferenceHead
from memoria.distill.records import Pair
from memoria.distill.rules import Rule
from memoria.evaluate.card_report import Answered, CardReport
from memoria.evaluate.dataset import Case, Item, Question, read_cases
from memoria.evaluate.recall import USER, remember_case
from memoria.memory import Memory
from memoria.models.embeddings import Embedder
from memoria.models.hashing import HashEmbeddings
from memoria.models.likelihood import Row
from memoria.records import Preference
from memoria.settings import Settings
from memoria.store.text import count_tokens

Split = Literal["dev", "test"]
Numbers = NDArray[np.float64]

SPLITS: dict[str, Split] = {"dev": "dev", "test": "test"}
_WORDING = "own"
_NEAR = 2  # rules of the card that is selected for a question
_FILLERS = 4  # sessions of other talk a person
_HISTORY = 800  # tokens of history that fit beside question and option
_SAID = "The person says of themselves:\n- "


class Scorer(Protocol):
    """What says how likely answers are: `memoria.models.likelihood.Likelihood`."""

    def nll(self, rows: Sequence[Row]) -> Numbers:
        """The mean NLL of each row's answer: (n,)."""
        ...


@dataclass(frozen=True)
class _Person:
    """What one person said, and is asked."""

    case: Case
    beliefs: tuple[Preference, ...]
    pairs: tuple[Pair, ...]
    read: frozenset[str]
    """The items that a belief rests on."""


def evaluate_card(
    path: Path,
    *,
    scorer: Scorer,
    embedder: Embedder,
    settings: Settings,
    split: Split = "test",
    preferences: int = 10,
    people: int = 1,
    histories: int = 2,
    limit: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> CardReport:
    """Run the suite over the first `limit` cases of `path`: of each, `people` of `preferences` each in a split, with
    the history for the first `histories` questions of each.

    Raises `InvalidInput` for a file that is no data set.
    """
    report = CardReport(dataset=path.name, split=split, model=embedder.identity)
    for case in read_cases(path, limit):
        for person in islice(_people(case, preferences, split), people):
            known = _remembered(person, embedder, settings)
            report.people += 1
            report.beliefs += len(known.beliefs)
            report.rows += _Asking(known, scorer, embedder, settings).answers(histories, len(report.rows))
            if progress is not None:
                progress(len(report.rows))
    return report


def _people(case: Case, preferences: int, split: Split) -> Iterator[Case]:
    """The case's people of a split: the preferences of as many questions each, between a few other sessions."""
    asked = [question for question in case.questions if question.gold is not None and question.evidence]
    groups = [asked[start : start + preferences] for start in range(0, len(asked), preferences)]
    told = {each for question in asked for each in question.evidence}
    other = list(dict.fromkeys(item.turn.session for item in case.items if item.id not in told))
    for number, questions in enumerate(groups):
        if (number % 2 == 0) == (split == "dev"):
            mine = {each for question in questions for each in question.evidence}
            sessions = set(other[number :: len(groups)][:_FILLERS])
            items = tuple(item for item in case.items if item.id in mine or item.turn.session in sessions)
            yield Case(f"{case.name}/{number}", items, tuple(questions))


def _remembered(person: Case, embedder: Embedder, settings: Settings) -> _Person:
    """What memoria believes of a person's preferences, and the pairs that it makes of them."""
    now = utc_now()
    folder = tempfile.TemporaryDirectory(prefix="memoria-eval-")
    with folder as home, Memory(home, embeddings=HashEmbeddings(), settings=settings, clock=lambda: now) as memory:
        remember_case(memory, person)
        held = [each for each in memory.beliefs(user=USER) if isinstance(each, Preference)]
        items = {each.id: str(each.metadata["item"]) for each in memory.episodes(user=USER)}
        borne = {proof.episode_id for each in held for proof in memory.explain(each.id, user=USER).evidence}
        read = frozenset(items[each] for each in borne if each in items)
        return _Person(person, tuple(held), memory.dataset(user=USER).pairs, read)


class _Asking:
    """The questions of a person, answered in each way."""

    def __init__(self, person: _Person, scorer: Scorer, embedder: Embedder, settings: Settings) -> None:
        self.person, self.scorer = person, scorer
        self.embedder = embedder
        cards = compile_cards(person.beliefs, [], settings.distil.card_tokens)
        self.card = next((each for each in cards if each.wording == _WORDING), None)
        self.head = PreferenceHead.fit(person.pairs, embedder) if person.pairs else None

    def answers(self, histories: int, begin: int) -> list[Answered]:
        """Each question answered; the options in an order of their own, so that none is right by its place."""
        return [
            self._answered(_shuffled(question, begin + number), history=number < histories)
            for number, question in enumerate(self.person.case.questions)
        ]

    def _answered(self, question: Question, *, history: bool) -> Answered:
        assert question.gold is not None
        none = self._nll(question, "")
        found: dict[str, int] = {
            "longest option": max(range(len(question.options)), key=lambda each: len(question.options[each])),
            "none, likelihood": int(none.argmin()),
        }
        near = self._near(question)
        for name, card in (("card", self.card), ("card for the question", near)):
            text = card.text if card is not None else ""
            nll, turned = self._nll(question, text), self._nll(question, _turned(card).text if card is not None else "")
            found |= _choices(name, none, nll) | {f"{name}, contrast": int((turned - nll).argmax())}
        said = [item.turn.text for item in self.person.case.items if item.id in question.evidence]
        found |= _choices("the turn itself", none, self._nll(question, _SAID + "\n- ".join(said)))
        if history:
            found |= _choices("history", none, self._nll(question, _history(self.person.case.items)))
        found |= self._without_model(question)
        right = {name: place == question.gold for name, place in found.items()}
        return Answered(question.category, right, read=question.evidence <= self.person.read)

    def _nll(self, question: Question, system: str) -> Numbers:
        return self.scorer.nll([Row(question.text, option, system) for option in question.options])

    def _near(self, question: Question) -> Card | None:
        """The few rules that are nearest to the question."""
        if self.card is None:
            return None
        near = self.card.for_question(question.text, self.embedder)
        return near.model_copy(update={"rules": near.rules[:_NEAR]})

    def _without_model(self, question: Question) -> dict[str, int]:
        """What embeddings choose: by the question, by the card's rules, by the head that pairs made."""
        asked = self.embedder.embed_query(question.text)
        found = {"nearest to the question": int((self.embedder.embed(question.options) @ asked).argmax())}
        if self.head is not None:
            found["head"] = self.head.best_of(question.text, question.options)
            first = question.options[0]
            pairs = [
                Pair(kind="vote", prompt=question.text, chosen=option, rejected=first) for option in question.options
            ]
            found["card by head"] = int(by_head(self.head)(self.card, pairs).argmax())
        return found


def _choices(name: str, none: Numbers, nll: Numbers) -> dict[str, int]:
    return {f"{name}, likelihood": int(nll.argmin()), f"{name}, gain": int((none - nll).argmax())}


def _turned(card: Card) -> Card:
    """The card of somebody who likes what this one does not."""

    def turned(rule: Rule) -> Rule:
        polarity = -1 if rule.polarity > 0 else 1
        return rule.model_copy(update={"polarity": polarity, "exceptions": tuple(map(turned, rule.exceptions))})

    return card.model_copy(update={"rules": tuple(map(turned, card.rules))})


def _shuffled(question: Question, number: int) -> Question:
    order: list[int] = np.random.default_rng(number).permutation(len(question.options)).tolist()
    assert question.gold is not None
    gold = order.index(question.gold)
    return replace(question, options=tuple(question.options[place] for place in order), gold=gold)


def _history(items: Sequence[Item]) -> str:
    """What was said, its beginning cut off where the context ends."""
    lines: list[str] = []
    room = _HISTORY
    for item in reversed(items):
        line = f"{item.turn.speaker}: {item.turn.text}"
        room -= count_tokens(line)
        if room < 0:
            break
        lines.append(line)
    return "\n".join(reversed(lines))
