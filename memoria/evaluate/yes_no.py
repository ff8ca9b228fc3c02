"""A language model that answers Yes or No, with an adapter on its upper layers.

What enters: prompts, once, and for some of them the right answers. What leaves: after training on those, the log-odds
of Yes against No for any; adapters are taken in and given out as PEFT names their weights. Only the answer's one token
is learnt, and only the upper layers run (`distill/upper.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memoria.distill.batches import picked
from memoria.distill.recipes import Recipe, Stage
from memoria.distill.tuned import begun, save
from memoria.distill.upper import Below, UpperLayers, common
from memoria.models.adapter_files import WEIGHTS
from memoria.models.generation import Loaded, tokens_of

Weights = Mapping[str, NDArray[np.float32]]
Numbers = NDArray[np.float64]

_AT_ONCE = 16
_PIECE = 256  # prompts kept in one file


class YesNo:
    """Prompts are named by their places in the order given. The recipe's one stage gives batch and rate; its `layers`
    are those trained."""

    def __init__(self, loaded: Loaded, recipe: Recipe, base: str) -> None:
        self._torch: Any = import_module("torch")
        self._loaded, self._recipe = loaded, recipe
        with self._torch.random.fork_rng(devices=[]):
            self._torch.manual_seed(recipe.seed)
            self._model = begun(loaded, recipe, base)
        self._peft: Any = import_module("peft")
        self._upper = UpperLayers(self._model, recipe.layers or int(loaded.model.config.num_hidden_layers))
        self._trainable = [each for each in self._model.parameters() if each.requires_grad]
        self._answers = [loaded.tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in ("No", "Yes")]
        self._below: Below | None = None
        self.fresh = self.weights()

    def read(self, question: str, prompts: Sequence[str], kept: Path | None = None) -> None:
        """Take the prompts in, each asked after the same `question` (the system's message). What the lower layers make
        of them is kept in the folder `kept`, piece by piece, and read from it."""
        said = [[("system", question), ("user", self._loaded.plain(each))] for each in prompts]
        tokens = [tokens_of(self._loaded, each) for each in said]
        shared, parts = common(tokens), list[Below]()
        for begin in range(0, len(tokens), _PIECE):
            path = kept / f"below-{begin}.pt" if kept is not None else None
            if path is not None and path.exists():
                parts.append(Below(**self._torch.load(path, weights_only=True)))
                continue
            parts.append(self._upper.below(tokens[begin : begin + _PIECE], shared))
            if path is not None:
                half = path.with_suffix(".part")
                self._torch.save(vars(parts[-1]), half)
                half.replace(path)
        self._below = Below.joined(parts)

    def weights(self) -> Weights:
        """The adapter as it is."""
        named: dict[str, Any] = self._peft.get_peft_model_state_dict(self._model, save_embedding_layers=False)
        return {name: each.detach().float().numpy().copy() for name, each in named.items()}

    def take(self, weights: Weights) -> None:
        """Have this adapter instead."""
        given = {name: self._torch.from_numpy(each.copy()) for name, each in weights.items()}
        self._peft.set_peft_model_state_dict(self._model, given)

    def save(self, folder: Path) -> None:
        """Write the adapter as PEFT does."""
        save(self._model, folder)

    def load(self, folder: Path) -> None:
        """Have the adapter in a folder."""
        self.take(import_module("safetensors.numpy").load_file(folder / WEIGHTS))

    def fit(self, places: Sequence[int], yes: Sequence[bool], steps: int, *, rate: float | None = None) -> None:
        """Train the adapter on from where it is, on these prompts' answers."""
        torch, stage = self._torch, self._recipe.stages[0]
        rows = list(zip(places, yes, strict=True))
        optimizer = torch.optim.AdamW(self._trainable, lr=rate or stage.rate, weight_decay=0.0)
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = (rate or stage.rate) * _warmth(step, steps)
            batch = picked(rows, step, min(stage.batch, len(rows)), str(self._recipe.seed))
            logits = self._upper.logits(self._known(), [place for place, _ in batch]).float()
            right = torch.tensor([self._answers[answer] for _, answer in batch])
            torch.nn.functional.cross_entropy(logits, right).backward()
            torch.nn.utils.clip_grad_norm_(self._trainable, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def steps(self, rows: int, passes: float) -> int:
        """How many steps go over so many rows so many times."""
        stage: Stage = self._recipe.stages[0]
        return max(1, round(rows * passes / min(stage.batch, rows)))

    def odds(self, places: Sequence[int]) -> Numbers:
        """The log-odds of Yes against No, and so the log-likelihood of either by `logistic`."""
        found = np.zeros(len(places))
        with self._torch.inference_mode():
            for begin in range(0, len(places), _AT_ONCE):
                batch = places[begin : begin + _AT_ONCE]
                logits = self._upper.logits(self._known(), batch).float()[:, self._answers]
                found[begin : begin + len(batch)] = (logits[:, 1] - logits[:, 0]).numpy()
        return found

    def _known(self) -> Below:
        assert self._below is not None, "read the prompts first"
        return self._below


def log_likelihood(odds: Numbers, yes: Sequence[bool]) -> float:
    """The mean log-likelihood of the right answers, of Yes and No alone."""
    signs = np.where(np.asarray(yes, dtype=bool), 1.0, -1.0)
    return float(-np.logaddexp(0.0, -signs * odds).mean())


def _warmth(step: int, steps: int) -> float:
    warm = max(1, steps // 10)
    return (step + 1) / warm if step < warm else max(0.05, (steps - step) / (steps - warm))
