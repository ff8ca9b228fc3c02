"""The package as it is shipped: its names, its weight, its configs, its documents."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import memoria
from memoria import InvalidInput, Settings

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def test_exported_names_are_there() -> None:
    for name in memoria.__all__:
        assert getattr(memoria, name).__module__.startswith("memoria")
    assert set(memoria.__all__) <= set(dir(memoria))
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = memoria.nothing_here


def test_importing_memoria_loads_nothing_heavy() -> None:
    script = (
        "import sys, memoria; print([m for m in ('numpy', 'sqlalchemy', 'langgraph', 'torch') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"


def test_using_memoria_loads_no_torch(tmp_path: Path) -> None:
    script = """if True:
        import sys
        from memoria import HashEmbeddings, Memory
        with Memory(sys.argv[1], embeddings=HashEmbeddings(8)) as memory:
            memory.remember("hello", user="ana")
            memory.recall("hello", user="ana")
        print([m for m in ("torch", "transformers", "qdrant_client", "dateparser", "scipy") if m in sys.modules])
    """
    assert subprocess.check_output([sys.executable, "-c", script, str(tmp_path)], text=True) == "[]\n"


def test_the_configs_show_the_defaults() -> None:
    loaded = Settings.load(ROOT / "configs")
    assert loaded.model_copy(update={"folder": None}) == Settings()
    recall = yaml.safe_load((ROOT / "configs" / "recall.yaml").read_text())
    assert recall == loaded.recall.model_dump()
    written = yaml.safe_load((ROOT / "configs" / "memoria.yaml").read_text())
    assert written == {
        "embeddings": None,
        "store": loaded.store.model_dump(),
        "extract": loaded.extract.model_dump(),
        "resolve": loaded.resolve.model_dump(),
        "reflect": loaded.reflect.model_dump(),
        "retention": loaded.retention.model_dump(),
        "distil": loaded.distil.model_dump(mode="json"),
    }


def test_settings_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recall.yaml").write_text("k: 0\n")
    monkeypatch.setenv("MEMORIA_CONFIGS", str(tmp_path))
    with pytest.raises(InvalidInput, match=r"recall\.k"):
        Settings.load()
    (tmp_path / "recall.yaml").write_text("[")
    with pytest.raises(InvalidInput, match="not YAML"):
        Settings.load()
    monkeypatch.setenv("MEMORIA_CONFIGS", str(tmp_path / "none"))
    with pytest.raises(InvalidInput, match="MEMORIA_CONFIGS"):
        Settings.load()


def run(script: Path, tmp_path: Path, model_cache: Path) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"MEMORIA_HOME": str(tmp_path / "home"), "MEMORIA_CACHE": str(model_cache)}
    return subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=env, cwd=tmp_path, check=False
    )


def test_the_readmes_example_runs(tmp_path: Path, model_cache: Path) -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    assert len(code[1].splitlines()) <= 15
    script = tmp_path / "readme.py"
    script.write_text(code[1], encoding="utf-8")
    done = run(script, tmp_path, model_cache)
    assert done.returncode == 0, done.stderr
    assert "[1] 2025-06-13 Ana: I moved to Lisbon" in done.stdout


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_runs(script: Path, tmp_path: Path, model_cache: Path) -> None:
    done = run(script, tmp_path, model_cache)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {"remember_and_recall", "conversation_graph", "import_history"}
