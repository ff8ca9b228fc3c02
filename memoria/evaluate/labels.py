"""Labels that single people gave, and which of them are learnt from.

What enters: a file of JSON lines, one label a line (user, item, text, label 0 or 1). What leaves: `Annotator`s with
their labels split by item: an item that is tested is tested for all who labelled it, so that nobody's adapter has seen
what another says of it.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from memoria.errors import InvalidInput


@dataclass(frozen=True)
class Label:
    """What one person said of one text; `others`: what the others said of it."""

    item: str
    text: str
    yes: bool
    others: tuple[bool, ...]


@dataclass(frozen=True)
class Annotator:
    """A person's labels, to `learn` from and to `test` on, in a chance order."""

    name: str
    learn: tuple[Label, ...]
    test: tuple[Label, ...]


@dataclass(frozen=True)
class Sample:
    """Which annotators: so many (`people`) of those with `least` to `most` labels (None: or more), drawn by `seed`,
    which also says which items are tested (`tested` of all); of each at most so many labels to learn from and to test
    on (None: all)."""

    people: int
    least: int = 150
    most: int | None = None
    tested: float = 0.3
    learn_most: int | None = None
    test_most: int | None = None
    seed: int = 0


def read_annotators(path: Path, sample: Sample) -> list[Annotator]:
    """The annotators of a sample, by name. Raises `InvalidInput` naming the file and what is wrong with it."""
    rows = _rows(path)
    by_user: dict[str, list[dict[str, Any]]] = defaultdict(list)
    by_item: dict[str, dict[str, bool]] = defaultdict(dict)
    for row in rows:
        by_user[row["user"]].append(row)
        by_item[row["item"]][row["user"]] = bool(row["label"])
    fitting = sorted(user for user, own in by_user.items() if sample.least <= len(own) <= (sample.most or len(own)))
    if len(fitting) < sample.people:
        raise InvalidInput(f"{path}: {len(fitting)} people have so many labels, not {sample.people}; ask for fewer.")
    chosen = sorted(Random(f"{sample.seed}/people").sample(fitting, sample.people))
    found = [_annotator(user, by_user[user], by_item, sample) for user in chosen]
    if bare := next((each.name for each in found if not each.learn or not each.test), None):
        raise InvalidInput(f"{path}: of {bare} nothing is left to learn from, or to test; raise --least.")
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise InvalidInput(f"{path} does not exist; name a file of labels (.jsonl.gz).")
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line.strip()]
            if any(not isinstance(row["text"], str) or row["label"] not in (0, 1) or not row["item"] for row in rows):
                raise ValueError("a label is neither 0 nor 1, or a text is missing")
            return rows
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} cannot be read ({error}); each line has user, item, text and label.") from error


def _annotator(
    user: str, rows: Sequence[dict[str, Any]], by_item: dict[str, dict[str, bool]], sample: Sample
) -> Annotator:
    labels = [
        Label(
            row["item"],
            row["text"],
            bool(row["label"]),
            tuple(yes for other, yes in by_item[row["item"]].items() if other != user),
        )
        for row in rows
    ]
    Random(f"{sample.seed}/{user}").shuffle(labels)
    test = [each for each in labels if is_tested(each.item, sample)]
    learn = [each for each in labels if not is_tested(each.item, sample)]
    return Annotator(user, tuple(learn[: sample.learn_most]), tuple(test[: sample.test_most]))


def is_tested(item: str, sample: Sample) -> bool:
    """Whether an item is one to test on, for everybody."""
    return Random(f"{sample.seed}/item/{item}").random() < sample.tested
