"""The local chat model with people's adapters: alone, streamed, in batches; what is said to one call alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from random_adapters import make_lora, make_prompt
from tiny import make_tiny

from memoria.errors import InvalidInput, ModelUnavailable
from memoria.models.generation import load_weights
from memoria.models.local import LocalChat

ASKED = ["Hi", "What shall I cook tonight, and for whom?", "A book?", "And now?", "Why not tea"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def lora(base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_lora(load_weights(base, "cpu"), tmp_path_factory.mktemp("lora"), 1)


@pytest.fixture(scope="module")
def soft(base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_prompt(load_weights(base, "cpu"), tmp_path_factory.mktemp("soft"), 2)


@pytest.fixture
def model(base: str) -> LocalChat:
    return LocalChat(path=base, max_tokens=16)


@pytest.fixture
def sizes(base: str) -> Iterator[list[int]]:
    """The sizes of the batches that the base reads, kept up to date."""
    read = list[int]()

    def count(_: Any, given: Any, named: dict[str, Any]) -> None:
        read.append(len(named["attention_mask"]))

    hook = load_weights(base, "cpu").model.register_forward_pre_hook(count, with_kwargs=True)
    yield read
    hook.remove()


def test_an_adapter_answers_whole_and_streamed(model: LocalChat, base: str, lora: Path, soft: Path) -> None:
    for adapter in (lora, soft):
        mine = LocalChat(path=base, max_tokens=16, adapter=adapter)
        answer = mine.invoke("Hi")
        assert answer.text != model.invoke("Hi").text
        assert "".join(chunk.text for chunk in mine.stream("Hi")) == answer.text
        assert model.invoke("Hi", adapter=adapter).text == model.bind(adapter=adapter).invoke("Hi").text == answer.text
        assert mine.invoke("Hi", adapter=None).text == model.invoke("Hi").text
        assert answer.usage_metadata is not None
        assert 0 < answer.usage_metadata["output_tokens"] <= 16


def test_a_batch_is_one_forward_pass_and_says_the_same(model: LocalChat, lora: Path, sizes: list[int]) -> None:
    wanted = [model.invoke(each).text for each in ASKED]
    sizes.clear()
    assert [each.text for each in model.batch(ASKED)] == wanted
    assert len(sizes) <= 16
    assert sizes[0] == len(ASKED)
    made = model.generate([[HumanMessage(each)] for each in ASKED])
    assert [each[0].text for each in made.generations] == wanted
    assert len(sizes) <= 32
    small = model.model_copy(update={"together": 2})
    assert [each.text for each in small.batch(ASKED)] == wanted
    assert sizes[-1] <= 2
    mine = model.bind(adapter=lora)
    assert [each.text for each in mine.batch(ASKED)] == [mine.invoke(each).text for each in ASKED] != wanted


def test_people_share_a_batch(model: LocalChat, lora: Path, soft: Path) -> None:
    people = [lora, None, soft, lora, None]
    asked = list(zip(ASKED, people, strict=True))
    made = model.answers(asked, temperature=1.0, seed=3)
    alone = [model.invoke(said, adapter=adapter, temperature=1.0, seed=3) for said, adapter in asked]
    assert [(each.text, each.usage_metadata) for each in made] == [(each.text, each.usage_metadata) for each in alone]


def test_a_prompt_that_is_too_long_fails_by_itself(base: str) -> None:
    model = LocalChat(path=base, max_tokens=16, context=100)
    made = model.batch(["Hi", "x" * 300, "A book?"], return_exceptions=True)
    assert isinstance(made[1], InvalidInput)
    assert [each.text for each in (made[0], made[2])] == [model.invoke(said).text for said in ("Hi", "A book?")]
    with pytest.raises(InvalidInput, match="max_tokens"):
        model.batch(["Hi", "x" * 300])


def test_a_processor_has_a_say_in_every_token(model: LocalChat, base: str) -> None:
    read: list[int] = []

    def only_a(ids: Any, scores: Any) -> Any:
        read.append(ids.shape[1])
        token = load_weights(base, "cpu").tokenizer("a")["input_ids"][0]
        only = scores.new_full(scores.shape, float("-inf"))
        only[:, token] = 0.0
        return only

    assert model.invoke("Hi", processors=(only_a,)).text == "a" * 16
    assert [each - read[0] for each in read] == list(range(16))
    mine = LocalChat(path=base, max_tokens=4, temperature=1.0, top_p=0.5, processors=[only_a])  # type: ignore[arg-type]
    assert [each.text for each in mine.batch(["Hi", "A book?"])] == ["aaaa", "aaaa"]
    assert model.invoke("Hi").text != "a" * 16


def test_who_finds_the_adapter_is_asked_for_each_answer(model: LocalChat, base: str, lora: Path) -> None:
    serving: list[Path | None] = [None]
    mine = LocalChat(path=base, max_tokens=16, adapter=lambda: serving[0])
    assert mine.invoke("Hi").text == model.invoke("Hi").text
    serving[0] = lora
    assert mine.invoke("Hi").text == model.invoke("Hi", adapter=lora).text
    assert str(lora) in str(mine._identifying_params)


def test_one_call_by_another_model_streams_what_that_model_says(model: LocalChat, tmp_path: Path, lora: Path) -> None:
    other = str(make_tiny(tmp_path / "other", seed=5))
    for given in ({"path": other}, {"path": other, "adapter": lora}):
        streamed = "".join(chunk.text for chunk in model.stream("Hi", **given))
        assert streamed == model.invoke("Hi", **given).text != model.invoke("Hi").text


def test_a_batch_returns_its_errors_where_it_is_asked_to(model: LocalChat, tmp_path: Path) -> None:
    made = model.batch(["Hi", "A book?"], adapter=tmp_path / "gone", return_exceptions=True)
    assert [type(each) for each in made] == [ModelUnavailable, ModelUnavailable]
    with pytest.raises(ModelUnavailable, match="gone"):
        model.batch(["Hi", "A book?"], adapter=tmp_path / "gone")
