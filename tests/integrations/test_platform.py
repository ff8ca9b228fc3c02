"""`langgraph.json`: every path that it names loads as LangGraph's server loads it, and runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# In a process of its own: a server opens one Memory for good. Loaded as langgraph-api 0.16 does it: by file, each time
# under another module name; factories called without arguments, their coroutines awaited.
SERVER = """if True:
    import asyncio, importlib.util, json, sys
    from pathlib import Path
    from types import SimpleNamespace
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.pregel import Pregel
    from langgraph.store.base import BaseStore

    def load(spec, number):
        path, name = spec.rsplit(":", 1)
        found = importlib.util.spec_from_file_location(f"loaded{number}", path)
        module = importlib.util.module_from_spec(found)
        sys.modules[found.name] = module
        found.loader.exec_module(module)
        return module.__dict__[name]

    async def main():
        config = json.loads(Path("langgraph.json").read_text())
        ana = SimpleNamespace(identity="ana")
        run = {"configurable": {"thread_id": "t1", "langgraph_auth_user": ana}}
        told = {}
        async with load(config["store"]["path"], 0)() as store:
            assert isinstance(store, BaseStore)
            for number, (name, graph) in enumerate(config["graphs"].items(), 1):
                built = await load(graph["path"], number)()
                assert isinstance(built, Pregel)
                served = built.copy(update={"checkpointer": InMemorySaver(), "store": store})
                given = {"messages": [("user", "I live in Porto.")]} if name == "conversation" else {}
                told[name] = await served.ainvoke(given, run, context={"user": "eve"})
            await store.aput(("memories", "ana"), "k", {"text": "Ana keeps bees."})
            told["found"] = [item.value for item in await store.asearch(("memories",), query="bees")]
        from memoria.integrations.shared import shared_memory
        told["users"] = [scope.user for scope in shared_memory().users()]
        told["profile"] = shared_memory().profile(user="ana").render()
        print(json.dumps(told, default=str))

    asyncio.run(main())
"""


def test_what_it_names_is_there_and_runs(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "memoria.yaml").write_text("embeddings: hash\n")
    env = {"MEMORIA_HOME": str(tmp_path / "home"), "MEMORIA_CONFIGS": str(tmp_path / "configs"), "PATH": ""}
    command = [sys.executable, "-W", "error", "-c", SERVER]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["users"] == ["ana"], "whoever the client says to be, it is the authenticated user's memory"
    assert "user lives in Porto" in told["profile"]
    assert told["found"] == [{"text": "Ana keeps bees."}]
    assert told["conversation"]["messages"][-1]
    assert set(told) >= {"reflection", "distillation"}


def test_its_keys_are_langgraphs_own() -> None:
    config = json.loads((ROOT / "langgraph.json").read_text())
    assert set(config) == {"$schema", "python_version", "dependencies", "graphs", "store"}
    assert all((ROOT / spec["path"].rsplit(":", 1)[0]).exists() for spec in config["graphs"].values())
