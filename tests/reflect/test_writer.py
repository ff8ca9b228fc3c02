"""A model that writes lines of a profile: what its evidence does not cover is not kept, and nothing is lost by it."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import OpenMemory
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from profiles import live, texts

from memoria import Memory, Settings
from memoria.errors import BudgetSpent, ExtractionFailed
from memoria.reflect.verify import uncovered
from memoria.settings import ReflectSettings


class Writing(BaseChatModel):
    """Writes the lines it is given; `{name}` in a citation is the number of the evidence that says `name`."""

    lines: list[dict[str, Any]]
    calls: list[int] = []  # noqa: RUF012  # pydantic copies it
    broken: int = 0

    @property
    def _llm_type(self) -> str:
        return "writing"

    def bind_tools(self, tools: Any, **_: Any) -> Runnable[Any, Any]:
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.calls.append(1)
        asked = str(messages[-1].content).splitlines()
        lines = [each | {"cites": [_number(asked, said) for said in each["cites"]]} for each in self.lines]
        args = {"nothing": 1} if len(self.calls) <= self.broken else {"lines": lines}
        call = {"name": "WrittenLines", "args": args, "id": "1"}
        return ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=[call]))])


def _number(asked: list[str], said: str) -> str:
    return next((line.split('"')[3] for line in asked if said in line), "L99")


def test_what_a_model_writes_is_kept_only_where_its_evidence_covers_it(memory: Memory) -> None:
    live(memory, "I live in Porto.", "My sister is Leonor.", "I love fado.", "I don't drink wine.")
    good = {
        "section": "people",
        "text": "user's sister is Leonor, and user lives in Porto",
        "cites": ["Leonor", "Porto"],
    }
    invented = {"section": "people", "text": "user's sister Marta lives in Porto", "cites": ["Leonor", "Porto"]}
    stretched = {"section": "identity", "text": "user is a passionate and gifted musician", "cites": ["fado"]}
    denied = {"section": "preferences", "text": "user does not love fado", "cites": ["fado"]}
    uncited = {"section": "identity", "text": "user lives in Porto", "cites": ["nothing of the kind"]}
    model = Writing(lines=[good, invented, stretched, denied, uncited])
    reflection = memory.reflect(user="ana", model=model)
    assert {each.line.text for each in reflection.rejected} == {
        each["text"] for each in (invented, stretched, denied, uncited)
    }
    whys = {each.line.text: each.why for each in reflection.rejected}
    assert "'Marta'" in whys[invented["text"]]
    assert "denies" in whys[denied["text"]]
    assert whys[uncited["text"]] == "it cites nothing"
    profile = memory.profile(user="ana")
    assert profile.model == "Writing"
    (kept,) = [line for line in profile.lines if line.kind == "written"]
    assert kept.text == good["text"]
    assert len(kept.belief_ids) == 2
    assert "user likes fado" in texts(memory), "what no written line holds is not lost"
    assert memory.reflect(user="ana", model=model).changed is False
    assert len(model.calls) == 1, "an unchanged history makes no call"


def test_a_written_line_takes_the_place_of_what_it_holds_whole(memory: Memory) -> None:
    live(memory, "My sister is Leonor.", "Leonor lives in Rome.")
    line = {
        "section": "people",
        "text": "user's sister is Leonor and Leonor lives in Rome",
        "cites": ["sister", "Rome"],
    }
    memory.reflect(user="ana", model=Writing(lines=[line]))
    assert line["text"] in texts(memory)
    assert "user's sister is Leonor" not in texts(memory)


def test_a_model_that_writes_by_no_schema_leaves_the_profile_as_it_was(open_memory: OpenMemory) -> None:
    memory = open_memory()
    live(memory, "I live in Porto.")
    memory.reflect(user="ana")
    live(memory, "I live in Porto.", "I love fado.")
    with pytest.raises(ExtractionFailed, match="3 tries"):
        memory.reflect(user="ana", model=Writing(lines=[], broken=9))
    assert [each.version for each in memory.profiles(user="ana")] == [1]
    assert memory.reflect(user="ana", model=Writing(lines=[], broken=1)).version == 2


def test_a_budget_stops_before_the_call(open_memory: OpenMemory, settings: Settings) -> None:
    bounded = settings.model_copy(update={"reflect": ReflectSettings(budget_tokens=10)})
    memory = open_memory(settings=bounded)
    live(memory, "I live in Porto.")
    model = Writing(lines=[])
    with pytest.raises(BudgetSpent):
        memory.reflect(user="ana", model=model)
    assert not model.calls


@pytest.mark.parametrize(
    ("text", "evidence", "fits"),
    [
        ("user lives in Porto", "I live in Porto.", True),
        ("user lives in Porto", "I live in Braga.", False),
        ("user has 3 dogs", "I have dogs", False),
        ("user does not eat fish", "I never eat fish", True),
        ("user eats fish", "I never eat fish", False),
        ("user swims every Tuesday with Rui", "I swim every Tuesday", False),
    ],
)
def test_words_cover_or_do_not(text: str, evidence: str, fits: bool) -> None:
    assert (uncovered(text, evidence) is None) == fits
