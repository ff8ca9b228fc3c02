"""A mirrored person: told to a home of their own, and distilled.

What enters: a pair, which of the two, a folder. What leaves: the home with what was said in it, what was made of it,
and texts recalled. What is there already is not made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from typing import Any

from memoria.distill.head import PreferenceHead
from memoria.distill.recipes import Recipe
from memoria.distill.records import Adapter, Trained
from memoria.distill.train import VERSION
from memoria.errors import InvalidInput
from memoria.evaluate.kept import write_whole
from memoria.evaluate.mirrored_data import MirroredPair, Side
from memoria.evaluate.mirrored_report import PersonScores, Weights
from memoria.memory import Memory
from memoria.models.embeddings import Embedder
from memoria.records import Turn
from memoria.settings import Settings

RECALLED = 120  # tokens of a recalled context: a small model loses itself in long ones
_FIRST_DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
_TODAY = _FIRST_DAY + timedelta(days=60)


@dataclass(frozen=True)
class Bench:
    """What all people share."""

    folder: Path
    settings: Settings
    embedder: Embedder
    recipe: Recipe
    progress: Callable[[str], None]


@dataclass(frozen=True)
class Person:
    """One of a pair. `scores.json` in their folder has what was measured, under a key of all that it depends on."""

    bench: Bench
    pair: MirroredPair
    side: Side

    @property
    def user(self) -> str:
        """The name."""
        return self.pair.users.of(self.side)

    @property
    def folder(self) -> Path:
        """Where all of the person is kept."""
        return self.bench.folder / self.user

    @property
    def home(self) -> Path:
        """The person's memory."""
        return self.folder / "home"

    def open(self, home: Path | None = None) -> Memory:
        """The person's memory, opened."""
        place = home or self.home
        return Memory(place, embeddings=self.bench.embedder, settings=self.bench.settings, clock=lambda: _TODAY)

    def begin(self) -> PersonScores:
        """What is known of the person so far; the home is there afterwards. What was made of other data, by another
        recipe or with other settings goes. Raises `InvalidInput` for a folder that was not made here."""
        key = self.folder / "key"
        if not key.exists() and self.folder.exists() and not (self.folder.is_dir() and not [*self.folder.iterdir()]):
            raise InvalidInput(f"{self.folder} was not made here; delete it, or keep the run in another folder.")
        if not key.exists() or key.read_text(encoding="utf-8") != self._key():
            rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            key.write_text(self._key(), encoding="utf-8")
        if not self.home.exists():
            self._tell()
        kept = self.folder / "scores.json"
        if kept.exists():
            return PersonScores.model_validate_json(kept.read_text(encoding="utf-8"))
        easy = tuple(each.name for each in self.pair.dimensions if each.vocabulary == "shared")
        return PersonScores(pair=self.pair.name, user=self.user, easy=easy)

    def keep(self, scores: PersonScores) -> PersonScores:
        """Write down what is known of the person."""
        write_whole(self.folder / "scores.json", scores.model_dump_json(indent=1) + "\n")
        return scores

    def distilled(self, scores: PersonScores) -> PersonScores:
        """With the `weights` distilled of the person: they are made unless they are there."""
        if scores.weights is not None or not self.pair.facts:
            return scores
        self.bench.progress(f"{self.user}: distilling")
        with self.open() as memory:
            made = memory.fit("adapter", user=self.user, recipe=self.bench.recipe, heard=self._heard).adapter
        if made is None:
            raise InvalidInput(f"Nothing was distilled of {self.user} by {self.bench.recipe.name!r}.")
        return self.keep(scores.model_copy(update={"weights": _weights(made)}))

    def head(self) -> PreferenceHead:
        """The person's preference head."""
        with self.open() as memory:
            found = memory.fit("head", user=self.user, recipe=self.bench.recipe).adapter
        if found is None:
            raise InvalidInput(f"No head was fitted to what {self.user} said.")
        return PreferenceHead.load(self.home / found.folder, self.bench.embedder)

    def _heard(self, facts: dict[str, Any]) -> None:
        """Tell how far a training is."""
        if "step" in facts:
            self.bench.progress(f"{self.user}: step {facts['step']} of {facts['steps']}, loss {facts['loss']:.2f}")
        elif facts.get("waiting"):
            self.bench.progress(f"{self.user}: waiting for another training on this machine")

    def recalling(self, memory: Memory) -> Callable[[str, str], str]:
        """What finds the text before a question: what the person's memory recalls for it."""

        def recalled(asked: str, stated: str) -> str:
            return memory.recall(asked, user=self.user, budget=RECALLED).render()

        return recalled

    def _tell(self) -> None:
        """All that the person says, into the home, whole or not at all."""
        half = self.folder / "home.part"
        rmtree(half, ignore_errors=True)
        self.bench.progress(f"{self.user}: remembering")
        with self.open(half) as memory:
            tell(memory, self.pair, self.side)
        half.replace(self.home)

    def _key(self) -> str:
        bench = self.bench
        named = (
            self.pair.model_dump_json(),
            f"{VERSION} {bench.recipe.digest}",
            bench.embedder.identity,
            bench.settings.model_dump_json(exclude={"cache_dir"}),
            str(RECALLED),
        )
        return hashlib.sha256("\0".join(named).encode()).hexdigest()


def tell(memory: Memory, pair: MirroredPair, side: Side) -> None:
    """What one of the two says: what they like, their facts, and in a talk about each dimension its training questions,
    to which the assistant gives the twin's answers, which the person corrects."""
    user = pair.users.of(side)
    said = [*(each.of(side) for each in pair.dimensions), *(each.statement(side) for each in pair.facts)]
    memory.remember([_turn(text, "user", 0, number) for number, text in enumerate(said)], user=user)
    for day, dimension in enumerate(pair.dimensions, 1):
        turns: list[Turn] = []
        for number, choice in enumerate(dimension.train):
            turns.append(_turn(choice.ask, "user", day, 2 * number))
            turns.append(_turn(choice.against(side), "assistant", day, 2 * number + 1))
        answers = [each for each in memory.remember(turns, user=user) if each.role == "assistant"]
        for choice, answer in zip(dimension.train, answers, strict=True):
            memory.feedback(answer.id, user=user, score=-1, correction=choice.of(side))


def _weights(made: Adapter) -> Weights:
    trained = Trained.model_validate(made.figures["trained"])
    return Weights(
        folder=made.folder,
        bytes=int(made.figures["bytes"]),
        seconds=trained.seconds,
        peak_mb=trained.peak_mb,
        steps=trained.steps,
        learnt={str(name): int(count) for name, count in made.figures["counts"].items()},
        losses=trained.losses,
    )


def _turn(text: str, role: str, day: int, minute: int) -> Turn:
    time = _FIRST_DAY + timedelta(days=day, minutes=minute)
    return Turn(text=text, role="user" if role == "user" else "assistant", time=time, session=f"{time:%Y-%m-%d}")
