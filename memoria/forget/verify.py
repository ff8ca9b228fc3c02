"""Is it really gone? Reading every byte of a home.

What enters: texts and vectors that should be gone. What leaves: each place where one still lies. A text is looked for
in pieces, since a database may break it between pages; a piece that some living turn also holds is no residue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, literal, select

from memoria.store import schema
from memoria.store.files import contents
from memoria.store.ledger import Ledger
from memoria.store.schema_adapters import feedback
from memoria.store.schema_items import item, item_piece

_PIECE = 20  # bytes of a text looked for at once: long enough that chance does not find one
_NUMBERS = 12  # of a vector, likewise
_LEAST = 4  # of them that are not zero: a sparse vector's zeros are found by chance


def residue(
    ledger: Ledger,
    home: Path,
    texts: Sequence[str],
    vectors: Iterable[NDArray[np.float32]],
    *,
    shortest: int = _PIECE // 2,
) -> list[str]:
    """Where something of `texts` or `vectors` (float32) still lies: one sentence each; empty when all is gone.

    Texts of less than `shortest` bytes are passed over: chance would find them.
    """
    pieces = {piece for text in texts for piece in _pieces(text, shortest)}
    patterns = [
        telling.astype(kind).tobytes()
        for each in vectors
        if (telling := _telling(each)) is not None and not _vector_alive(ledger, each)
        for kind in (np.float16, np.float32)
    ]
    found: list[str] = []
    for path, data in contents(home):
        if any(piece in data and not _alive(ledger, piece) for piece in pieces):
            found.append(f"{path.name} still holds a piece of an erased text.")
        if any(pattern in data for pattern in patterns):
            found.append(f"{path.name} still holds an erased vector.")
    return found


def _telling(vector: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The numbers of a vector to look for: those with the fewest zeros, which lie everywhere in files; None where a
    vector has hardly any others."""
    starts = range(0, max(1, len(vector) - _NUMBERS + 1))
    best = max((vector[start : start + _NUMBERS] for start in starts), key=np.count_nonzero)
    return best if np.count_nonzero(best) >= _LEAST else None


def _pieces(text: str, shortest: int) -> Iterable[bytes]:
    data = text.encode()
    if len(data) < _PIECE:
        return [data] if len(data) >= shortest else []
    return [data[i : i + _PIECE] for i in range(0, len(data) - _PIECE + 1, _PIECE // 2)]


def _alive(ledger: Ledger, piece: bytes) -> bool:
    """Whether a living turn, its correction, its speaker or session, or an item holds the piece, cut to characters."""
    word = piece.decode(errors="ignore")
    table = schema.episode
    with ledger.read() as connection:
        held = select(func.count()).where(func.instr(table.c.text, literal(word)) > 0)
        written = select(func.count()).where(func.instr(feedback.c.correction, literal(word)) > 0)
        named = select(func.count()).where(func.instr(schema.session.c.name, literal(word)) > 0)
        kept = select(func.count()).where(func.instr(item.c.value, literal(word)) > 0)
        searched = select(func.count()).where(func.instr(item_piece.c.text, literal(word)) > 0)
        return any(connection.execute(each).scalar_one() for each in (held, written, named, kept, searched))


def _vector_alive(ledger: Ledger, vector: NDArray[np.float32]) -> bool:
    """Whether a living turn or item has the same vector: the same words, of a turn by the same speaker."""
    packed = vector.astype(np.float16).tobytes()
    columns = (schema.embedding.c.vector, item_piece.c.vector)
    same = [select(func.count()).where(column == packed) for column in columns]
    with ledger.read() as connection:
        return any(connection.execute(each).scalar_one() for each in same)
