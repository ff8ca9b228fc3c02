"""A language model that writes lines of a profile; what it writes is proposed, and `verify` disposes.

What enters: the lines that were found without it, and the turns they cite. What leaves: lines of kind "written", each
citing what the model named. The model answers by a schema or an error is raised; nothing of the profile is lost by it,
as a written line takes the place of others only where it holds all of their words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel, Field

from memoria.errors import ExtractionFailed, ModelUnavailable
from memoria.extract.spending import Budget
from memoria.models.chat import identity_of
from memoria.reflect.material import Material
from memoria.reflect.records import ProfileLine, SectionName
from memoria.reflect.verify import uncovered
from memoria.store.text import count_tokens

_PROMPT = Path(__file__).parent / "prompts" / "profile-v1.md"
_MOST_LINES, _MOST_QUOTES = 20, 60
_LONGEST_QUOTE = 300  # characters of a turn that the model sees
_ANSWER = 60  # tokens that a line of the answer is reckoned to take
_RETRIES = 2
_AGAIN = "\n\nYour last answer did not fit the schema ({fault}); answer again, by the schema alone."


class WrittenLine(BaseModel):
    """A line of the profile."""

    section: SectionName
    text: str
    cites: list[str] = Field(description="The numbers of the evidence: L3, Q12.")


class WrittenLines(BaseModel):
    """Lines of a profile; none where there is nothing to bring together."""

    lines: list[WrittenLine]


class ProfileWriter:
    """Asks one chat model. Raises `ModelUnavailable` for one without structured output."""

    def __init__(self, model: BaseChatModel, budget: Budget | None = None, identity: str | None = None) -> None:
        self.name = identity or identity_of(model)
        self.budget = budget if budget is not None else Budget()
        self._system = _PROMPT.read_text(encoding="utf-8").replace("{most}", str(_MOST_LINES))
        try:
            self._model: Any = model.with_structured_output(WrittenLines, include_raw=True)
        except NotImplementedError as error:
            raise ModelUnavailable(f"{self.name} gives no structured output; take a model that calls tools.") from error

    def write(self, lines: Sequence[ProfileLine], material: Material) -> list[ProfileLine]:
        """The lines that the model proposes, not verified. Raises `BudgetSpent`, `ExtractionFailed`."""
        quotes = _quotes(lines, material)
        numbered = {f"L{i}": line for i, line in enumerate(lines, 1)}
        turns = {f"Q{i}": each for i, each in enumerate(quotes, 1)}
        asked = "\n".join(
            [json.dumps({"number": key, "section": line.section, "held": line.text}, ensure_ascii=False)
             for key, line in numbered.items()]
            + [json.dumps({"number": key, "day": day, "said": text}, ensure_ascii=False)
               for key, (_, day, text) in turns.items()]
        )  # fmt: skip
        return [
            _proposed(each, numbered, {key: episode for key, (episode, _, _) in turns.items()})
            for each in self._ask(asked).lines[:_MOST_LINES]
        ]

    def _ask(self, asked: str) -> WrittenLines:
        estimate = (count_tokens(self._system) + count_tokens(asked), _MOST_LINES * _ANSWER)
        fault = ""
        for _ in range(_RETRIES + 1):
            self.budget.reserve(*estimate)
            again = (
                f"\n\nYour last answer did not fit the schema ({fault}); answer again, by the schema." if fault else ""
            )
            try:
                given: dict[str, Any] = self._model.invoke([("system", self._system), ("human", asked + again)])
            except ValueError as error:  # some providers' parsers raise what others hand back
                fault = type(error).__name__
                continue
            usage: Any = getattr(given.get("raw"), "usage_metadata", None)
            if usage:
                self.budget.settle(estimate, (usage["input_tokens"], usage["output_tokens"]))
            if isinstance(given.get("parsed"), WrittenLines):
                return given["parsed"]
            fault = type(given.get("parsing_error")).__name__
        raise ExtractionFailed(
            f"{self.name} wrote no profile by the schema in {_RETRIES + 1} tries ({fault}); the profile stays as it "
            "was. Reflect again with another model, or without one."
        )


def absorbed(found: Sequence[ProfileLine], written: Sequence[ProfileLine]) -> list[ProfileLine]:
    """`found` without the lines of whose words a written line that cites the same misses none."""
    return [
        line
        for line in found
        if line.kind != "belief"
        or not any(
            set(line.belief_ids) <= set(each.belief_ids) and uncovered(line.text, each.text) is None
            and set(line.text.casefold().split()) - set(each.text.casefold().split()) <= {"user", "the", "a"}
            for each in written
        )
    ]  # fmt: skip


def _quotes(lines: Sequence[ProfileLine], material: Material) -> list[tuple[str, str, str]]:
    """The turns that lines cite, the latest of each first chosen: (id, day, text)."""
    wanted = dict.fromkeys(each for line in lines for each in line.episode_ids[-2:])
    found = [said.episode for said in material.turns if said.episode.id in wanted][-_MOST_QUOTES:]
    return [(each.id, f"{each.occurred_at:%Y-%m-%d}", each.text[:_LONGEST_QUOTE]) for each in found]


def _proposed(each: WrittenLine, lines: dict[str, ProfileLine], turns: dict[str, str]) -> ProfileLine:
    cited = [lines[key] for key in each.cites if key in lines]
    beliefs = dict.fromkeys(id_ for line in cited for id_ in line.belief_ids)
    episodes = dict.fromkeys(
        [turns[key] for key in each.cites if key in turns]
        # What a line rests on, its last turns where a belief stands behind it: their words may be used too.
        + [id_ for line in cited for id_ in (line.episode_ids[-2:] if line.belief_ids else line.episode_ids)]
    )
    return ProfileLine(
        section=each.section,
        kind="written",
        text=" ".join(each.text.split()),
        belief_ids=tuple(beliefs),
        episode_ids=tuple(episodes),
        support=len(cited) + len(episodes),
        strength=max((line.strength for line in cited), default=0.5),
    )
