"""How likely a causal language model finds an answer.

What enters: prompts with answers, or plain texts, and a model, with or without an adapter. What leaves: the mean
negative log-likelihood (NLL) per token, in nats. Only the answer's tokens go through the output layer, the largest of
a small model's. What rows of a batch begin with alike (the system's message, the question of several answers) goes
through the model once: the rows are the branches of a tree, laid out in a single sequence, in which a token sees those
that lead to it. That is half the work in training and a small part of it where answers to a long prompt are compared.
A soft prompt, which sits before the tokens, takes the common way of padded rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memoria.models.generation import Loaded, tokens_of

Numbers = NDArray[np.float64]

_AT_ONCE, _MOST = 16, 4096  # rows in one forward pass, and their tokens (a mask takes the square of them)
_PACKED = frozenset({"llama", "qwen2", "qwen3"})  # architectures whose attention takes a mask of our own
_LONGEST = 1024  # tokens of a row: what is longer loses its beginning


@dataclass(frozen=True)
class Row:
    """What is asked, with what the system says before it (empty: nothing), and the answer."""

    prompt: str
    answer: str
    system: str = ""


@dataclass(frozen=True)
class Encoded:
    """A row's tokens; those from `begin` on are the answer's."""

    ids: tuple[int, ...]
    begin: int


class Likelihood:
    """Likelihoods under `model` (None: the base of `loaded`), which stays as it is."""

    def __init__(self, loaded: Loaded, model: Any = None) -> None:
        self._loaded, self._model = loaded, loaded.model if model is None else model

    def nll(self, rows: Sequence[Row]) -> Numbers:
        """The NLL of each answer after its prompt, in the model's chat form: (n,), nats a token."""
        return self._means([encode(self._loaded, row) for row in rows])

    def total(self, rows: Sequence[Row]) -> Numbers:
        """As `nll`, of each answer as a whole: (n,), nats."""
        encoded = [encode(self._loaded, row) for row in rows]
        return self._means(encoded) * [len(each.ids) - each.begin for each in encoded]

    def plain(self, texts: Sequence[str]) -> Numbers:
        """The NLL of each text as it is, but for its first token: (n,), nats a token."""
        ids = [tuple(self._loaded.tokenizer(text)["input_ids"]) for text in texts]
        return self._means([Encoded(each, 1) for each in ids])

    def _means(self, encoded: Sequence[Encoded]) -> Numbers:
        torch: Any = import_module("torch")
        found = np.zeros(len(encoded))
        with torch.inference_mode():
            for places in _batches(encoded):
                batch = [encoded[at] for at in places]
                for at, logps in zip(places, answer_logps(self._model, batch), strict=True):
                    found[at] = -float(logps.double().mean())
        return found


def encode(loaded: Loaded, row: Row, *, ended: bool = False) -> Encoded:
    """The row in the model's chat form; `ended`: with the mark that ends an answer, which is learnt, too. An answer of
    nothing but marks, which are taken out, is that mark alone."""
    said = [("system", loaded.plain(row.system))] if row.system else []
    prompt = tokens_of(loaded, [*said, ("user", loaded.plain(row.prompt))])
    answer: list[int] = list(loaded.tokenizer(loaded.plain(row.answer), add_special_tokens=False)["input_ids"])
    answer += [loaded.tokenizer.eos_token_id] if ended or not answer else []
    longest = min(_LONGEST, loaded.context)
    answer = answer[: longest // 2]
    cut = max(0, len(prompt) + len(answer) - longest)
    return Encoded((*prompt[cut:], *answer), len(prompt) - cut)


def answer_logps(model: Any, batch: Sequence[Encoded]) -> list[Any]:
    """For each row the log-probabilities of its answer's tokens, a tensor (t,); with gradients where torch keeps
    them."""
    logits, targets, sizes = answer_logits(model, batch)
    torch: Any = import_module("torch")
    picked = torch.log_softmax(logits.float(), -1).gather(-1, targets[:, None])[:, 0]
    return list(picked.split(sizes))


def answer_logits(model: Any, batch: Sequence[Encoded]) -> tuple[Any, Any, list[int]]:
    """What the model says of each answer's tokens, all rows' one after the other (t, vocabulary), the tokens (t,), and
    how many each row has."""
    torch: Any = import_module("torch")
    device = next(model.parameters()).device
    targets = torch.tensor([each.ids[place] for each in batch for place in _answer(each)], device=device)
    sizes = [len(each.ids) - each.begin for each in batch]
    config = getattr(model, "active_peft_config", None)
    if config is not None and config.is_prompt_learning:
        return _padded(torch, model, batch, device), targets, sizes
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    if causal.config.model_type in _PACKED and not getattr(causal.config, "sliding_window", None):
        hidden = _packed(torch, causal, batch, device)
        return causal.get_output_embeddings()(hidden), targets, sizes
    return _padded(torch, model, batch, device), targets, sizes


def _padded(torch: Any, model: Any, batch: Sequence[Encoded], device: Any) -> Any:
    """The logits before each answer token, of rows made equally long."""
    longest = max(len(each.ids) for each in batch)
    ids = torch.zeros((len(batch), longest), dtype=torch.long)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    for at, each in enumerate(batch):
        ids[at, : len(each.ids)] = torch.tensor(each.ids)
        mask[at, : len(each.ids)] = 1
    logits = model(input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False).logits
    rows = [at for at, each in enumerate(batch) for _ in _answer(each)]
    before = [place - 1 for each in batch for place in _answer(each)]  # what is said of a token stands before it
    return logits[:, logits.shape[1] - longest :][rows, before]


def _packed(torch: Any, causal: Any, batch: Sequence[Encoded], device: Any) -> Any:
    """The hidden states before each answer token, of rows as the branches of a tree laid out in one sequence."""
    ids, positions, paths = _tree(batch)
    sees = torch.zeros((len(ids), len(ids)), dtype=torch.bool)
    for path in paths:
        places = torch.tensor(path)
        sees[places[:, None], places] = torch.ones((len(path), len(path)), dtype=torch.bool).tril()
    dtype = causal.get_input_embeddings().weight.dtype
    mask = torch.zeros(sees.shape, dtype=dtype).masked_fill(~sees, torch.finfo(dtype).min).to(device)
    at, given = torch.tensor([positions], device=device), torch.tensor([ids], device=device)
    hidden = causal.base_model(input_ids=given, attention_mask=mask[None, None], position_ids=at, use_cache=False)[0]
    before = [path[place - 1] for each, path in zip(batch, paths, strict=True) for place in _answer(each)]
    return hidden[0, before]


def _tree(batch: Sequence[Encoded]) -> tuple[list[int], list[int], list[list[int]]]:
    """The tokens of all rows, those that stand behind the same tokens once, their positions in their rows, and each
    row's path: the places of its tokens."""
    known: dict[tuple[int, int], int] = {}
    ids, positions, paths = list[int](), list[int](), list[list[int]]()
    for each in batch:
        path, above = list[int](), -1
        for position, token in enumerate(each.ids):
            above = known.setdefault((above, token), len(ids))
            if above == len(ids):
                ids.append(token)
                positions.append(position)
            path.append(above)
        paths.append(path)
    return ids, positions, paths


def _batches(encoded: Sequence[Encoded]) -> Iterator[list[int]]:
    """The places of the rows, those that begin alike together."""
    order = sorted(range(len(encoded)), key=lambda at: encoded[at].ids)
    batch: list[int] = []
    for at in order:
        if batch and (len(batch) >= _AT_ONCE or len(_tree([encoded[each] for each in (*batch, at)])[0]) > _MOST):
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def _answer(each: Encoded) -> Iterator[int]:
    yield from range(each.begin, len(each.ids))
