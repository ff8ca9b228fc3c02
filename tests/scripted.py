"""Chat models that a test scripts, and the extractor that asks one.

What enters: a function from what the model sees to what it answers. What leaves: what was asked of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field

from memoria.extract.model import ModelExtractor
from memoria.extract.ontology import load_ontology

Answer = Callable[[list[dict[str, Any]]], Any]  # from the lines that it sees to what it answers


class Scripted(BaseChatModel):
    """Calls the tool it was given with the answer as arguments; an answer that is a string it says in words."""

    answer: Any
    usage: tuple[int, int] | None = None
    asked: list[list[BaseMessage]]
    model_name: str = "scripted"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Runnable[Any, Any]:
        return self.bind(tool=tools[0].__name__)

    def _generate(self, messages: list[BaseMessage], *_: Any, tool: str = "", **__: Any) -> ChatResult:
        self.asked.append(messages)
        given = self.answer(lines_of(str(messages[-1].content)))
        said = isinstance(given, str)
        message = AIMessage(
            given if said else "", tool_calls=[] if said else [{"name": tool, "args": given, "id": "1"}]
        )
        if self.usage is not None:
            taken, made = self.usage
            message.usage_metadata = {"input_tokens": taken, "output_tokens": made, "total_tokens": taken + made}
        return ChatResult(generations=[ChatGeneration(message=message)])


class Speaking(BaseChatModel):
    """Says what `say` makes of the messages that it hears, and keeps them. Takes any tools; `say` may call them."""

    say: Callable[[list[BaseMessage]], AIMessage | str]
    heard: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "speaking"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Runnable[Any, Any]:
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.heard.append(list(messages))
        said = self.say(messages)
        message = AIMessage(said) if isinstance(said, str) else said.model_copy(deep=True)
        return ChatResult(generations=[ChatGeneration(message=message)])

    @property
    def prompts(self) -> list[str]:
        """What the system messages said that it heard; "" where there was none."""
        return [each[0].text if each[0].type == "system" else "" for each in self.heard]


def lines_of(text: str) -> list[dict[str, Any]]:
    """The turns as the model sees them: one line of JSON each, between the marks."""
    return [json.loads(line) for line in text.split("<turns>\n")[1].split("\n</turns>")[0].splitlines()]


def fact(turn: int, quote: str, predicate: str, value: str, **more: Any) -> dict[str, Any]:
    return {"subject": "user", "turn": turn, "quote": quote, "predicate": predicate, "object": value, **more}


def homes(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Where the person says to live: "I live in Lisbon"."""
    own = [line for line in lines if "turn" in line and "I live in " in line["text"]]
    return {"facts": [fact(line["turn"], line["text"], "home", line["text"].split()[-1]) for line in own]}


def fixed(**findings: Any) -> Answer:
    return lambda _: findings


def reader(answer: Answer, *, usage: tuple[int, int] | None = None, **more: Any) -> tuple[ModelExtractor, Scripted]:
    model = Scripted(answer=answer, usage=usage, asked=[])
    return ModelExtractor(model, load_ontology(), **more), model
