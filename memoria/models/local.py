"""A chat model on this machine: any causal language model that transformers loads, as a LangChain chat model.

What enters: messages. What leaves: an answer, whole or token by token; closing the stream ends the generation at once,
since every token is made only when it is asked for. Torch and transformers load with the first answer.

A person's adapter answers for them (`adapter`), from a pool that all models of one base share; `answers` takes prompts
of several people at once, `batch` several prompts of one.

A prompt longer than `context` allows loses its oldest messages, never the system's nor the last; how many is told in
the answer's `response_metadata["messages_cut"]`, and a prompt that does not even fit then is refused. What a message
says cannot forge the marks between messages: the tokenizer's special tokens are taken out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, LLMResult
from langchain_core.runnables import RunnableConfig
from pydantic import Field, PrivateAttr

from memoria.errors import InvalidInput, MemoriaError
from memoria.models.adapters import AdapterPool, shared_pool
from memoria.models.generation import Loaded, Processor, Request, Sampling, answers, load_weights, pieces, tokens_of
from memoria.models.smollm import NAME, converted
from memoria.settings import default_cache

_ROLES = {"system": "system", "ai": "assistant"}

_Key = tuple[tuple[str, str], ...]
_Answer = tuple[str, UsageMetadata, int]  # its text, what it took, how many messages were cut


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
        adapter: the folder of a person's LoRA or soft prompt, or what finds it, asked for each answer; None: the model
            as it is.
        adapter_slots: at most so many people's LoRA are in memory, and
        adapter_mb: so many megabytes of adapters.
        processors: each changes the scores of the next token, given the tokens so far, as transformers' logits
            processors do.
        together: at most so many prompts of a batch share a forward pass.

    Each of these may be given to a single call, too (`invoke(…, adapter=…)`, or `bind`).

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
    adapter: Path | Callable[[], Path | None] | None = None
    adapter_slots: int = Field(default=8, ge=1)
    adapter_mb: float = Field(default=128.0, gt=0)
    processors: tuple[Processor, ...] = ()
    together: int = Field(default=8, ge=1)
    _ready: dict[_Key, _Answer] = PrivateAttr(default_factory=dict[_Key, _Answer])  # answered by a batch already

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
        told = {"adapter": str(self._folder()), "processors": [repr(each) for each in self.processors]}
        return {"model_name": self.model_name} | {name: getattr(self, name) for name in names} | told

    def loaded(self) -> Loaded:
        """The weights and the tokenizer, loaded on first use and shared by all that name the same. Raises
        `ModelUnavailable`."""
        return load_weights(self._place(), self.device)

    def get_num_tokens(self, text: str) -> int:
        """How many tokens the model reads `text` as."""
        return len(self.loaded().tokenizer(text)["input_ids"])

    def pool(self) -> AdapterPool:
        """The adapters in memory, shared by all that name the same base. Raises `ModelUnavailable`."""
        return shared_pool(self._place(), self.device, self.adapter_slots, self.adapter_mb)

    def answers(self, asked: Sequence[tuple[LanguageModelInput, Path | None]], **kwargs: Any) -> list[AIMessage]:
        """An answer to each prompt, with the adapter beside it (None: without), several by one forward pass.

        `kwargs`: `stop`, and what replaces the model's own settings. Raises `InvalidInput` for a prompt that is too
        long.
        """
        model, stop = self._asked(kwargs), kwargs.get("stop") or ()
        prompts = [(self._convert_input(prompt).to_messages(), adapter) for prompt, adapter in asked]
        return [model._message(*each) for each in model._answered(prompts, stop)]

    def batch(
        self,
        inputs: list[LanguageModelInput],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """An answer to each input, `together` by one forward pass. See LangChain's `Runnable.batch`."""
        prompts = [self._convert_input(each).to_messages() for each in inputs]
        try:
            model = self._prepared(prompts, kwargs)
        except MemoriaError:
            if not return_exceptions:
                raise
            model = self  # each fails by itself
        return super(LocalChat, model).batch(inputs, config, return_exceptions=return_exceptions, **kwargs)

    def generate(self, messages: list[list[BaseMessage]], *args: Any, **kwargs: Any) -> LLMResult:
        """Answers, `together` by one forward pass. See LangChain's `BaseChatModel.generate`."""
        stop = {"stop": args[0]} if args else {}
        model = self._prepared(messages, kwargs | stop) if len(messages) > 1 else self
        return super(LocalChat, model).generate(messages, *args, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        model = self._asked(kwargs)
        ready = self._ready.get(_key(messages))
        if ready is None:
            (ready,) = model._answered([(messages, model._folder())], stop or ())
        return ChatResult(generations=[ChatGeneration(message=model._message(*ready))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        model = self._asked(kwargs)
        request, cut = model._request(messages, stop or (), model._folder())
        made = 0
        runner = model.pool() if request.adapter else None
        for _, text, made in pieces(model.loaded(), [request], runner):  # noqa: B007  # the last count is told below
            if text:
                yield ChatGenerationChunk(message=AIMessageChunk(content=text))
        about, usage = model._about(cut), _usage(request, made)
        last = AIMessageChunk(content="", response_metadata=about, usage_metadata=usage, chunk_position="last")
        yield ChatGenerationChunk(message=last, generation_info=about)

    def _asked(self, kwargs: dict[str, Any]) -> LocalChat:
        """The model as this call wants it."""
        return self.model_copy(update={name: kwargs[name] for name in kwargs if name in type(self).model_fields})

    def _folder(self) -> Path | None:
        adapter = self.adapter() if callable(self.adapter) else self.adapter
        return None if adapter is None else Path(adapter)

    def _place(self) -> str:
        return self.path or str(converted(self.cache_dir))

    def _prepared(self, prompts: list[list[BaseMessage]], kwargs: dict[str, Any]) -> LocalChat:
        """This model, with the answers to `prompts` at hand; none to one that is too long, to be refused by itself."""
        model, fitting = self._asked(kwargs), dict[_Key, list[BaseMessage]]()
        for each in prompts:
            with suppress(InvalidInput):
                model._fitted(model.loaded(), each)
                fitting[_key(each)] = each
        adapter = model._folder()
        made = model._answered([(each, adapter) for each in fitting.values()], kwargs.get("stop") or ())
        prepared = self.model_copy()
        prepared._ready = dict(zip(fitting, made, strict=True))
        return prepared

    def _answered(self, prompts: Sequence[tuple[list[BaseMessage], Path | None]], stop: Sequence[str]) -> list[_Answer]:
        made: list[_Answer] = []
        for begin in range(0, len(prompts), self.together):
            asked = [self._request(said, stop, adapter) for said, adapter in prompts[begin : begin + self.together]]
            requests = [request for request, _ in asked]
            pooled = any(each.adapter for each in requests)
            texts = self.pool().answers(requests) if pooled else answers(self.loaded(), requests)
            made += [
                (text, _usage(request, count), cut) for (request, cut), (text, count) in zip(asked, texts, strict=True)
            ]
        return made

    def _request(
        self, messages: Sequence[BaseMessage], stop: Sequence[str], adapter: Path | None
    ) -> tuple[Request, int]:
        """What to generate, and how many of the oldest messages it had to lose."""
        ids, cut = self._fitted(self.loaded(), messages)
        sampling = Sampling(
            self.max_tokens, self.temperature, self.top_p, self.repetition_penalty, self.seed, self.threads
        )
        return Request(ids, sampling, stop, self.processors, adapter), cut

    def _about(self, cut: int) -> dict[str, Any]:
        return {"model_name": self.model_name, "messages_cut": cut}

    def _message(self, text: str, usage: UsageMetadata, cut: int) -> AIMessage:
        return AIMessage(text, response_metadata=self._about(cut), usage_metadata=usage)

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


def _usage(request: Request, made: int) -> UsageMetadata:
    read = len(request.ids)
    return UsageMetadata(input_tokens=read, output_tokens=made, total_tokens=read + made)


def _key(messages: Sequence[BaseMessage]) -> _Key:
    return tuple((each.type, each.text) for each in messages)


def _without_oldest(said: list[tuple[str, str]], cut: int) -> list[tuple[str, str]]:
    """`said` without the first `cut` messages that are neither the system's nor the last."""
    kept: list[tuple[str, str]] = []
    for number, (role, text) in enumerate(said):
        if cut and role != "system" and number < len(said) - 1:
            cut -= 1
            continue
        kept.append((role, text))
    return kept
