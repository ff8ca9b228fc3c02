"""The extractor that asks a language model.

What enters: episodes, and names of entities met before. What leaves: proposals, each with its quote found in its turn.
The model answers by a schema (`findings`) or an error is raised; what it answers is checked against the turns
(`grounding`). Only the person's own turns are numbered and can be quoted. The assistant's go along, cut short, as
context; tool, web and system text is never sent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import ValidationError

from memoria.errors import ExtractionFailed, InvalidInput, ModelUnavailable
from memoria.extract.findings import Findings
from memoria.extract.grounding import Grounding
from memoria.extract.ontology import Ontology
from memoria.extract.proposals import Proposal, own_words
from memoria.extract.spending import Budget
from memoria.models.chat import identity_of, load_chat_model
from memoria.records import Episode
from memoria.remember.trust import gives_orders
from memoria.settings import ExtractSettings
from memoria.store.text import count_tokens

_PROMPTS = Path(__file__).parent / "prompts"
_SCHEMA = json.dumps(Findings.model_json_schema())
_CONTEXT_CHARS = 300  # of an assistant's turn
_ANSWER_PER_TURN, _ANSWER_PER_TOKEN = 120, 0.5  # tokens that an answer is reckoned to take
_LONGEST_FAULT = 500
_AGAIN = "\n\nYour last answer did not fit the schema: {fault}\nAnswer again, by the schema alone."


class ModelExtractor:
    """Reads turns with a chat model that can give structured output.

    Args:
        prompt: a packaged prompt's name, or the path of a file of your own. The file's name is the version: under
            another name everything is read again.
        budget: what the calls may take, all together (None: no limit).
        batch_turns, batch_tokens: at most so many turns, and about so many tokens of them, in one call; a longer turn
            goes alone.
        retries: how often an answer that does not fit the schema is asked for again, with what was wrong with it.
        identity: the model's name in `name`; None is what it calls itself.

    A provider's own errors (no network, a refused key) pass through: retries for these are the chat model's to make.
    Raises `InvalidInput`, or `ModelUnavailable` for a model without structured output.
    """

    def __init__(
        self,
        model: BaseChatModel,
        ontology: Ontology,
        *,
        prompt: str | Path = "extract-v1",
        budget: Budget | None = None,
        batch_turns: int = 20,
        batch_tokens: int = 3000,
        retries: int = 2,
        identity: str | None = None,
    ) -> None:
        if min(batch_turns, batch_tokens) < 1 or retries < 0:
            raise InvalidInput("batch_turns and batch_tokens must be at least 1, retries at least 0.")
        version, text = _read_prompt(prompt)
        self.name = f"model/{version}/{identity or identity_of(model)}"
        self.budget = budget if budget is not None else Budget()
        self.rejected = 0
        self._system = text.replace("{predicates}", ", ".join(ontology.predicates))
        self._fixed = count_tokens(self._system) + count_tokens(_SCHEMA)
        self._ontology, self._retries = ontology, retries
        self._batch_turns, self._batch_tokens = batch_turns, batch_tokens
        try:
            self._model: Any = model.with_structured_output(Findings, include_raw=True)
        except NotImplementedError as error:
            raise ModelUnavailable(f"{self.name} gives no structured output; take a model that calls tools.") from error

    @classmethod
    def of(cls, settings: ExtractSettings, ontology: Ontology) -> ModelExtractor:
        """The extractor that the settings name, with a budget of its own. Raises `ModelUnavailable`."""
        assert settings.model is not None
        return cls(
            load_chat_model(settings.model),
            ontology,
            prompt=settings.prompt,
            budget=Budget(
                tokens=settings.budget_tokens,
                money=settings.budget_money,
                price_in=settings.price_in,
                price_out=settings.price_out,
            ),
            batch_turns=settings.batch_turns,
            batch_tokens=settings.batch_tokens,
            retries=settings.retries,
            identity=settings.model,
        )

    def batches(self, episodes: Sequence[Episode]) -> list[Sequence[Episode]]:
        """`episodes`, in order, cut into what one call reads."""
        found: list[Sequence[Episode]] = []
        begin = turns = tokens = 0
        for place, episode in enumerate(episodes):
            line = _line(episode, 0, 0)
            cost = count_tokens(line) if line else 0
            if turns and line and (turns == self._batch_turns or tokens + cost > self._batch_tokens):
                found.append(episodes[begin:place])
                begin, turns, tokens = place, 0, 0
            turns += bool(line)
            tokens += cost
        return [*found, episodes[begin:]] if episodes else []

    def extract(self, episodes: Sequence[Episode], known: Sequence[str]) -> list[list[Proposal]]:
        """The proposals of each episode; a call for each of `batches` in which the person says something.

        Raises `BudgetSpent` before a call that would go beyond the budget, `ExtractionFailed` for one whose answer
        cannot be read.
        """
        return [found for batch in self.batches(episodes) for found in self._read(batch, known)]

    def _read(self, batch: Sequence[Episode], known: Sequence[str]) -> list[list[Proposal]]:
        numbers = {place: number for number, place in enumerate((i for i, e in enumerate(batch) if own_words(e)), 1)}
        if not numbers:
            return [[] for _ in batch]
        turns = {number: batch[place] for place, number in numbers.items()}
        talks = {session: count for count, session in enumerate(dict.fromkeys(e.session for e in batch), 1)}
        lines = [_line(episode, numbers.get(i, 0), talks[episode.session]) for i, episode in enumerate(batch)]
        names = f"Names met before: {_json(list(known))}\n" if known else ""
        text = "\n".join([f"{names}<turns>", *(line for line in lines if line), "</turns>"])
        grounding = Grounding(turns, self._ontology, known)
        made = grounding.proposals(self._ask(text, list(turns.values())))
        self.rejected += grounding.rejected
        return [made[numbers[i]] if i in numbers else [] for i in range(len(batch))]

    def _ask(self, text: str, turns: Sequence[Episode]) -> Findings:
        answer = int(_ANSWER_PER_TURN * len(turns) + _ANSWER_PER_TOKEN * sum(count_tokens(e.text) for e in turns))
        fault = ""
        for _ in range(self._retries + 1):
            asked = text + (_AGAIN.format(fault=fault) if fault else "")
            estimate = (self._fixed + count_tokens(asked), answer)
            self.budget.reserve(*estimate)
            try:
                given: dict[str, Any] = self._model.invoke([("system", self._system), ("human", asked)])
            except ValueError as error:  # some providers' parsers raise what others hand back
                fault = _told(error)
                continue
            self.budget.settle(estimate, _usage(given.get("raw"), estimate[0]))
            if isinstance(given.get("parsed"), Findings):
                return given["parsed"]
            fault = _told(given.get("parsing_error"))
        ids = ", ".join(episode.id for episode in turns)
        raise ExtractionFailed(
            f"{self.name} gave no answer by the schema in {self._retries + 1} tries ({fault}); not read: episodes "
            f"{ids}. What was read before is kept. Learn again, in smaller batches or with another model."
        )


def _line(episode: Episode, number: int, talk: int) -> str:
    """A turn as a line of JSON, which no text in it can break out of; "" for what the model does not see."""
    said: dict[str, Any] = {"talk": talk, "date": f"{episode.occurred_at:%Y-%m-%d}", "speaker": episode.speaker}
    if own_words(episode):
        return _json({"turn": number, "role": "user", **said, "text": episode.text})
    if episode.role != "assistant" or episode.trust != "assistant" or gives_orders(episode.text, "assistant"):
        return ""
    return _json({"context": True, "role": "assistant", **said, "text": episode.text[:_CONTEXT_CHARS]})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")


def _usage(raw: Any, estimated: int) -> tuple[int, int]:
    """Tokens in and out as the provider counted them, else as estimated."""
    usage = getattr(raw, "usage_metadata", None)
    if usage:
        return usage["input_tokens"], usage["output_tokens"]
    written = [getattr(raw, "content", None) or "", getattr(raw, "tool_calls", None) or ""]
    return estimated, sum(count_tokens(str(part)) for part in written)


def _told(error: BaseException | None) -> str:
    """What was wrong with an answer, without repeating it: it may repeat what a turn said."""
    if error is None:
        return "it called no tool"
    if not isinstance(error, ValidationError):
        return type(error).__name__
    faults = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False)]
    return "; ".join(faults)[:_LONGEST_FAULT]


def _read_prompt(prompt: str | Path) -> tuple[str, str]:
    """A prompt's version and its text."""
    packaged = _PROMPTS / f"{prompt}.md"
    path = packaged if isinstance(prompt, str) and packaged.parent == _PROMPTS and packaged.is_file() else Path(prompt)
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in _PROMPTS.glob("*.md")))
        raise InvalidInput(f"There is no prompt {str(prompt)!r}; name one of {known}, or a file of your own.")
    return path.stem, path.read_text(encoding="utf-8")
