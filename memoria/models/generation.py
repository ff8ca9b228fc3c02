"""Generating text with a causal language model, one token at a time.

What enters: the tokens of a prompt, and how to choose the next one. What leaves: pieces of text, each made only when it
is asked for, so that whoever stops asking stops the generation. Torch and transformers load here, on first use.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from memoria.errors import ModelUnavailable
from memoria.models.smollm import INSTALL

_UNFINISHED = "�"  # a letter whose other bytes are still to come
_LOADING = threading.Lock()


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
            f"No language model can be loaded from {place} ({str(error).splitlines()[0]}); check the name, or delete "
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


def pieces(loaded: Loaded, ids: Sequence[int], sampling: Sampling, stop: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The answer in pieces, each with how many tokens were made so far; it ends before any text of `stop`."""
    held = max((len(each) for each in stop), default=1) - 1  # so much may be the beginning of one
    made: list[int] = []
    told = 0
    text = ""
    for token in _tokens(loaded, ids, sampling):
        made.append(token)
        text = loaded.tokenizer.decode(made, skip_special_tokens=True)
        found = [place for each in stop if (place := text.find(each)) >= 0]
        if found:
            text, held = text[: min(found)], 0
            break
        safe = len(text.rstrip(_UNFINISHED)) - held
        if safe > told:
            yield text[told:safe], len(made)
            told = safe
    if len(text) > told:
        yield text[told:], len(made)
    elif not made:
        yield "", 0


def _tokens(loaded: Loaded, ids: Sequence[int], sampling: Sampling) -> Iterator[int]:
    torch: Any = import_module("torch")
    choose = _chooser(torch, loaded, sampling, len(ids))
    seen = torch.tensor([list(ids)], device=loaded.model.device)
    past: Any = None
    for _ in range(sampling.max_tokens):
        torch.set_num_threads(sampling.threads)  # of the process: another model may have set it since
        with torch.inference_mode():
            new = seen if past is None else seen[:, -1:]
            out = loaded.model(input_ids=new, past_key_values=past, use_cache=True, logits_to_keep=1)
            past = out.past_key_values
            token = choose(seen, out.logits[:, -1, :])
        if token in loaded.ends:
            return
        yield token
        seen = torch.cat([seen, torch.tensor([[token]], device=seen.device)], dim=1)


def _chooser(torch: Any, loaded: Loaded, sampling: Sampling, prompt: int) -> Any:
    """What picks the next token from the scores, given the tokens so far. Its chance is its own: no global seed.

    The penalty spares the `prompt`: an answer repeats words of its question and of the quotes it rests on."""
    transformers: Any = import_module("transformers")
    processors: Any = transformers.LogitsProcessorList()
    if sampling.repetition_penalty != 1.0:
        processors.append(transformers.RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty, prompt))
    if sampling.temperature > 0:
        processors.append(transformers.TemperatureLogitsWarper(sampling.temperature))
        if sampling.top_p < 1.0:
            processors.append(transformers.TopPLogitsWarper(sampling.top_p))
    chance = torch.Generator(device=loaded.model.device).manual_seed(sampling.seed)

    def choose(seen: Any, scores: Any) -> int:
        scores = processors(seen, scores)
        if sampling.temperature > 0:
            return int(torch.multinomial(scores.softmax(-1), 1, generator=chance)[0, 0])
        return int(scores.argmax(-1)[0])

    return choose
