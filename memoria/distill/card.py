"""The preference card: a person's rules, worded for the prompt of any model, the ones whose weights are not ours too.

What enters: preference beliefs that hold, pairs, and a bound of tokens. What leaves: candidates (other orders,
wordings, sizes), of which `choosing` takes one: `card.json`, which keeps every rule with its evidence, and `card.txt`,
the text. The same beliefs make the same card, byte by byte; without one of them, the same but for its rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from memoria.distill.records import Manifest, Pair
from memoria.distill.rules import Rule, rules_of
from memoria.distill.votes import rules_of_pairs
from memoria.distill.wording import LEADS, Wording, worded
from memoria.errors import InvalidInput
from memoria.models.embeddings import Embedder
from memoria.records import Preference, Record
from memoria.store.text import count_tokens

Order = Literal["strength", "recency", "evidence"]

_ORDERS: tuple[Order, ...] = ("strength", "recency", "evidence")
ABOUT, TEXT = "card.json", "card.txt"
_EVER = float("-inf")


class Card(Record):
    """All `rules`, the first first, and how they are told within `budget` tokens."""

    rules: tuple[Rule, ...]
    order: Order
    wording: Wording
    budget: int

    @property
    def shown(self) -> tuple[Rule, ...]:
        """The rules that the bound has room for: each with all its exceptions, or not at all."""
        return _fitting(self.rules, self.wording, self.budget)

    @property
    def text(self) -> str:
        """What a model is told; empty where there are no rules."""
        return _rendered(self.shown, self.wording)

    @property
    def tokens(self) -> int:
        """How many tokens the text has."""
        return count_tokens(self.text)

    @property
    def name(self) -> str:
        """What tells it from the other candidates."""
        return f"{self.wording}/{self.order}/{self.budget}"

    @property
    def belief_ids(self) -> tuple[str, ...]:
        """The beliefs that its rules rest on."""
        return tuple(dict.fromkeys(each for rule in self.rules for each in rule.all_belief_ids))

    @property
    def episode_ids(self) -> tuple[str, ...]:
        """The turns that its rules rest on."""
        return tuple(dict.fromkeys(each for rule in self.rules for each in rule.all_episode_ids))

    def manifest(self, of: Manifest) -> Manifest:
        """Of what a data set was made of, what the card rests on."""
        ids = {("belief", each) for each in self.belief_ids} | {("episode", each) for each in self.episode_ids}
        sources = tuple(each for each in of.sources if (each.kind, each.id) in ids)
        taught = {id: number for id, number in of.taught.items() if ("episode", id) in ids}
        return Manifest(sources=sources, counts={"rules": len(self.rules)}, taught=taught)

    def within(self, budget: int) -> Card:
        """The same card, with no more than `budget` tokens."""
        return self.model_copy(update={"budget": min(budget, self.budget)})

    def without(self, beliefs: Collection[str]) -> Card:
        """The card without the rules that rest on nothing but these `beliefs`: they hold no more. What was an exception
        from one of them stands by itself."""

        def holds(rule: Rule) -> bool:
            return not rule.belief_ids or not set(rule.belief_ids) <= set(beliefs)

        rules: list[Rule] = []
        for rule in self.rules:
            exceptions = tuple(filter(holds, rule.exceptions))
            rules += [rule.model_copy(update={"exceptions": exceptions})] if holds(rule) else exceptions
        return self.model_copy(update={"rules": tuple(rules)})

    def for_question(self, question: str, embedder: Embedder) -> Card:
        """The card with the rules that are nearest to a question first: they get the room."""
        if not self.rules:
            return self
        asked = embedder.embed_query(question)
        near = [float(embedder.embed_query(_about(rule)) @ asked) for rule in self.rules]  # which remembers them
        rules = tuple(self.rules[place] for place in sorted(range(len(near)), key=lambda each: -near[each]))
        return self.model_copy(update={"rules": rules})

    def save(self, folder: Path) -> None:
        """Write `card.json` and `card.txt` into `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ABOUT).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (folder / TEXT).write_text(self.text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Card:
        """The card in `folder`. Raises `InvalidInput` where there is none."""
        try:
            return cls.model_validate_json((folder / ABOUT).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            told = str(error).splitlines()[0]
            raise InvalidInput(f"{folder} holds no preference card ({told}); distil again.") from error


def compile_cards(
    beliefs: Iterable[Preference],
    pairs: Sequence[Pair],
    budget: int,
    episodes: Mapping[str, Sequence[str]] | None = None,
) -> list[Card]:
    """The candidates: every wording, other orders and half the size where not all rules fit. None without rules.

    `pairs`: edits and votes among them say how answers should be; what is held out of them is for the gate alone.
    `episodes` names the turns that bear out each belief.
    """
    told = [pair for pair in pairs if pair.split == "train"]
    rules = [*rules_of(beliefs, episodes), *rules_of_pairs(told)]
    sizes: list[tuple[Order, int]] = [*((order, budget) for order in _ORDERS), ("strength", budget // 2)]
    found: dict[str, Card] = {}
    for wording in LEADS:
        for order, size in sizes:
            card = Card(rules=_ordered(rules, order), order=order, wording=wording, budget=size)
            same = {frozenset(rule.id for rule in each.shown) for each in found.values() if each.wording == wording}
            if card.shown and frozenset(rule.id for rule in card.shown) not in same:
                found.setdefault(card.text, card)
    return list(found.values())


def _ordered(rules: Sequence[Rule], order: Order) -> tuple[Rule, ...]:
    """Examples come last in every order: a rule says more in fewer tokens."""

    def since(rule: Rule) -> float:
        return rule.since.timestamp() if rule.since is not None else _EVER

    def key(rule: Rule) -> tuple[object, ...]:
        ranks = {
            "strength": (-rule.strength, -rule.evidence, -since(rule)),
            "recency": (-since(rule), -rule.strength, -rule.evidence),
            "evidence": (-rule.evidence, -rule.strength, -since(rule)),
        }
        return rule.kind == "example", *ranks[order], rule.id

    return tuple(sorted(rules, key=key))


def _fitting(rules: Sequence[Rule], wording: Wording, budget: int) -> tuple[Rule, ...]:
    spent, shown = count_tokens(LEADS[wording]), list[Rule]()
    for rule in rules:
        cost = sum(count_tokens(line) for line in worded(rule, wording))
        if spent + cost <= budget:
            spent += cost
            shown.append(rule)
    return tuple(shown)


def _rendered(rules: Sequence[Rule], wording: Wording) -> str:
    return "\n".join([LEADS[wording], *(line for rule in rules for line in worded(rule, wording))]) if rules else ""


def _about(rule: Rule) -> str:
    return " ".join([rule.said or rule.topic, rule.context or "", *(_about(each) for each in rule.exceptions)]).strip()
