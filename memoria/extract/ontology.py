"""What is known of predicates: how many answers each has, what follows from it, what it leans on.

What enters: the packaged `ontology.yaml`, and the user's own beside the other settings. What leaves: an `Ontology`.
Small on purpose, in the manner of ConceptNet's and schema.org's relations: what people say of themselves.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from memoria.errors import InvalidInput
from memoria.store.text import terms

_PACKAGED = Path(__file__).parent / "ontology.yaml"


class Predicate(BaseModel):
    """One predicate; the fields are explained at the head of `ontology.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    single: bool = True
    says: str = ""
    asks: tuple[str, ...] = ()
    kind: str = "thing"
    inverse: str | None = None
    implies: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    leans_on: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


class Ontology(BaseModel):
    """Predicates by name; nouns for relations and attributes with the predicate that each means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    predicates: dict[str, Predicate]
    relations: dict[str, str] = {}
    attributes: dict[str, str] = {}

    def predicate(self, name: str) -> Predicate:
        """The predicate `name`; one that is not described has one answer at a time."""
        return self.predicates.get(name) or Predicate()

    def statement(self, subject: str, name: str, value: str) -> str:
        """A fact in words."""
        says = self.predicate(name).says or "{subject}'s {predicate} is {object}"
        return says.format(subject=subject, predicate=name, object=value)

    def place_words(self) -> dict[str, str]:
        """Each word that speaks of a predicate's answer, with the predicate."""
        return {word: name for name, each in self.predicates.items() for word in each.places}


@lru_cache(maxsize=16)
def load_ontology(folder: Path | None = None) -> Ontology:
    """The packaged ontology, with the predicates and nouns of `folder`/ontology.yaml where there is one.

    Raises `InvalidInput` naming the file and the key that cannot be taken.
    """
    values = _read(_PACKAGED)
    own = folder / "ontology.yaml" if folder is not None else None
    if own is not None and own.exists():
        for section, entries in _read(own).items():
            if not isinstance(entries, dict):
                raise InvalidInput(f"{own}: {section} must hold names and values; see memoria/extract/ontology.yaml.")
            values.setdefault(section, {}).update(entries)
    try:
        return Ontology.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{own or _PACKAGED}: {key}: {first['msg']}; correct it or remove it.") from error


@lru_cache(maxsize=32768)
def key_of(name: str) -> str:
    """The key under which a name, a value or a topic is kept: its terms, joined; its own folded text without any."""
    return " ".join(terms(name)) or name.strip().casefold()


def _read(path: Path) -> dict[str, Any]:
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise InvalidInput(f"{path} is not YAML ({error}); correct it.") from error
    if not isinstance(values, dict):
        raise InvalidInput(f"{path} must hold sections; see memoria/extract/ontology.yaml.")
    return values  # pyright: ignore[reportUnknownVariableType]  # validated by pydantic next
