"""docs/graphs.md draws the graphs as they are. `python tests/graphs/test_drawings.py` draws them anew."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from memoria_graphs import build_conversation, build_distillation, build_reflection

from memoria import HashEmbeddings, Memory

DOCUMENT = Path(__file__).parents[2] / "docs" / "graphs.md"
BUILDERS = {"conversation": build_conversation, "reflection": build_reflection, "distillation": build_distillation}
DRAWING = re.compile(r"<!-- (\w+) -->\n(?:\n```mermaid\n.*?```\n)?", re.DOTALL)


def drawn(document: str) -> str:
    """The document with each graph drawn below its mark."""
    with TemporaryDirectory() as home, Memory(home, embeddings=HashEmbeddings(8)) as memory:
        pictures = {name: build(memory).get_graph().draw_mermaid() for name, build in BUILDERS.items()}
    return DRAWING.sub(lambda mark: f"<!-- {mark[1]} -->\n\n```mermaid\n{pictures[mark[1]].strip()}\n```\n", document)


def test_the_drawings_are_current() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert {mark[1] for mark in DRAWING.finditer(document)} == set(BUILDERS)
    assert drawn(document) == document


if __name__ == "__main__":
    DOCUMENT.write_text(drawn(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
