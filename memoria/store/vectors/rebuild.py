"""Building an index generation in another process, so that this one's threads keep running.

What enters: batches of points, streamed to a child as raw arrays through a pipe. What leaves: a folder that
`EdgeIndex` opens. The child also merges its segments: `optimize()` holds the GIL and so may happen nowhere else.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from memoria.errors import IndexUnavailable
from memoria.store.vectors.edge import EdgeIndex
from memoria.store.vectors.port import Point

_KIND = "episode"
_END = np.array([0], dtype=np.int64).tobytes()  # in the place of a batch's length


def build_generation(batches: Iterable[Sequence[Point]], path: Path, dimension: int) -> None:
    """Fill a new shard at `path` in a subprocess. Raises `IndexUnavailable` when the child fails (`path` is void)."""
    command = [sys.executable, "-m", "memoria.store.vectors.rebuild", str(path), str(dimension)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdin is not None
        try:
            for batch in batches:
                _send(child.stdin, batch)
            child.stdin.write(_END)
            child.stdin.close()
        except BrokenPipeError:
            pass  # the child died; what it said is read below
        said = child.stderr.read() if child.stderr else b""
    if child.returncode != 0:
        last = (said.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise IndexUnavailable(f"Building the vector index {path} failed ({last}); try again: memoria reindex")


def _send(pipe: IO[bytes], batch: Sequence[Point]) -> None:
    pipe.write(np.array([len(batch)], dtype=np.int64).tobytes())
    pipe.write(np.array([(p.id, p.scope, p.time) for p in batch], dtype=np.int64).tobytes())
    pipe.write(np.stack([p.vector for p in batch]).astype(np.float16).tobytes())


def _receive(pipe: IO[bytes], dimension: int) -> Iterable[list[Point]]:
    while (head := pipe.read(8)) != _END:
        if not head:
            raise EOFError("the process that asked for it is gone")
        n = int(np.frombuffer(head, dtype=np.int64)[0])
        numbers = np.frombuffer(pipe.read(n * 24), dtype=np.int64).reshape(n, 3)
        vectors = np.frombuffer(pipe.read(n * dimension * 2), dtype=np.float16).reshape(n, dimension)
        yield [
            Point(int(row[0]), int(row[1]), _KIND, int(row[2]), vector.astype(np.float32))
            for row, vector in zip(numbers, vectors, strict=True)
        ]


def _main() -> None:
    path, dimension = Path(sys.argv[1]), int(sys.argv[2])
    index = EdgeIndex(path, dimension)
    try:
        for batch in _receive(sys.stdin.buffer, dimension):
            index.upsert(batch)
    except BaseException:
        index.drop()  # nobody else will: whoever asked for it may have been killed
        raise
    index.flush()
    index.optimize()
    index.flush()
    index.close()


if __name__ == "__main__":
    _main()
