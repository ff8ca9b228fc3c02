"""A chat model on this machine: any causal language model that transformers loads, as a LangChain chat model.

What enters: messages. What leaves: an answer, whole or token by token; closing the stream ends the generation at once,
since every token is made only when it is asked for. Torch and transformers load with the first answer.

A prompt longer than `context` allows loses its oldest messages, never the system's nor the last; how many is told in
the answer's `response_metadata["messages_cut"]`, and a prompt that does not even fit then is refused. What a message
says cannot forge the marks between messages: the tokenizer's special tokens are taken out of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

from memoria.errors import InvalidInput
from memoria.models.generation import Loaded, Sampling, load_weights, pieces, tokens_of
from memoria.models.smollm import NAME, converted
from memoria.settings import default_cache

_ROLES = {"system": "system", "ai": "assistant"}


class LocalChat(BaseChatModel):
    """The causal language model `path` (a folder, or a name on the hub; None: the packaged SmolLM2-135M-Instruct).

    Args:
        max_tokens: at most so many tokens an answer.
        temperature: 0 always takes the likeliest token; above it tokens are drawn, by `seed` the same each time.
        top_p: draws only from the likeliest tokens that together have this share.
        repetition_penalty: above 1, what stands in the answer already becomes less likely.
        context: tokens of prompt and answer together; None is what the model was made for.
        threads: torch's threads, of the whole process. More than one is slower for a small model on a busy machine.
        cache_dir: where the packaged model is unpacked, once.

    Raises `ModelUnavailable` with the first answer when a package or the weights are missing or damaged.
    """

    path: str | None = None
    max_tokens: int = Field(default=256, ge=1)
    temperature: float = Field(default=0.0, ge=0.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    repetition_penalty: float = Field(default=1.1, ge=1.0)
    context: int | None = Field(default=None, ge=32)
    seed: int = 0
    threads: int = Field(default=1, ge=1)
    device: str = "cpu"
    cache_dir: Path = Field(default_factory=default_cache)

    @property
    def model_name(self) -> str:
        """The path or name, of the packaged model its own."""
        return self.path or NAME

    @property
    def _llm_type(self) -> str:
        return "memoria-local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        names = ("temperature", "top_p", "repetition_penalty", "max_tokens", "seed")
        return {"model_name": self.model_name} | {name: getattr(self, name) for name in names}

    def loaded(self) -> Loaded:
        """The weights and the tokenizer, loaded on first use and shared by all that name the same. Raises
        `ModelUnavailable`."""
        return load_weights(self.path or str(converted(self.cache_dir)), self.device)

    def get_num_tokens(self, text: str) -> int:
        """How many tokens the model reads `text` as."""
        return len(self.loaded().tokenizer(text)["input_ids"])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        whole: AIMessageChunk | None = None
        for chunk in self._stream(messages, stop, None, **kwargs):
            part = chunk.message
            assert isinstance(part, AIMessageChunk)
            whole = part if whole is None else whole + part
        assert whole is not None
        message = AIMessage(
            whole.content, response_metadata=whole.response_metadata, usage_metadata=whole.usage_metadata
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        loaded = self.loaded()
        asked = self.model_copy(update={name: kwargs[name] for name in kwargs if name in type(self).model_fields})
        ids, cut = asked._fitted(loaded, messages)
        sampling = Sampling(
            asked.max_tokens, asked.temperature, asked.top_p, asked.repetition_penalty, asked.seed, asked.threads
        )
        made = 0
        for text, made in pieces(loaded, ids, sampling, stop or ()):  # noqa: B007  # the last count is told below
            yield ChatGenerationChunk(message=AIMessageChunk(content=text))
        usage = UsageMetadata(input_tokens=len(ids), output_tokens=made, total_tokens=len(ids) + made)
        about = {"model_name": self.model_name, "messages_cut": cut}
        last = AIMessageChunk(content="", response_metadata=about, usage_metadata=usage, chunk_position="last")
        yield ChatGenerationChunk(message=last, generation_info=about)

    def _fitted(self, loaded: Loaded, messages: Sequence[BaseMessage]) -> tuple[list[int], int]:
        """The prompt's tokens, and how many of the oldest messages it had to lose."""
        said = [(_ROLES.get(each.type, "user"), loaded.plain(each.text)) for each in messages]
        room = min(self.context or loaded.context, loaded.context) - self.max_tokens
        droppable = sum(role != "system" for role, _ in said[:-1])
        ids: list[int] = []
        for cut in range(droppable + 1):
            ids = tokens_of(loaded, _without_oldest(said, cut))
            if len(ids) <= room:
                return ids, cut
        raise InvalidInput(
            f"The prompt has {len(ids)} tokens, {max(room, 0)} fit beside an answer of {self.max_tokens} tokens; "
            "shorten it, or lower max_tokens."
        )


def _without_oldest(said: list[tuple[str, str]], cut: int) -> list[tuple[str, str]]:
    """`said` without the first `cut` messages that are neither the system's nor the last."""
    kept: list[tuple[str, str]] = []
    for number, (role, text) in enumerate(said):
        if cut and role != "system" and number < len(said) - 1:
            cut -= 1
            continue
        kept.append((role, text))
    return kept
