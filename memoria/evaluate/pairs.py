"""Ranking a preferred answer above another: what a stated preference and what training is worth.

What enters: pairs of answers, some with the preference that decides between them, and a model. What leaves: for each
arm how often the preferred answer is the likelier (mean over its tokens), by source, and where both are of about the
same length, beside the control that takes the longer one. Nothing is trained and tested on the same prompt or
preference.

- base: the prompt alone. prompt-only: the stated preference before it.
- DPO (with no SFT term), DPO+SFT (with it), SFT then DPO+SFT: trained on other people's pairs, and asked as prompt-only
  is.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from memoria.distill.neutral import load_neutral
from memoria.distill.recipes import Recipe, Stage
from memoria.distill.records import Dataset, Pair
from memoria.distill.train import train
from memoria.distill.tuned import tuned
from memoria.errors import InvalidInput
from memoria.evaluate.kept import digest, same_study, write_whole
from memoria.evaluate.metrics import bootstrap, mean
from memoria.models.generation import Loaded
from memoria.models.likelihood import Likelihood, Row

ARMS = ("base", "prompt-only", "DPO", "DPO+SFT", "SFT, DPO+SFT")
CONTROL = "always the longer"


@dataclass(frozen=True)
class Choice:
    """A prompt, the answer preferred and those that are not; `preference` is what was stated, or empty."""

    source: str
    id: str
    preference: str
    prompt: str
    chosen: str
    rejected: tuple[str, ...]

    def asked(self, *, told: bool) -> str:
        """The prompt; `told`: with the preference before it."""
        return f"About me: {self.preference}\n{self.prompt}" if told and self.preference else self.prompt


@dataclass(frozen=True)
class PairPlan:
    """Of each source at most so many choices to train on (a pair each) and to test on (all their pairs; at most half
    of the source), drawn by `seed`; those with an answer or a prompt longer than `longest` letters are left out.
    `matched`: answers are of about the same length where they differ by less than this share."""

    trained: int = 64
    tested: int = 80
    longest: int = 250
    steps: int = 40
    batch: int = 4
    layers: int = 8
    rate: float = 5e-4
    matched: float = 0.15
    seed: int = 0

    def recipe(self, arm: str) -> Recipe:
        """How an arm is trained."""

        def stage(loss: Any, share: float, sft: float = 0.5) -> Stage:
            size = self.batch * 2 if loss == "sft" else self.batch  # as many answers a step
            steps = max(1, round(self.steps * share))
            return Stage(loss=loss, steps=steps, batch=size, rate=self.rate, sft=sft, replay=0)

        stages = {
            "DPO": (stage("dpo", 1, 0.0),),
            "DPO+SFT": (stage("dpo", 1),),
            "SFT, DPO+SFT": (stage("sft", 0.5), stage("dpo", 0.5)),
        }[arm]
        return Recipe(name=arm, layers=self.layers, stages=stages, seed=self.seed)


def evaluate_pairs(
    path: Path,
    fresh: Callable[[], Loaded],
    base: str,
    out: Path,
    *,
    plan: PairPlan,
    arms: Sequence[str] = ARMS,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Train and score every arm; what `out` holds of just this plan is taken from there.

    Args:
        fresh: loads the base, the caller's own each time (PEFT changes it).

    Raises `InvalidInput` for a file that cannot be read, or a folder of another plan.
    """
    learnt, tested = split(read_choices(path), plan)
    same_study(out / "plan.json", asdict(plan) | {"base": base, "data": digest(path)})
    longer = [len(each.chosen) - len(other) for each, other in _each(tested)]
    told = {CONTROL: [float(more > 0) + 0.5 * float(more == 0) for more in longer]}
    for arm in arms:
        progress(arm)
        kept = out / f"{arm}.json"
        if not kept.exists():
            loaded = fresh()
            model = None if arm in ARMS[:2] else tuned(loaded, _trained(arm, learnt, fresh, base, out, plan, progress))
            nlls = _nlls(Likelihood(loaded, model), tested, told=arm != "base")
            write_whole(kept, json.dumps(nlls))
        nlls: list[list[float]] = json.loads(kept.read_text(encoding="utf-8"))
        told[arm] = [float(own[0] < other) + 0.5 * float(own[0] == other) for own in nlls for other in own[1:]]
    return summarised(tested, told, len(learnt), plan)


def _trained(
    arm: str,
    learnt: Sequence[Choice],
    fresh: Callable[[], Loaded],
    base: str,
    out: Path,
    plan: PairPlan,
    progress: Callable[[str], None],
) -> Path:
    folder = out / arm.replace(", ", "-")
    if not (folder / "whole").exists():
        pairs = tuple(_pair(each) for each in learnt)
        data = Dataset(tenant="default", user="pairs", pairs=pairs)
        train(
            data,
            plan.recipe(arm),
            fresh(),
            folder,
            base=base,
            neutral=load_neutral(),
            progress=lambda step, steps, loss: progress(f"{arm}: step {step} of {steps}, loss {loss:.3f}"),
        )
        (folder / "whole").touch()
    return folder


def _pair(choice: Choice) -> Pair:
    asked, wrong = choice.asked(told=True), choice.rejected[0]
    return Pair(kind="stated", prompt=asked, chosen=choice.chosen, rejected=wrong, group=choice.id)


def read_choices(path: Path) -> list[Choice]:
    """The choices of a file, a pair a line; pairs of one question belong together. Pairs of equal answers are left
    out. Raises `InvalidInput` naming the file and what is wrong with it."""
    if not path.is_file():
        raise InvalidInput(f"{path} does not exist; name a file of pairs (.jsonl.gz).")
    found: dict[tuple[str, str], Choice] = {}
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if row["chosen"].strip() == row["rejected"].strip():
                    continue
                key = (row["source"], row["qid"])
                before = found[key].rejected if key in found else ()
                prompt, preference = row["prompt"].strip(), (row.get("profile") or "").strip()
                found[key] = Choice(*key, preference, prompt, row["chosen"], (*before, row["rejected"]))
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"{path} cannot be read ({error}); each line has source, qid, profile, prompt, chosen and rejected."
        ) from error
    return list(found.values())


def split(choices: Sequence[Choice], plan: PairPlan) -> tuple[list[Choice], list[Choice]]:
    """What is trained on and what is tested, of each source; no prompt and no preference is in both."""
    learnt, tested = list[Choice](), list[Choice]()
    for source in sorted({each.source for each in choices}):
        own = [each for each in choices if each.source == source and _length(each) <= plan.longest]
        Random(f"{plan.seed}/{source}").shuffle(own)
        test = own[: min(plan.tested, len(own) // 2)]
        known = {each.prompt for each in test} | {each.preference for each in test if each.preference}
        rest = [each for each in own[len(test) :] if each.prompt not in known and each.preference not in known]
        tested, learnt = [*tested, *test], [*learnt, *rest[: plan.trained]]
    return learnt, tested


def _length(choice: Choice) -> int:
    return max(map(len, (choice.prompt, choice.chosen, *choice.rejected)))


def _nlls(likelihood: Likelihood, tested: Sequence[Choice], *, told: bool) -> list[list[float]]:
    """For each choice the NLL of the answer preferred, and of the others."""
    rows = [Row(each.asked(told=told), answer) for each in tested for answer in (each.chosen, *each.rejected)]
    values = iter(likelihood.nll(rows).tolist())
    return [[next(values) for _ in range(1 + len(each.rejected))] for each in tested]


def _each(tested: Sequence[Choice]) -> list[tuple[Choice, str]]:
    return [(each, other) for each in tested for other in each.rejected]


def summarised(tested: Sequence[Choice], told: dict[str, list[float]], learnt: int, plan: PairPlan) -> dict[str, Any]:
    """Accuracy by arm, source and subset, with 95 % intervals over choices (the pairs of one hang together), and the
    paired difference from prompt-only."""
    pairs = _each(tested)
    near = [abs(len(e.chosen) - len(o)) < plan.matched * max(len(e.chosen), len(o)) for e, o in pairs]
    found: dict[str, Any] = {"trained on": learnt, "choices": len(tested), "pairs": len(pairs), "arms": {}}
    for arm, hits in told.items():
        found["arms"][arm] = {}
        for source in [*sorted({each.source for each in tested}), "all"]:
            for subset in ("all lengths", "length-matched"):
                places = [
                    at
                    for at, (each, _) in enumerate(pairs)
                    if source in (each.source, "all") and (near[at] or subset == "all lengths")
                ]
                cell = _told([hits[at] for at in places], [pairs[at][0].id for at in places])
                if "prompt-only" in told:
                    gained = [hits[at] - told["prompt-only"][at] for at in places]
                    cell["against prompt-only"] = _told(gained, [pairs[at][0].id for at in places])
                found["arms"][arm].setdefault(source, {})[subset] = cell
    return found


def _told(hits: Sequence[float], ids: Sequence[str]) -> dict[str, Any]:
    by_choice = [mean([hit for hit, of in zip(hits, ids, strict=True) if of == name]) for name in dict.fromkeys(ids)]
    return {
        "mean": round(float(np.mean(by_choice)), 4) if by_choice else 0.0,
        "ci95": [round(each, 4) for each in bootstrap(by_choice, 10_000)],
        "pairs": len(hits),
    }
