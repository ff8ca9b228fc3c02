"""The preference head: what a person prefers, as a direction in the space of sentence embeddings.

What enters: pairs, and an embedder whose vectors stay as they are. What leaves: a head that scores answers, the higher
the more to the person's liking; a small file of numbers, without a word in it. It needs no language model and serves
any: it picks the best of several answers, re-ranks memories, weighs the rules of a preference card.

Bradley & Terry (1952): P(chosen over rejected) is the logistic function of the difference of their scores; logistic
regression with an L2 penalty on differences of embeddings (Rafailov et al.'s reward without the policy; HYDRA, Zhuang
et al., 2024, ranks black-box models' answers so). The same head, the same pairs, the same numbers: nothing is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from numpy.typing import NDArray

from memoria.distill.records import Pair
from memoria.errors import EmbeddingMismatch, InvalidInput
from memoria.models.embeddings import Embedder

Numbers = NDArray[np.float64]
Features = Literal["answer", "topic"]

WEIGHTS, ABOUT = "head.safetensors", "head.json"
_PENALTIES = (0.1, 0.3, 1.0, 3.0)
_STEPS = 20  # of Newton's method; it ends long before
_ROUNDING = 1e-8


@dataclass(frozen=True)
class PreferenceHead:
    """A head for one embedding model.

    `weights` (dimension,) score any answer; `topics` (dimension, dimension), where there are any, add what depends on
    the prompt: a head of features "answer" has none, one of "topic" has. `figures`: how many `pairs` it was fitted to,
    in how many `groups`, the `penalty`, and the share of pairs ranked right when their group was left out
    (`left_out`), by which features and penalty were chosen: not an estimate for new pairs.
    """

    embedder: Embedder
    weights: Numbers
    topics: Numbers | None = None
    figures: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def features(self) -> Features:
        """What it looks at: the "answer" alone, or its "topic" too."""
        return "answer" if self.topics is None else "topic"

    @classmethod
    def fit(cls, pairs: Sequence[Pair], embedder: Embedder) -> PreferenceHead:
        """The head that ranks `pairs` best, features and penalty chosen by leaving out each group of them in turn.

        Raises `InvalidInput` where there are no pairs.
        """
        told = [pair for pair in pairs if pair.weight > 0]
        prompts, differences = embedded(told, embedder)
        weights = np.array([pair.weight for pair in told])
        groups = [pair.group or f"\0{number}" for number, pair in enumerate(told)]
        return fit_head(embedder, prompts, differences, weights, groups)

    def margins(self, pairs: Sequence[Pair]) -> Numbers:
        """How much higher each pair's chosen answer scores than its rejected one: (n,), right where above 0."""
        if not pairs:
            return np.empty(0)
        prompts, differences = embedded(pairs, self.embedder)
        return self._scores(prompts, differences)

    def score(self, prompt: str, answers: Sequence[str]) -> Numbers:
        """How much the person would like each answer: (n,); only differences mean anything."""
        vectors = self.embedder.embed(answers).astype(np.float64)
        asked = self.embedder.embed([prompt]).astype(np.float64)
        return self._scores(np.repeat(asked, len(answers), axis=0), vectors)

    def best_of(self, prompt: str, answers: Sequence[str]) -> int:
        """The place of the answer with the highest score, the first of several. Raises `InvalidInput` for none."""
        if not answers:
            raise InvalidInput("There is no answer to choose from; give at least one.")
        return int(self.score(prompt, answers).argmax())

    def rerank(
        self, query: str, texts: Sequence[str], relevance: Sequence[float] | None = None, weight: float = 0.5
    ) -> list[int]:
        """The places of `texts`, best first, by `relevance` (None: all alike) and liking, which has `weight` of 1; each
        is counted by its rank, so that neither's scale matters."""
        liked = _ranks(self.score(query, texts))
        near = _ranks(np.asarray(relevance, dtype=np.float64)) if relevance is not None else np.zeros(len(texts))
        total = weight * liked + (1 - weight) * near
        return [int(place) for place in np.argsort(-total, kind="stable")]

    def save(self, folder: Path) -> None:
        """Write `head.safetensors` and `head.json` into `folder`, which is made."""
        numpy: Any = import_module("safetensors.numpy")
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {"weights": self.weights.astype(np.float32)}
        if self.topics is not None:
            tensors["topics"] = self.topics.astype(np.float32)
        numpy.save_file(tensors, str(folder / WEIGHTS))
        about = {"format": 1, "features": self.features, "embeddings": self.embedder.identity, "figures": self.figures}
        (folder / ABOUT).write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, embedder: Embedder) -> PreferenceHead:
        """The head in `folder`. Raises `InvalidInput` where there is none, `EmbeddingMismatch` for another model's."""
        safetensors: Any = import_module("safetensors")
        numpy: Any = import_module("safetensors.numpy")
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            tensors = numpy.load_file(str(folder / WEIGHTS))
            identity, figures = str(about["embeddings"]), dict(about["figures"])
            weights = np.asarray(tensors["weights"], dtype=np.float64)
        except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
            raise InvalidInput(f"{folder} holds no preference head ({error}); distil again.") from error
        if identity != embedder.identity or weights.shape != (embedder.dimension,):
            raise EmbeddingMismatch(
                f"The preference head in {folder} was fitted on {identity}'s vectors, not {embedder.identity}'s; "
                "distil again."
            )
        topics = tensors.get("topics")
        return cls(embedder, weights, None if topics is None else np.asarray(topics, dtype=np.float64), figures)

    def _scores(self, prompts: Numbers, vectors: Numbers) -> Numbers:
        found = vectors @ self.weights
        return found if self.topics is None else found + ((vectors @ self.topics) * prompts).sum(axis=1)


@dataclass(frozen=True)
class Best:
    """The answer that scores best, its place, and all of them with their scores."""

    message: AIMessage
    place: int
    messages: tuple[AIMessage, ...]
    scores: tuple[float, ...]


def best_of_n(
    model: BaseChatModel, messages: Sequence[BaseMessage], head: PreferenceHead, n: int, *, seed: int | None = None
) -> Best:
    """The best of `n` answers of a chat model to `messages`, by `head`.

    The model must draw its answers (a temperature above 0). One that draws by a seed, as `LocalChat` does, gives the
    same answer each time unless `seed` is given: then the answers are drawn by it and the seeds after it.
    """
    if n < 1:
        raise InvalidInput(f"n is {n}; ask for at least one answer.")
    given = list(messages)
    if seed is None:
        answers = model.batch([given] * n)
    else:
        answers = [model.invoke(given, seed=seed + number) for number in range(n)]
    asked = next((each.text for each in reversed(given) if each.type == "human"), "")
    scores = head.score(str(asked), [str(each.text) for each in answers])
    place = int(scores.argmax())
    return Best(answers[place], place, tuple(answers), tuple(float(each) for each in scores))


def embedded(pairs: Sequence[Pair], embedder: Embedder) -> tuple[Numbers, Numbers]:
    """The vectors of the pairs' prompts, and those of their chosen answers less those of their rejected ones."""
    texts = [text for pair in pairs for text in (pair.prompt, pair.chosen, pair.rejected)]
    distinct = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    vectors = embedder.embed(list(distinct)).astype(np.float64)
    places = np.array([distinct[text] for text in texts], dtype=np.intp).reshape(-1, 3)
    return vectors[places[:, 0]], vectors[places[:, 1]] - vectors[places[:, 2]]


def fit_head(
    embedder: Embedder, prompts: Numbers, differences: Numbers, weights: Numbers, groups: Sequence[str]
) -> PreferenceHead:
    """As `PreferenceHead.fit`, of vectors (n, dimension), weights (n,) and the names of groups."""
    if not len(differences):
        raise InvalidInput("There are no pairs to fit a head to; state preferences, or give feedback on answers.")
    alike = differences @ differences.T
    kernels: dict[Features, Numbers] = {"answer": alike, "topic": alike * (1 + prompts @ prompts.T)}
    features, penalty, left_out = _chosen(kernels, weights, groups)
    dual = _logistic(kernels[features], weights, penalty)
    topics = (differences * dual[:, None]).T @ prompts if features == "topic" else None
    figures = {"pairs": len(differences), "groups": len(set(groups)), "penalty": penalty, "left_out": left_out}
    return PreferenceHead(embedder, differences.T @ dual, topics, figures)


def _chosen(kernels: dict[Features, Numbers], weights: Numbers, groups: Sequence[str]) -> tuple[Features, float, float]:
    """The features and the penalty with the least error on groups left out, the features of the answer alone unless
    the others are better by a standard error; and the share of pairs that they rank right."""
    places = [np.flatnonzero(np.array([each == name for each in groups])) for name in dict.fromkeys(groups)]
    if len(places) < 2:
        return "answer", 1.0, 0.0
    best: dict[Features, tuple[float, float, Numbers]] = {}
    for features, kernel in kernels.items():
        for penalty in _PENALTIES:
            told = _left_out(kernel, weights, penalty, places)
            error = float(np.average((1 - told) ** 2, weights=weights))
            if features not in best or error < best[features][0]:
                best[features] = error, penalty, told
    gain = (1 - best["answer"][2]) ** 2 - (1 - best["topic"][2]) ** 2
    by_group = np.array([gain[each].mean() for each in places])
    sure = by_group.mean() > by_group.std(ddof=1) / np.sqrt(len(places))
    features = "topic" if sure else "answer"
    _, penalty, told = best[features]
    return features, penalty, float(np.average(told > 0, weights=weights))


def _left_out(kernel: Numbers, weights: Numbers, penalty: float, places: Sequence[NDArray[np.intp]]) -> Numbers:
    """What least squares, logistic regression's first step, says of each pair when its group is left out. Exact, of one
    inverse (Allen's PRESS, by blocks)."""
    inverse = np.linalg.inv(kernel + np.diag(4 * penalty / weights))
    dual = inverse.sum(axis=1)  # every difference is to come out at 1
    told = np.empty(len(kernel))
    for each in places:
        told[each] = 1 - np.linalg.solve(inverse[np.ix_(each, each)], dual[each])
    return told


def _logistic(kernel: Numbers, weights: Numbers, penalty: float) -> Numbers:
    """The dual weights of the pairs, by Newton's method (iteratively reweighted least squares)."""
    margins, dual = np.zeros(len(kernel)), np.zeros(len(kernel))
    for _ in range(_STEPS):
        right = 1 / (1 + np.exp(-margins))
        slope = weights * right * (1 - right) + _ROUNDING
        before = dual
        target = margins + weights * (1 - right) / slope
        dual = np.asarray(np.linalg.solve(kernel + np.diag(penalty / slope), target), dtype=np.float64)
        margins = kernel @ dual
        if np.abs(dual - before).max() < 1e-6:
            break
    return dual


def _ranks(scores: Numbers) -> Numbers:
    """From 0 (the lowest) to 1; what scores alike has the same."""
    below = (scores[:, None] > scores[None, :]).sum(axis=1).astype(np.float64)
    return below / max(len(scores) - 1, 1)
