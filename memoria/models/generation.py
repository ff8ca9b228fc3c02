"""Generating text with a causal language model, one token at a time, for one prompt or for several at once.

What enters: the tokens of prompts, and how to choose the next one. What leaves: pieces of text, each made only when it
is asked for, so that whoever stops asking stops the generation. Torch and transformers load here, on first use.

Prompts of several lengths are filled up on the left, where nothing attends; what is ended leaves the batch. Each answer
has a chance of its own, so that it is the same alone and among others.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from memoria.errors import ModelUnavailable, first_line
from memoria.models.smollm import INSTALL

_UNFINISHED = "�"  # a letter whose other bytes are still to come
_LOADING = threading.Lock()

Processor = Callable[[Any, Any], Any]  # (tokens so far, scores) -> scores: transformers' logits processors are such
Piece = tuple[int, str, int]  # of which request, the text, how many tokens its answer has so far


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen, and how many there may be."""

    max_tokens: int
    temperature: float
    top_p: float
    repetition_penalty: float
    seed: int
    threads: int


@dataclass(frozen=True)
class Loaded:
    """A model with its tokenizer. `context` is how many tokens it reads at most; `marks` finds its special tokens."""

    model: Any
    tokenizer: Any
    context: int
    ends: frozenset[int]
    marks: re.Pattern[str]

    def plain(self, text: str) -> str:
        """`text` without anything that the tokenizer would take for a mark of its own."""
        while (cleaned := self.marks.sub("", text)) != text:  # what is left may join into another
            text = cleaned
        return text


@dataclass(frozen=True)
class Request:
    """A prompt to answer. The answer ends before any text of `stop`; `processors` change the scores of each next token,
    before temperature and `top_p` do; `adapter` is for the runner."""

    ids: Sequence[int]
    sampling: Sampling
    stop: Sequence[str] = ()
    processors: Sequence[Processor] = ()
    adapter: Path | None = None


class Runner(Protocol):
    """What runs the model, each row of a batch with an adapter of its own."""

    def prefix(self, adapter: Path | None) -> Any:
        """What is to stand before the prompt, as embeddings (tokens, width); None: nothing."""
        ...

    def forward(self, adapters: Sequence[Path | None], inputs: dict[str, Any]) -> Any:
        """The model's output for `inputs`, whose rows have these adapters."""
        ...


def load_weights(place: str, device: str) -> Loaded:
    """The model in the folder, or of the hub's name, `place`; loaded once. Raises `ModelUnavailable`."""
    with _LOADING:
        return _load(place, device)


@lru_cache(maxsize=2)
def _load(place: str, device: str) -> Loaded:
    return fresh_weights(place, device)


def fresh_weights(place: str, device: str = "cpu", *, half: bool = False) -> Loaded:
    """As `load_weights`, but the caller's own to change, each time; `half`: in bfloat16. Raises `ModelUnavailable`."""
    try:
        torch: Any = import_module("torch")
        transformers: Any = import_module("transformers")
    except ImportError as error:
        raise ModelUnavailable(f"A local language model needs {error.name}; {INSTALL}") from error
    bars = transformers.utils.logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(place)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            place, dtype=torch.bfloat16 if half else torch.float32
        )
        model = model.to(device).eval()
    except Exception as error:  # transformers, the hub and safetensors each raise errors of their own
        raise ModelUnavailable(
            f"No language model can be loaded from {place} ({first_line(error)}); check the name, or delete "
            "that folder if it is memoria's own and run again."
        ) from error
    finally:
        if shown:
            bars.enable_progress_bar()
    if not tokenizer.chat_template:
        raise ModelUnavailable(f"{place} has no chat template; name a model made for chat (an Instruct one).")
    ends: Any = model.generation_config.eos_token_id
    listed: list[Any] = [tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])]
    marks = sorted({str(each) for each in tokenizer.added_tokens_decoder.values()}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, marks)) or r"(?!)")
    context = int(getattr(model.config, "max_position_embeddings", 0) or 2048)
    return Loaded(model, tokenizer, context, frozenset(int(each) for each in listed if each is not None), pattern)


def tokens_of(loaded: Loaded, said: Sequence[tuple[str, str]]) -> list[int]:
    """The tokens of a prompt of (role, text), ready for the assistant's answer."""
    messages = [{"role": role, "content": text} for role, text in said]
    made = loaded.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)
    return list(made["input_ids"])


def pieces(loaded: Loaded, requests: Sequence[Request], runner: Runner | None = None) -> Iterator[Piece]:
    """The answers in pieces as they come; the last piece of each (its text may be empty) has all its tokens' count.

    `runner`: None runs the bare model, for requests without an adapter.
    """
    torch: Any = import_module("torch")
    running = runner or _Bare(loaded)
    rows = [_Row(torch, loaded, number, each) for number, each in enumerate(requests)]
    batch = _Batch(torch, loaded, rows, running)
    while batch.rows:
        torch.set_num_threads(max(row.request.sampling.threads for row in batch.rows))  # another may have set it since
        with torch.inference_mode():
            told = batch.step()
        yield from told


def answers(loaded: Loaded, requests: Sequence[Request], runner: Runner | None = None) -> list[tuple[str, int]]:
    """The whole answers, each with how many tokens it has."""
    texts, counts = [""] * len(requests), [0] * len(requests)
    for number, text, counts[number] in pieces(loaded, requests, runner):
        texts[number] += text
    return list(zip(texts, counts, strict=True))


class _Bare:
    """Runs the model as it is."""

    def __init__(self, loaded: Loaded) -> None:
        self._model = loaded.model

    def prefix(self, adapter: Path | None) -> Any:
        """Nothing. An adapter needs another runner."""
        assert adapter is None
        return None

    def forward(self, adapters: Sequence[Path | None], inputs: dict[str, Any]) -> Any:
        return self._model(**inputs)


class _Batch:
    """The rows that go on, and what the model reads next."""

    def __init__(self, torch: Any, loaded: Loaded, rows: list[_Row], runner: Runner) -> None:
        self._torch, self._runner, self.rows = torch, runner, rows
        prefixes = [runner.prefix(row.request.adapter) for row in rows]
        lengths = [len(row.request.ids) + (0 if p is None else len(p)) for row, p in zip(rows, prefixes, strict=True)]
        width, device = max(lengths, default=0), loaded.model.device
        ids = torch.zeros((len(rows), width), dtype=torch.long, device=device)
        self._mask = torch.zeros_like(ids)
        for place, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            ids[place, width - len(row.request.ids) :] = row.seen[0]
            self._mask[place, width - length :] = 1
        self._inputs: dict[str, Any] = {"input_ids": ids}
        if any(prefix is not None for prefix in prefixes):
            self._inputs = {"inputs_embeds": _prefixed(torch, loaded, ids, prefixes, lengths)}
        self._past: Any = None

    def step(self) -> list[Piece]:
        """One more token for each row; the text that is sure by then, of those where there is any."""
        torch = self._torch
        positions = (self._mask.cumsum(-1) - 1).clamp(min=0)[:, -self._read() :]
        inputs = self._inputs | {"attention_mask": self._mask, "position_ids": positions}
        inputs |= {"past_key_values": self._past, "use_cache": True, "logits_to_keep": 1}
        out = self._runner.forward([row.request.adapter for row in self.rows], inputs)
        told = [(row, row.go_on(out.logits[place, -1:])) for place, row in enumerate(self.rows)]
        pieces = [(row.number, text, len(row.made)) for row, text in told if text or row.done]
        going = [place for place, row in enumerate(self.rows) if not row.done]
        self._past = out.past_key_values
        if len(going) < len(self.rows):
            self.rows = [self.rows[place] for place in going]
            kept = torch.tensor(going, dtype=torch.long, device=self._mask.device)
            self._mask = self._mask[kept]
            if going:
                self._past.batch_select_indices(kept)
        if going:
            self._mask = torch.cat([self._mask, self._mask.new_ones((len(going), 1))], dim=1)
            self._inputs = {"input_ids": torch.cat([row.seen[:, -1:] for row in self.rows])}
        return pieces

    def _read(self) -> int:
        """How many positions the next step reads."""
        return next(iter(self._inputs.values())).shape[1]


def _prefixed(torch: Any, loaded: Loaded, ids: Any, prefixes: Sequence[Any], lengths: Sequence[int]) -> Any:
    """The embeddings of the rows of `ids`, each with its prefix just before its prompt."""
    with torch.inference_mode():
        embedded = loaded.model.get_input_embeddings()(ids)
        for place, (prefix, length) in enumerate(zip(prefixes, lengths, strict=True)):
            if prefix is not None:
                begin = ids.shape[1] - length
                embedded[place, begin : begin + len(prefix)] = prefix
    return embedded


class _Row:
    """One answer under way. The penalty spares the prompt: an answer repeats words of its question and of the quotes
    it rests on."""

    def __init__(self, torch: Any, loaded: Loaded, number: int, request: Request) -> None:
        self.number, self.request = number, request
        self.seen = torch.tensor([list(request.ids)], device=loaded.model.device)
        self.made: list[int] = []
        self.done = False
        self._torch, self._loaded = torch, loaded
        self._chance = torch.Generator(device=loaded.model.device).manual_seed(request.sampling.seed)
        self._processors = _processors(request)
        self._held = max((len(each) for each in request.stop), default=1) - 1  # so much may be the beginning of one
        self._text, self._told = "", 0

    def go_on(self, scores: Any) -> str:
        """Take the next token by `scores`; the text that is sure by now."""
        token = self._chosen(scores)
        if token in self._loaded.ends:
            return self._end(self._text)
        self.made.append(token)
        self.seen = self._torch.cat([self.seen, self._torch.tensor([[token]], device=self.seen.device)], dim=1)
        self._text = self._loaded.tokenizer.decode(self.made, skip_special_tokens=True)
        found = [place for each in self.request.stop if (place := self._text.find(each)) >= 0]
        if found or len(self.made) == self.request.sampling.max_tokens:
            return self._end(self._text[: min(found, default=None)])
        return self._tell(len(self._text.rstrip(_UNFINISHED)) - self._held)

    def _chosen(self, scores: Any) -> int:
        for processor in self._processors:
            scores = processor(self.seen, scores)
        if self.request.sampling.temperature > 0:
            return int(self._torch.multinomial(scores.softmax(-1), 1, generator=self._chance)[0, 0])
        return int(scores.argmax(-1)[0])

    def _end(self, text: str) -> str:
        self.done, self._text = True, text
        return self._tell(len(text))

    def _tell(self, until: int) -> str:
        if until <= self._told:
            return ""
        told, self._told = self._text[self._told : until], until
        return told


def _processors(request: Request) -> list[Processor]:
    transformers: Any = import_module("transformers")
    sampling, listed = request.sampling, list[Processor]()
    if sampling.repetition_penalty != 1.0:
        listed.append(transformers.RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty, len(request.ids)))
    listed.extend(request.processors)
    if sampling.temperature > 0:
        listed.append(transformers.TemperatureLogitsWarper(sampling.temperature))
        if sampling.top_p < 1.0:
            listed.append(transformers.TopPLogitsWarper(sampling.top_p))
    return listed
