"""One conformance suite for every vector index: what holds for one holds for all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from memoria.errors import IndexUnavailable
from memoria.store.vectors.client import ClientIndex
from memoria.store.vectors.edge import EdgeIndex
from memoria.store.vectors.exact import ExactIndex
from memoria.store.vectors.port import Point, VectorIndex
from memoria.store.vectors.rebuild import build_generation

DIMENSION = 16


class LedgerLike(ExactIndex):
    """The exact index over a dict that stands for the ledger."""

    def __init__(self) -> None:
        self.held: dict[int, Point] = {}
        super().__init__(
            load=self._read, revision=lambda _: tuple(self.held), all_ids=lambda: set(self.held), limit_mb=1
        )

    def _read(self, scope: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        mine = [p for p in self.held.values() if p.scope == scope]
        vectors = np.array([p.vector for p in mine], dtype=np.float16).reshape(len(mine), DIMENSION)
        ids, times = (np.array([getattr(p, name) for p in mine], dtype=np.int64) for name in ("id", "time"))
        return ids, times, vectors

    def upsert(self, points: list[Point]) -> None:  # type: ignore[override]
        self.held = {**self.held, **{p.id: p for p in points}}

    def delete(self, ids: list[int]) -> None:  # type: ignore[override]
        self.held = {k: v for k, v in self.held.items() if k not in set(ids)}


def make_index(kind: str, folder: Path) -> VectorIndex:
    if kind == "edge":
        return EdgeIndex(folder / "edge", DIMENSION)
    if kind == "exact":
        return LedgerLike()
    url = ":memory:" if kind == "client" else os.environ["MEMORIA_TEST_QDRANT_URL"]
    return ClientIndex(url=url, collection=f"memoria-test-{os.getpid()}", dimension=DIMENSION)


# A live server is opt-in: none ships as a package, so CI cannot have one.
KINDS = ["edge", "client", "exact", *(["server"] if "MEMORIA_TEST_QDRANT_URL" in os.environ else [])]


@pytest.fixture(params=KINDS)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    made = make_index(request.param, tmp_path)
    yield made
    made.drop()


def points(count: int, scope: int = 1, first: int = 1, seed: int = 0) -> list[Point]:
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [Point(first + i, scope, "episode", 1_700_000_000_000_000 + i, v) for i, v in enumerate(vectors)]


def test_finds_the_nearest_first_with_their_cosines(index: VectorIndex) -> None:
    held = points(200)
    index.upsert(held)
    query = points(1, seed=7)[0].vector
    found = index.search(query, scope=1, limit=20)
    cosines = np.array([float(p.vector.astype(np.float16).astype(np.float32) @ query) for p in held])
    best = np.argsort(-cosines)[:20]
    assert set(found.ids[:15]) <= {held[i].id for i in best}
    np.testing.assert_allclose(found.scores, np.sort(cosines)[::-1][:20], atol=2e-3)


def test_sees_only_its_scope(index: VectorIndex) -> None:
    index.upsert(points(20, scope=1) + points(20, scope=2, first=100))
    for scope, first in ((1, 1), (2, 100)):
        found = index.search(points(1)[0].vector, scope=scope, limit=50)
        assert set(found.ids) == set(range(first, first + 20))
    assert len(index.search(points(1)[0].vector, scope=3, limit=50).ids) == 0


def test_sees_nothing_later_than_asked(index: VectorIndex) -> None:
    held = points(20)
    index.upsert(held)
    found = index.search(held[3].vector, scope=1, limit=50, before=held[9].time)
    assert set(found.ids) == {p.id for p in held[:10]}


def test_upsert_twice_keeps_the_latter(index: VectorIndex) -> None:
    old, new = points(1)[0], points(1, seed=3)[0]
    index.upsert([old])
    index.upsert([new])
    index.upsert([new])
    assert index.count() == 1
    assert index.search(new.vector, scope=1, limit=1).scores[0] == pytest.approx(1, abs=2e-3)


def test_delete_is_idempotent(index: VectorIndex) -> None:
    index.upsert(points(10))
    index.delete([1, 2, 777])
    index.delete([1])
    assert index.ids() == set(range(3, 11))
    assert index.count() == 8
    index.upsert([])
    index.delete([])


def test_edge_keeps_what_it_flushed(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path / "a", DIMENSION)
    index.upsert(points(30))
    index.flush()
    index.close()
    index.close()
    again = EdgeIndex(tmp_path / "a", DIMENSION)
    assert again.ids() == set(range(1, 31))
    again.upsert([points(1, seed=5)[0]])  # a reloaded shard takes changes of points it has
    assert again.search(points(1, seed=5)[0].vector, scope=1, limit=1).ids[0] == 1
    again.close()


def test_edge_refuses_damaged_files(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    EdgeIndex(folder, DIMENSION).close()
    (folder / "edge_config.json").write_text("{")
    with pytest.raises(IndexUnavailable, match="cannot be opened"):
        EdgeIndex(folder, DIMENSION)


def test_a_generation_is_built_in_another_process(tmp_path: Path) -> None:
    held = points(500)
    build_generation([held[:300], held[300:]], tmp_path / "gen", DIMENSION)
    index = EdgeIndex(tmp_path / "gen", DIMENSION)
    assert index.ids() == {p.id for p in held}
    index.close()


def test_a_failed_build_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexUnavailable, match="memoria reindex"):
        build_generation([points(3)], tmp_path / "file", DIMENSION)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(IndexUnavailable, match=r"127\.0\.0\.1:9"):
        ClientIndex(url="http://127.0.0.1:9", collection="x", dimension=DIMENSION)
