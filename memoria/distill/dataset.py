"""A person's data set: everything that can be learnt of them now, each example with what it came from.

What enters: what was read of a person in one snapshot. What leaves: a `Dataset`, always the same of the same memory (no
clock, no chance), and so that what was forgotten is in none: made after it was forgotten, it is that of a life in which
it never was said. The manifest names every belief and turn that any example rests on, by keyed hashes of what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from memoria.distill.exchanges import exchange_pairs
from memoria.distill.facts import fact_examples
from memoria.distill.lineage import belief_hash, episode_hash
from memoria.distill.material import Material
from memoria.distill.outdated import current_pairs
from memoria.distill.pairs import stated_pairs
from memoria.distill.records import Dataset, Example, Manifest, Pair, Source, Stated, Traced
from memoria.records import Preference, Scope
from memoria.store.ledger import Ledger


def build(ledger: Ledger, scope: Scope, material: Material, *, facts: bool = False) -> Dataset:
    """The data set of a person; with `facts` also questions about facts, which else stay in retrieval alone."""
    spoken, liked = exchange_pairs(material)
    pairs = (*stated_pairs(material.known), *current_pairs(spoken, material.known, material.turns))
    examples = (*liked, *(fact_examples(material.known) if facts else ()))
    sources = _sources(ledger, material, (*pairs, *examples))
    told = {each.id: material.feedback[each.id].number for each in sources if each.id in material.feedback}
    manifest = Manifest(sources=sources, counts=_counts(pairs, examples), taught=told)
    stated = _stated(ledger, material)
    return Dataset(
        tenant=scope.tenant, user=scope.user, examples=examples, pairs=pairs, manifest=manifest, stated=stated
    )


def _stated(ledger: Ledger, material: Material) -> Stated:
    known = [(each.belief, each) for each in material.known if isinstance(each.belief, Preference)]
    rests = [Traced(belief_ids=(belief.id,), episode_ids=each.episode_ids) for belief, each in known]
    return Stated(
        preferences=tuple(belief for belief, _ in known),
        episodes={belief.id: each.episode_ids for belief, each in known},
        manifest=Manifest(sources=_sources(ledger, material, rests)),
    )


def _sources(ledger: Ledger, material: Material, made: Sequence[Traced]) -> tuple[Source, ...]:
    statements = {name: said for each in material.known for name, said in each.statements.items()}
    texts = {each.id: each.text for each in material.turns}
    beliefs = sorted(set(chain.from_iterable(each.belief_ids for each in made)))
    turns = sorted(set(chain.from_iterable(each.episode_ids for each in made)))
    return (
        *(Source(kind="belief", id=each, hash=belief_hash(ledger, statements[each]).hex()) for each in beliefs),
        *(Source(kind="episode", id=each, hash=episode_hash(ledger, texts[each]).hex()) for each in turns),
    )


def _counts(pairs: Sequence[Pair], examples: Sequence[Example]) -> dict[str, int]:
    """How much there is, and whether length would tell the chosen answers: words of both, and which are longer."""
    found = {
        "pairs": len(pairs),
        "held_out_pairs": sum(each.split == "held_out" for each in pairs),
        "facts": sum(each.kind == "fact" for each in examples),
        "liked_answers": sum(each.kind == "preference" for each in examples),
    }
    for kind in ("stated", "edit", "vote", "dialogue"):
        found[f"{kind}_pairs"] = sum(each.kind == kind for each in pairs)
    return found | balance(pairs)


def balance(pairs: Iterable[Pair]) -> dict[str, int]:
    """Words of the chosen and of the rejected answers, and how often either is the longer one."""
    sizes = [(len(each.chosen.split()), len(each.rejected.split())) for each in pairs]
    return {
        "chosen_words": sum(chosen for chosen, _ in sizes),
        "rejected_words": sum(rejected for _, rejected in sizes),
        "chosen_longer": sum(chosen > rejected for chosen, rejected in sizes),
        "rejected_longer": sum(chosen < rejected for chosen, rejected in sizes),
    }
