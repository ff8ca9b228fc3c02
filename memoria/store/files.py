"""The files of a home, while others may be changing them.

What enters: a home's folder. What leaves: its files' sizes and bytes. A file that vanishes between being listed and
being read (an index generation swapped out, a temporary file renamed) is passed over: what is gone holds nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def size_on_disk(home: Path) -> int:
    """Bytes that the home's files take on disk."""
    size = 0
    for path in _paths(home):
        with suppress(FileNotFoundError):
            size += path.stat().st_blocks * 512
    return size


def contents(home: Path) -> Iterator[tuple[Path, bytes]]:
    """Each file of the home with its bytes."""
    for path in _paths(home):
        with suppress(FileNotFoundError):
            yield path, path.read_bytes()


def _paths(home: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(home):  # unlike rglob, it goes on where a folder vanishes
        yield from (Path(folder) / name for name in sorted(names))
