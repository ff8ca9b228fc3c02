"""What a study keeps in its folder, so that a run that was cut short goes on.

What enters: a file's text; what a study is of. What leaves: the file, whole or not there; a refusal of a folder that
another study made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memoria.errors import InvalidInput


def write_whole(path: Path, text: str) -> None:
    """Write a file, so that a run that is killed leaves it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.part")
    half.write_text(text, encoding="utf-8")
    half.replace(path)


def same_study(path: Path, about: Mapping[str, Any]) -> None:
    """Write down in `path` what a study is of, or see that it says the same. What an older version did not write down
    is not asked for. Raises `InvalidInput` where the folder is of another study."""
    if not path.exists():
        write_whole(path, json.dumps(dict(about)))
    found, wanted = json.loads(path.read_text(encoding="utf-8")), json.loads(json.dumps(dict(about)))
    if other := [name for name, value in wanted.items() if found.get(name, value) != value]:
        raise InvalidInput(
            f"{path.parent} holds another study ({', '.join(other)} differ); name an empty folder, or delete it."
        )


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
