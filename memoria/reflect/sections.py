"""Which section of the profile a belief belongs to.

What enters: beliefs. What leaves: a section's name. The table is `sections.yaml`; predicates that it does not know go
by what their object is, and what it cannot place is identity: what one has and is.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict

from memoria.extract.ontology import Ontology
from memoria.extract.proposals import SELF
from memoria.records import Fact, Preference
from memoria.reflect.records import SectionName

_PACKAGED = Path(__file__).parent / "sections.yaml"


class SectionRule(BaseModel):
    """What belongs to a section, and how fast its lines fade (the exponent of a power law of age)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fades: float
    predicates: tuple[str, ...]
    kinds: tuple[str, ...]


@lru_cache(maxsize=1)
def rules() -> dict[SectionName, SectionRule]:
    """The packaged table."""
    raw: dict[str, Any] = yaml.safe_load(_PACKAGED.read_text(encoding="utf-8"))
    return {cast(SectionName, name): SectionRule.model_validate(rule) for name, rule in raw.items()}


def section_of(belief: Fact | Preference, ontology: Ontology) -> SectionName:
    """The section that a belief belongs to."""
    if belief.kind == "preference":
        return "preferences"
    named, kinds = _lookup()
    if belief.predicate in named:
        section = named[belief.predicate]
        return "people" if belief.subject != SELF and section != "concerns" else section
    if belief.subject != SELF:
        return "people"
    return kinds.get(ontology.predicate(belief.predicate).kind, "identity")


def is_placed(predicate: str) -> bool:
    """Whether the table names a predicate."""
    return predicate in _lookup()[0]


def fading_of(section: SectionName) -> float:
    """How fast lines of a section fade."""
    rule = rules().get(section)
    return rule.fades if rule is not None else 0.3


@lru_cache(maxsize=1)
def _lookup() -> tuple[dict[str, SectionName], dict[str, SectionName]]:
    named: dict[str, SectionName] = {each: name for name, rule in rules().items() for each in rule.predicates}
    kinds: dict[str, SectionName] = {each: name for name, rule in rules().items() for each in rule.kinds}
    return named, kinds
