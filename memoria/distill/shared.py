"""One adapter for many people: each prompt names whose answer is wanted.

What enters: the data sets of several people of one tenant. What leaves: one data set, whose prompts name their person
by a few words that stand for them and for nobody else, and whose manifest holds everybody's sources: forgetting one
memory of one of them takes the adapter away from all. Naming the wrong person must make the answers less likely.

UserIdentifier: Mireshghallah et al. (2022). It is the smallest way to serve many; an adapter for each (`train`) keeps
people's words apart, and is what memoria does by default.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from memoria.distill.records import Dataset, Example, Manifest, Pair
from memoria.errors import InvalidInput

_Asked = TypeVar("_Asked", Example, Pair)

# Each is one token of the usual English vocabularies, means nothing of a person, and is unlike the others.
_WORDS = (
    "river stone cloud apple winter silver garden window bridge mountain paper ocean forest candle engine marble "
    "pepper rocket saddle timber violet copper desert falcon harbor island jacket kitchen ladder meadow needle orange"
).split()


def identifier(user: str, tenant: str = "default") -> str:
    """Three words that stand for a person: always the same, and not to be told from them who it is."""
    seed = hashlib.sha256(f"{tenant}\0{user}".encode()).digest()
    return " ".join(_WORDS[byte % len(_WORDS)] for byte in seed[:3])


def named(prompt: str, user: str, tenant: str = "default") -> str:
    """The prompt, saying whose answer is wanted."""
    return f"{prompt}\nFor {identifier(user, tenant)}:"


def shared(datasets: Sequence[Dataset], user: str) -> Dataset:
    """One data set of several people's, each prompt naming its person, as a data set of `user` (whoever it belongs to:
    a group's name).

    Raises `InvalidInput` for none, for people of several tenants, and for two whose words are the same.
    """
    tenants = {each.tenant for each in datasets}
    if len(tenants) != 1:
        raise InvalidInput(f"An adapter is shared by people of one tenant; these are of {sorted(tenants) or 'none'}.")
    (tenant,) = tenants
    people = {each.user for each in datasets}
    for words, count in Counter(identifier(each, tenant) for each in people).items():
        if count > 1:
            raise InvalidInput(f"Two of these people are both called {words!r}; train an adapter for one of them.")
    sources = {source: None for each in datasets for source in each.manifest.sources}
    counts = Counter[str]()
    for each in datasets:
        counts.update(each.manifest.counts)
    return Dataset(
        tenant=tenant,
        user=user,
        examples=tuple(_named(example, each) for each in datasets for example in each.examples),
        pairs=tuple(_named(pair, each) for each in datasets for pair in each.pairs),
        manifest=Manifest(sources=tuple(sources), counts=dict(counts)),
    )


def _named(item: _Asked, whose: Dataset) -> _Asked:
    told = {"prompt": named(item.prompt, whose.user, whose.tenant), "group": f"{whose.user}/{item.group}"}
    return item.model_copy(update=told)
