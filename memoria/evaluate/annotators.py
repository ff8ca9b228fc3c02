"""What adapters know of single people's judgements: one for all, one for each, and each out of others'.

What enters: a file of labels, a model, a plan. What leaves: for each annotator and arm the log-odds of Yes for texts
that were learnt from (a threshold is fitted on them) and for those that were not. All arms read the same prompts
and change the same layers. What is done is kept in a folder, so that a cut run goes on.

- base: the model as it is.
- A1: one adapter on everybody's labels; the prompt names the annotator (`distill/shared.py`).
- A2: an adapter for each, on their own labels alone.
- A3: A1's adapter trained on with the annotator's own labels.
- A3 near: the sum of the annotator's own A3 and of those of others that find their labels likeliest
  (`distill/collaborate.py`), shares by a softmax.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from memoria.distill.collaborate import Lora, mixed, shares
from memoria.distill.recipes import Recipe, Stage
from memoria.distill.shared import named
from memoria.evaluate.kept import digest, same_study, write_whole
from memoria.evaluate.labels import Annotator, Label, Sample, read_annotators
from memoria.evaluate.yes_no import Numbers, YesNo, log_likelihood
from memoria.models.generation import Loaded

QUESTION = "Is the text offensive? Answer Yes or No."
ARMS = ("base", "A1", "A2", "A3", "A3 near")
_LONGEST = 32  # tokens of a text

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How everything is trained: LoRA on the upper `layers`, so many `passes` over everybody's labels. A2, whose
    passes are of few steps, has `alone_passes`; A3 goes on from A1 for `own_passes` at `own_rate`. `fitted`: at most so
    many learnt labels fit a threshold. `nearest`: of how many A3's sum is made, the annotator's own among them.
    `swapped`: so many tested labels are asked about with another's name."""

    layers: int = 4
    rank: int = 8
    batch: int = 8
    rate: float = 1e-3
    passes: float = 2
    alone_passes: float = 6
    own_passes: float = 2
    own_rate: float = 5e-4
    fitted: int = 60
    nearest: int = 5
    temperature: float = 0.02
    swapped: int = 6
    seed: int = 0

    @property
    def recipe(self) -> Recipe:
        """The recipe that all are trained by."""
        stage = Stage(loss="sft", batch=self.batch, rate=self.rate, replay=0)
        return Recipe(
            name="annotators", rank=self.rank, alpha=2 * self.rank, layers=self.layers, stages=(stage,), seed=self.seed
        )


@dataclass
class Scored:
    """An arm's log-odds of an annotator's labels: those that fit a threshold, and those tested."""

    learn: Numbers
    test: Numbers


@dataclass
class Study:
    """The annotators, and what each arm says: `scored[arm][name]`. `swapped`: A1's mean log-likelihood of some tested
    labels, with the right name in the prompt and with another's."""

    sample: Sample
    plan: Plan
    people: list[Annotator]
    scored: dict[str, dict[str, Scored]] = field(default_factory=dict[str, dict[str, Scored]])
    swapped: tuple[float, float] = (0.0, 0.0)


def run_study(
    path: Path,
    loaded: Loaded,
    base: str,
    out: Path,
    *,
    sample: Sample,
    plan: Plan,
    arms: Sequence[str] = ARMS,
    progress: Progress,
) -> Bench:
    """Train and score every arm; what `out` holds of just this study is taken from there.

    `loaded`: the base, which PEFT changes: the caller's own.

    Raises `InvalidInput` for a file that cannot be read, or a folder of another study.
    """
    people = read_annotators(path, sample)
    same_study(out / "study.json", asdict(sample) | asdict(plan) | {"base": base, "data": digest(path)})
    bench = Bench(people, loaded, base, out, sample, plan, progress)
    for arm in arms:
        for person in bench.people:
            bench.score(arm, person)
    if "A1" in arms:
        bench.study.swapped = bench.kept("A1/swapped", bench.swap)
    return bench


class Bench:
    """A study under way: the model, the prompts it has read, the adapters so far in `out`."""

    def __init__(
        self,
        people: list[Annotator],
        loaded: Loaded,
        base: str,
        out: Path,
        sample: Sample,
        plan: Plan,
        progress: Progress,
    ) -> None:
        self.people, self.plan, self.out, self.progress = people, plan, out, progress
        self.study = Study(sample, plan, people)
        self._loaded, self._known = loaded, dict[str, Lora]()
        self.model = YesNo(loaded, plan.recipe, base)
        prompts: list[str] = []
        self._places: dict[tuple[str, str, str], int] = {}
        for person in people:
            other = people[(people.index(person) + 1) % len(people)].name
            asked = [(label, person.name) for label in (*person.learn, *person.test)]
            asked += [(label, other) for label in person.test[: plan.swapped]]
            for label, name in asked:
                self._places[person.name, label.item, name] = len(prompts)
                prompts.append(self.prompt(label.text, name))
        progress(f"{len(prompts)} prompts through the lower layers")
        self.model.read(QUESTION, prompts, out)

    def among(self, people: list[Annotator]) -> Bench:
        """A study of some of them, as if the others were not."""
        part = copy(self)
        part.people, part.out = people, self.out / "among"
        part.study, part._known = Study(self.study.sample, self.plan, people), {}
        return part

    def prompt(self, text: str, name: str) -> str:
        """What is asked of a text, cut to be short, on behalf of an annotator."""
        tokens = self._loaded.tokenizer(self._loaded.plain(text), add_special_tokens=False)["input_ids"][:_LONGEST]
        return named(self._loaded.tokenizer.decode(tokens), name)

    def places(self, person: Annotator, labels: Sequence[Label], name: str | None = None) -> list[int]:
        """Where the prompts of a person's labels are; `name`: those that name another."""
        return [self._places[person.name, label.item, name or person.name] for label in labels]

    def score(self, arm: str, person: Annotator) -> Scored:
        """What an arm says of a person's labels, trained first where it is not yet."""

        def odds() -> dict[str, list[float]]:
            self.progress(f"{arm}: {person.name}")
            self.have(arm, person)
            learn, test = person.learn[: self.plan.fitted], person.test
            found = self.model.odds(self.places(person, (*learn, *test)))
            return {"learn": found[: len(learn)].tolist(), "test": found[len(learn) :].tolist()}

        kept = self.kept(f"{arm}/{person.name}", odds)
        scored = Scored(np.asarray(kept["learn"]), np.asarray(kept["test"]))
        self.study.scored.setdefault(arm, {})[person.name] = scored
        return scored

    def told(self, arm: str, person: Annotator) -> Numbers:
        """The log-odds of a person's tested labels, who may be unknown to the arm."""
        self.have(arm, person)
        return self.model.odds(self.places(person, person.test))

    def have(self, arm: str, person: Annotator) -> None:
        """Let the model have an arm's adapter for a person, trained first where it is not yet."""
        if arm == "base":
            self.model.take(self.model.fresh)
            return
        folder = self.out / arm / ("all" if arm == "A1" else person.name)
        if (folder / "whole").exists():
            self.model.load(folder)
            return
        {"A1": self._all, "A2": self._own, "A3": self._on, "A3 near": self._near}[arm](person)
        self.model.save(folder)
        (folder / "whole").touch()

    def _all(self, person: Annotator) -> None:
        places = [place for each in self.people for place in self.places(each, each.learn)]
        yes = [label.yes for each in self.people for label in each.learn]
        self.model.take(self.model.fresh)
        self.model.fit(places, yes, self.model.steps(len(places), self.plan.passes))

    def _own(self, person: Annotator) -> None:
        self.model.take(self.model.fresh)
        self.model.fit(*self.learnt(person), self.model.steps(len(person.learn), self.plan.alone_passes))

    def _on(self, person: Annotator) -> None:
        self.have("A1", person)
        steps = self.model.steps(len(person.learn), self.plan.own_passes)
        self.model.fit(*self.learnt(person), steps, rate=self.plan.own_rate)

    def _near(self, person: Annotator) -> None:
        peers = [self.lora("A3", each) for each in self.people]
        given = shares(self.gains("A3", person), nearest=self.plan.nearest, temperature=self.plan.temperature)
        self.model.take(mixed(peers, given, self.plan.rank, 2.0))

    def learnt(self, person: Annotator) -> tuple[list[int], list[bool]]:
        """The places and the answers of what a person's own adapter learns from."""
        return self.places(person, person.learn), [label.yes for label in person.learn]

    def lora(self, arm: str, person: Annotator) -> Lora:
        """An arm's adapter for a person."""
        key = f"{arm}/{person.name}"
        if key not in self._known:
            self.have(arm, person)
            self._known[key] = Lora(self.model.weights(), 2.0)
        return self._known[key]

    def gains(self, arm: str, person: Annotator) -> list[float]:
        """How likely each annotator's adapter finds some of what a person said and it may have learnt from."""
        labels = person.learn[: self.plan.fitted]
        places, yes = self.places(person, labels), [label.yes for label in labels]
        found: list[float] = []
        for each in self.people:
            self.model.take(self.lora(arm, each).weights)
            found.append(log_likelihood(self.model.odds(places), yes))
        return found

    def swap(self) -> tuple[float, float]:
        """A1's mean log-likelihood with the right names and with others'."""
        right, wrong = list[float](), list[float]()
        for at, person in enumerate(self.people):
            labels, other = person.test[: self.plan.swapped], self.people[(at + 1) % len(self.people)].name
            self.have("A1", person)
            for name, found in ((person.name, right), (other, wrong)):
                odds = self.model.odds(self.places(person, labels, name))
                found.append(log_likelihood(odds, [label.yes for label in labels]))
        return float(np.mean(right)), float(np.mean(wrong))

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """What the file `name` holds, made first where it is missing."""
        path = self.out / f"{name}.json"
        if not path.exists():
            write_whole(path, json.dumps(make()))
        return json.loads(path.read_text(encoding="utf-8"))
