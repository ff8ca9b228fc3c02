"""Small stand-ins for adapters: folders of a few bytes, registered as trained ones are.

What enters: a Memory, and which of its memories an adapter shall have been made of. What leaves: its record.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from memoria import Memory
from memoria.distill.lineage import belief_hash, episode_hash
from memoria.distill.records import Adapter, Kind, Manifest, Source, Verdict
from memoria.records import Scope

BASE = "tiny-model"
PASSED = Verdict(passed=True, figures={"pref": 0.8})
FAILED = Verdict(passed=False, figures={"pref": 0.4}, why="pref 0.40 is not >= 0.60.")


def manifest_of(memory: Memory, ids: Sequence[str] | None = None, *, user: str = "ana") -> Manifest:
    """A manifest of these beliefs and episodes (None: of all) as they are now."""
    ledger = memory._ledger
    sources = [
        Source(kind="belief", id=each.id, hash=belief_hash(ledger, each.statement).hex())
        for each in memory.beliefs(user=user, retired=True)
    ]
    sources += [
        Source(kind="episode", id=each.id, hash=episode_hash(ledger, each.text).hex())
        for each in memory.episodes(user=user)
    ]
    return Manifest(sources=tuple(each for each in sources if ids is None or each.id in ids))


def files(folder: Path | None = None, *, words: str = "", weights: bytes = b"weights") -> Path:
    """A finished folder as PEFT writes it; `words` go into a card."""
    made = folder or Path(tempfile.mkdtemp(prefix="memoria-adapter-"))
    made.mkdir(exist_ok=True)
    config = {"peft_type": "LORA", "r": 8, "base_model_name_or_path": None}
    (made / "adapter_config.json").write_text(json.dumps(config))
    (made / "adapter_model.safetensors").write_bytes(weights)
    if words:
        (made / "card.json").write_text(json.dumps({"rules": [words]}, ensure_ascii=False))
    return made


def add(
    memory: Memory,
    ids: Sequence[str] | None = None,
    *,
    user: str = "ana",
    kind: Kind = "lora",
    words: str = "",
    serve: bool = False,
    **more: Any,
) -> Adapter:
    """Register an adapter made of these memories (None: of all); with `serve` it is judged and promoted, too."""
    registry, scope = memory._registry, Scope(user=user)
    manifest = more.pop("manifest", None) or manifest_of(memory, ids, user=user)
    values: dict[str, Any] = {"base": BASE, "recipe": "sft", "figures": {"seconds": 1.5}} | more
    values.setdefault("digest", manifest.digest + str(len(registry.list(scope))))
    made = registry.add(scope, files(words=words), kind=kind, manifest=manifest, **values)
    if serve:
        registry.judge(scope, made.id, PASSED)
        return registry.promote(scope, made.id)
    return made


ANA = Scope(user="ana")
WORD = "Quetzalvik"
CANARY = f"I live in {WORD}, in the blue house behind the mill."


def traces(home: Path) -> list[str]:
    """The files that hold a piece of the canary."""
    found = (path for path in home.rglob("*") if path.is_file())
    return [path.name for path in found if any(word in path.read_bytes() for word in (WORD.encode(), b"the mill"))]


def fill(memory: Memory) -> None:
    memory.remember(["I love cashews.", "My sister Bea is a nurse."], user="ana")
    add(memory, serve=True)
    memory.remember(CANARY, user="ana")
    add(memory, serve=True)  # of the canary, too
    add(memory, kind="card", words=CANARY, serve=True)


def statuses(memory: Memory) -> dict[str, str]:
    return {each.id: each.status for each in memory.adapters(user="ana")}


def folders(memory: Memory) -> list[str]:
    found = (path for path in (memory.home / "adapters").iterdir() if path.name != ".making")
    return sorted(path.name for path in found)
