"""What a stage of a training learns from: its rows, encoded once, and the loss of each step's batch.

What enters: a model under training, a data set, a stage. What leaves: for any step the loss, a scalar tensor with
gradients, and how many tokens it is of.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from memoria.distill import losses
from memoria.distill.aims import ahead
from memoria.distill.batches import picked, picked_by_turns, replayed, rows_to_learn, rows_to_teach
from memoria.distill.neutral import Neutral
from memoria.distill.recipes import Recipe, Stage
from memoria.distill.records import Dataset
from memoria.errors import InvalidInput
from memoria.models.generation import Loaded
from memoria.models.likelihood import Encoded, Row, encode

Reference = list[tuple[float, float]]


class Lessons:
    """The rows of a `stage`. `reference`: how likely the model that DPO began with found each pair (None: measure)."""

    def __init__(
        self,
        model: Any,
        loaded: Loaded,
        data: Dataset,
        recipe: Recipe,
        stage: Stage,
        neutral: Neutral,
        reference: Reference | None,
    ) -> None:
        self._model, self._loaded, self._stage = model, loaded, stage
        self._seed = f"{recipe.seed}/{stage.loss}"
        self._replay = [losses.LessonRows(self._row(Row(*each))) for each in neutral.replay]
        self._spared = replayed(neutral, stage)
        self._parts: list[list[Any]]
        self.reference: Reference = []
        if stage.loss == "sft":
            self._parts = [
                [losses.LessonRows(self._row(each.taken), self._row(each.left) if each.left else None) for each in part]
                for part in rows_to_learn(data, facts=recipe.facts)
            ]
        elif stage.loss == "kl":
            taught = rows_to_teach(data, facts=recipe.facts)
            self._parts = [[losses.TaughtRows(self._row(own), self._row(told)) for own, told in taught]]
        else:
            self._parts = [self._pairs(data, reference)]
        if not any(self._parts):
            raise InvalidInput(f"There is nothing to learn from by {stage.loss!r}; remember more of the person first.")

    def loss(self, step: int) -> tuple[Any, int]:
        """The loss of a step's batch, and how many tokens it learns from."""
        stage = self._stage
        neutral = picked(self._replay, step, self._spared, f"{self._seed}/replay") if self._spared else []
        batch = picked_by_turns(self._parts, step, stage.batch - len(neutral), self._seed)
        calm_tokens = _tokens(each.taken for each in neutral)
        if stage.loss == "sft":
            together = [*batch, *neutral]
            return losses.sft(self._model, together, stage.margin), _tokens(each.taken for each in together)
        share = len(neutral) / stage.batch
        calm = losses.sft(self._model, neutral) * share if neutral else 0.0
        if stage.loss == "kl":
            learnt = _tokens(each.student for each in batch)
            return losses.kl(self._model, batch) * (1 - share) + calm, learnt + calm_tokens
        loss = losses.dpo(self._model, batch, stage.beta, stage.sft, stage.own)
        learnt = _tokens(each for pair in batch for each in (pair.chosen, pair.rejected))
        return loss * (1 - share) + calm, learnt + calm_tokens

    def _pairs(self, data: Dataset, reference: Reference | None) -> list[losses.PairRows]:
        pairs = data.pairs_of("train")
        encoded = [
            (self._row(Row(each.prompt, each.chosen)), self._row(Row(each.prompt, each.rejected))) for each in pairs
        ]
        self._model.eval()  # the reference is the model without dropout
        self.reference = reference or [losses.reference(self._model, *each) for each in encoded]
        self._model.train()
        return [
            losses.PairRows(*rows, at, ahead(self._stage.aims, each.chosen, each.rejected))
            for each, rows, at in zip(pairs, encoded, self.reference, strict=True)
        ]

    def _row(self, row: Row) -> Encoded:
        return encode(self._loaded, row, ended=True)


def _tokens(batch: Iterable[Encoded]) -> int:
    return sum(len(each.ids) - each.begin for each in batch)
