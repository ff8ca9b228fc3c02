"""The assistant: what it says with no model, with a small one that makes things up, and with one that is trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import OpenMemory
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from memoria_agents import Assistant
from pydantic import Field

from memoria import Memory

TOLD = ["I live in Porto.", "My sister is Leonor.", "I adopted a dog from the shelter. She's called Bolota."]


class Streaming(BaseChatModel):
    """Says `say` of the last message word by word; counts the words it made."""

    say: Callable[[str], str]
    heard: list[list[BaseMessage]] = Field(default_factory=list)
    made: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "streaming"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        raise AssertionError("it is only ever streamed")

    def _stream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        self.heard.append(messages)
        for word in self.say(messages[-1].text).split(" "):
            self.made.append(word)
            yield ChatGenerationChunk(message=AIMessageChunk(content=f"{word} "))


def fixed(text: str) -> Streaming:
    return Streaming(say=lambda _: text)


def never(_: str) -> str:
    raise AssertionError("the model was asked")


@pytest.fixture
def told(memory: Memory) -> Memory:
    assistant = Assistant(memory, user="ana", thread="before")
    for text in TOLD:
        assistant.ask(text)
    return memory


def texts(memory: Memory) -> list[str]:
    return [each.text for each in memory.episodes(user="ana")]


def test_a_belief_is_stated_with_its_citation_and_the_words_it_rests_on(told: Memory) -> None:
    answer = Assistant(told, user="ana", model=Streaming(say=never)).ask("Who is my sister?")
    assert answer.text == "Your sister is Leonor [b1]."
    assert answer.known
    assert "[b1] user's sister is Leonor" in answer.render()
    assert "“My sister is Leonor.” (ana, 01 Jan 2026)" in answer.render()
    assert len(answer.basis.quotes) == 1


def test_what_is_not_known_is_said_and_no_small_model_asked(told: Memory) -> None:
    assistant = Assistant(told, user="ana", model=Streaming(say=never))
    for question in ("What is the name of my dentist?", "What is the name of my dentist's wife?"):
        answer = assistant.ask(question)  # the second one has the first among its turns: it is no evidence
        assert answer.text == "I do not know: you never told me."
        assert (answer.known, answer.sources()) == (False, [])


def test_news_are_remembered_and_what_was_learnt_is_told(told: Memory) -> None:
    answer = Assistant(told, user="ana").ask("I moved to Lisbon!")
    assert answer.notes() == ["learnt: you live in Lisbon (no longer: you live in Porto)"]
    assert "You live in Lisbon" in Assistant(told, user="ana").ask("Where do I live?").text
    assert "ana" not in Assistant(told, user="ben").ask("Where do I live?").render().casefold()


@pytest.mark.parametrize(
    ("says", "shown"),
    [
        ("The dog is called Bolota. She is nine years old.", True),
        ("The dog is called Rex, a poodle.", False),
        ("Of course! She's a", False),
    ],
)
def test_a_small_models_inventions_are_withheld(told: Memory, says: str, shown: bool) -> None:
    before = texts(told)
    answer = Assistant(told, user="ana", model=fixed(says)).ask("What do they call the dog from the shelter?")
    first = says.split(".")[0]
    assert (first in answer.text) is shown
    assert "nine" not in answer.text
    assert ("in a small model's words" in answer.text) is shown
    assert any("She's called Bolota" in each for each in answer.sources())
    assert texts(told) == [*before, answer.asked]


def test_a_trusted_model_speaks_from_the_context_and_is_remembered(told: Memory) -> None:
    model = fixed("She is your sister [b1].")
    assistant = Assistant(told, user="ana", model=model, strict=False, thread="now")
    pieces = list(assistant.stream("Who is Leonor?"))
    assert pieces == ["She ", "is ", "your ", "sister ", "[b1]. "]
    assert assistant.last is not None
    assert [number for number, _ in assistant.last.basis.beliefs] == [1]
    assert assistant.last.sources()[0].startswith("[b1] user's sister is Leonor")
    assert "My sister is Leonor" in model.heard[0][0].text
    assert texts(told)[-2:] == ["Who is Leonor?", "She is your sister [b1]."]
    again = Assistant(told, user="ana", model=model, strict=False, thread="now")
    again.ask("Thanks.")
    assert [each.text for each in model.heard[-1][1:]] == ["Who is Leonor?", "She is your sister [b1].", "Thanks."]


def test_an_answer_can_be_stopped(told: Memory) -> None:
    model = fixed("one two three four five")
    assistant = Assistant(told, user="ana", model=model, strict=False)
    stream = assistant.stream("My car is red.")
    assert next(stream) == "one "
    stream.close()
    assert model.made == ["one"]
    assert assistant.last is not None
    assert (assistant.last.text, assistant.last.stopped) == ("one", True)
    assert texts(told)[-1] == "My car is red."


def test_a_failing_model_leaves_the_memorys_answer(told: Memory) -> None:
    def fail(_: str) -> str:
        raise ConnectionError("no route to host")

    answer = Assistant(told, user="ana", model=Streaming(say=fail), strict=False).ask("Who is my sister?")
    assert "no route to host" in answer.text
    assert "Your sister is Leonor [b1]." in answer.text
    assert not answer.stopped


def test_what_is_forgotten_leaves_the_talk_too(open_memory: OpenMemory) -> None:
    memory, model = open_memory(), fixed("Noted.")
    assistant = Assistant(memory, user="ana", model=model, strict=False)
    assistant.ask("My safe opens with 4711.")
    assistant.ask("I like tea.")
    memory.forget(user="ana", query="safe")
    assistant.reload()
    assistant.ask("Hello!")
    assert "4711" not in " ".join(each.text for each in model.heard[-1])
    assert "I like tea." in [each.text for each in model.heard[-1]]


def test_questions_about_the_memory_go_to_the_inspector(told: Memory) -> None:
    answer = Assistant(told, user="ana", model=Streaming(say=never)).ask("What do you know about Leonor?")
    assert answer.inspected is not None
    assert "Your sister is Leonor" in answer.text
