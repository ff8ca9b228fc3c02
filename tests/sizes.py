"""Nothing grows too long: files of at most 300 lines, functions of at most 40, a docstring on every module.

What enters: the repository's Python files. What leaves: exit code 1 and one line a fault.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES, FUNCTION_LINES = 300, 40
FOLDERS = ("memoria", "graphs", "agents", "tests", "benchmarks", "examples")


def faults(path: Path) -> Iterator[str]:
    """What is too long in one file, or lacks its docstring."""
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines, at most {FILE_LINES}"
    tree = ast.parse(text)
    if lines > 1 and ast.get_docstring(tree) is None:
        yield f"{path}: no module docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > FUNCTION_LINES:
                yield f"{path}:{node.lineno} {node.name}: {size} lines, at most {FUNCTION_LINES}"


def main() -> int:
    """Check every file; 1 when one is at fault."""
    found = [fault for folder in FOLDERS for path in sorted(Path(folder).rglob("*.py")) for fault in faults(path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
