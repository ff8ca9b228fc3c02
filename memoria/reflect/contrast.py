"""What sets a person apart from the tenant's others.

What enters: a reader's connection and terms. What leaves: a weight for each, lower the more of the others share it; 0
for what half of them do, which says little of anybody. Counts alone are read, nobody's words. After DPL (2025):
personalisation by the difference from others. Used only where the settings' `reflect.peers` allows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from memoria.records import Scope
from memoria.reflect.material import Known
from memoria.store import schema
from memoria.store.dialect import dialect_of
from memoria.store.episodes import marked

LEAST_PEERS = 3  # fewer say nothing of what is common
_MOST_PEERS = 50
_COMMON = 0.5  # share of the others from which on a trait is everybody's


def peers_of(connection: Connection, scope: Scope, scope_id: int) -> list[int]:
    """The scopes of the tenant's others, at most fifty; none where there are too few to compare with."""
    table = schema.scope
    others = select(table.c.id).where(table.c.tenant == scope.tenant, table.c.id != scope_id, table.c.last_id > 0)
    found = list(connection.execute(others.order_by(table.c.id).limit(_MOST_PEERS)).scalars())
    return found if len(found) >= LEAST_PEERS else []


def term_rarity(connection: Connection, peers: Sequence[int], terms: Iterable[str]) -> dict[str, float]:
    """The weight of each term, by how many of `peers` speak of it."""
    words, lexicon = list(dict.fromkeys(terms)), dialect_of(connection)
    held = [lexicon.postings(connection, [marked(peer, word) for word in words]) for peer in peers]
    return {word: _weight(sum(each[n].size > 0 for each in held), len(peers)) for n, word in enumerate(words)}


def taste_rarity(connection: Connection, peers: Sequence[int], known: Iterable[Known]) -> dict[str, float]:
    """The weight of each preference, by its id, by how many of `peers` were ever heard to share its topic."""
    belief = schema.belief
    query = select(belief.c.scope_id, belief.c.slot, belief.c.object).distinct()
    rows = connection.execute(query.where(belief.c.scope_id.in_(peers), belief.c.kind == "preference"))
    sharing = Counter((row.slot, row.object) for row in rows)
    mine = {each.row: each.belief.id for each in known if each.belief.kind == "preference"}
    own = connection.execute(select(belief.c.id, belief.c.slot, belief.c.object).where(belief.c.id.in_(mine)))
    return {mine[row.id]: _weight(sharing[row.slot, row.object], len(peers)) for row in own}


def _weight(sharing: int, peers: int) -> float:
    share = sharing / max(1, peers)
    return 0.0 if share >= _COMMON else 1.0 - share
