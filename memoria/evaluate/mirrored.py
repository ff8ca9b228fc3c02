"""Mirrored users: what a memory tells, is distilled, and asked about on questions that nothing was learnt from.

What enters: pairs of mirrored people, settings, a recipe. What leaves: a `MirroredReport`. Each person gets a home of
their own and tells by turns what they are like; of the assistant's answers they correct those that suit their twin.
All goes through the public verbs. In a folder to keep (`out`) what was made and measured stays, so that a run that was
cut short goes on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path

from memoria.distill.base import base_name, base_of
from memoria.distill.neutral import load_neutral
from memoria.distill.recipes import Recipe
from memoria.distill.tuned import tuned
from memoria.errors import InvalidInput
from memoria.evaluate import mirrored_report as arms
from memoria.evaluate.mirrored_data import HARD, SIDES, MirroredPair, names, read_pair
from memoria.evaluate.mirrored_people import Bench, Person
from memoria.evaluate.mirrored_report import MirroredReport, PersonScores, Scores
from memoria.evaluate.mirrored_scores import check_blind, oracle, score, score_head
from memoria.models.embeddings import Embedder
from memoria.models.generation import fresh_weights
from memoria.models.likelihood import Likelihood
from memoria.settings import Settings


def chosen_pairs(count: int | None = None, users: Collection[str] = (), *, hard: bool = True) -> list[MirroredPair]:
    """The first `count` packaged pairs (None: all), or those of some `users`; and the `hard` set.

    Raises `InvalidInput` for a user that is in none.
    """
    found = [read_pair(name) for name in [*names(), HARD]]
    if users:
        known = {each.users.of(side): each for each in found for side in SIDES}
        if missing := sorted(set(users) - known.keys()):
            raise InvalidInput(f"There is no mirrored user {missing[0]!r}; there are {', '.join(known)}.")
        wanted = {known[user].name for user in users}
        return [each for each in found if each.name in wanted]
    return [*found[:-1][:count], *(found[-1:] if hard else [])]


def evaluate_mirrored(
    pairs: list[MirroredPair],
    *,
    embedder: Embedder,
    settings: Settings,
    recipe: Recipe,
    out: Path | None = None,
    heads_only: bool = False,
    progress: Callable[[str], None] = lambda what: None,
) -> MirroredReport:
    """Run the suite; of a pair without facts only heads are made. `out`: the folder where all is kept (None: nothing
    is). With `heads_only` no language model is used.

    Raises `Biased` where a model that knows nobody is right on more or less than half.
    """
    with ExitStack() as stack:
        folder = out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="memoria-eval-")))
        bench = Bench(folder, settings, embedder, recipe, progress)
        twins = [_Twins(bench, pair, heads_only=heads_only) for pair in pairs]
        for stage in (_Twins.heads, _Twins.weights, _Twins.recalled):  # what takes longest and says least comes last
            for each in twins:
                stage(each)
    people = tuple(scores for each in twins for scores in each.scores)
    return MirroredReport(model=base_name(settings), recipe=recipe.name, people=people)


class _Twins:
    """A pair under way."""

    def __init__(self, bench: Bench, pair: MirroredPair, *, heads_only: bool) -> None:
        self.bench, self.pair = bench, pair
        self.trains = bool(pair.facts) and not heads_only
        self.people = [Person(bench, pair, side) for side in SIDES]
        self.scores: list[PersonScores] = [person.begin() for person in self.people]

    def heads(self) -> None:
        """What heads make of either's questions."""
        if self._lack(arms.HEAD, arms.TWINS_HEAD):
            heads = [person.head() for person in self.people]
            for number, person in enumerate(self.people):
                for name, head in ((arms.HEAD, heads[number]), (arms.TWINS_HEAD, heads[1 - number])):
                    self._arm(number, name, lambda head=head, person=person: score_head(head, self.pair, person.side))

    def weights(self) -> None:
        """Distil both; what the base and the two adapters make of either's questions, without the person's memory."""
        if not self.trains:
            return
        self.scores = [each.distilled(scores) for each, scores in zip(self.people, self.scores, strict=True)]
        sides = list(enumerate(SIDES))
        if self._lack(arms.BASE, arms.ORACLE):
            scorer = self._scorer(None)
            for number, side in sides:
                self._arm(number, arms.BASE, lambda side=side: score(scorer, self.pair, side, load_neutral()))
                self._arm(number, arms.ORACLE, lambda side=side: score(scorer, self.pair, side, system=oracle))
        check_blind("The base", *(each.arms[arms.BASE] for each in self.scores))
        if self._lack(arms.ADAPTER, arms.SWAPPED):
            for number, side in sides:
                scorer = self._scorer(number)
                self._arm(number, arms.ADAPTER, lambda s=scorer, side=side: score(s, self.pair, side, load_neutral()))
                other = SIDES[1 - number]
                self._arm(1 - number, arms.SWAPPED, lambda s=scorer, side=other: score(s, self.pair, side))

    def recalled(self) -> None:
        """What the base and either's adapter make of their questions with what their memory recalls for them."""
        if not self.trains or not self._lack(arms.RECALL, arms.BOTH):
            return
        for number, person in enumerate(self.people):
            with person.open() as memory:
                text = person.recalling(memory)
                for name, adapter in ((arms.RECALL, None), (arms.BOTH, number)):
                    self._arm(
                        number,
                        name,
                        lambda adapter=adapter, person=person, text=text: score(
                            self._scorer(adapter), self.pair, person.side, system=text
                        ),
                    )

    def _lack(self, *names: str) -> bool:
        """Whether one of these arms is yet to be measured."""
        return any(not set(names) <= each.arms.keys() for each in self.scores)

    def _scorer(self, number: int | None) -> Likelihood:
        """The base, with the adapter of one of the two (None: of nobody)."""
        loaded = fresh_weights(base_of(self.bench.settings).place)
        if number is None:
            return Likelihood(loaded)
        weights = self.scores[number].weights
        assert weights is not None
        return Likelihood(loaded, tuned(loaded, self.people[number].home / weights.folder))

    def _arm(self, number: int, name: str, measure: Callable[[], Scores]) -> None:
        """Measure an arm and keep it, unless it is there."""
        scores = self.scores[number]
        if name not in scores.arms:
            self.bench.progress(f"{scores.user}: {name}")
            scores = scores.model_copy(update={"arms": {**scores.arms, name: measure()}})
            self.scores[number] = self.people[number].keep(scores)
