"""A model's files made ready once in the cache, by whichever process comes first.

What enters: where they shall lie, and what makes them. What leaves: the folder, whole or not there at all: it is made
aside and renamed, and what a killed process left half-made is cleared by the next.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def prepared(folder: Path, make: Callable[[Path], None]) -> Path:
    """`folder`, filled by `make` where it is not there yet. Raises `OSError`, and what `make` raises."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f"{folder.name}.lock"):
        if not folder.is_dir():
            _make(folder, make)
    return folder


def _make(folder: Path, make: Callable[[Path], None]) -> None:
    aside = f"{folder.name}.part-"
    for left in folder.parent.glob(f"{aside}*"):  # by a process that was killed; the lock is ours
        shutil.rmtree(left)
    half = Path(tempfile.mkdtemp(dir=folder.parent, prefix=aside))
    try:
        make(half)
        half.replace(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)
