"""The process apart in which a model is trained or measured: `python -m memoria.distill.worker`.

What enters: on stdin, one line of settings and a `Task` as JSON: a person's words never lie in a file. What leaves: on
stdout lines of JSON: that it waits, steps, and at the end the result or an error. One task at a time has the machine (a
lock in the cache). A thread ends the process at once when its parent is gone or it takes more memory than it may.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from importlib import import_module
from typing import Any

from filelock import FileLock, Timeout

from memoria.distill.task import Task, perform
from memoria.errors import MemoriaError

OVER_MEMORY = 77
ORPHANED = 78
_LOOK_EVERY = 0.2  # seconds


def main() -> int:
    """Read a task, wait for the machine, do it."""
    settings: dict[str, Any] = json.loads(sys.stdin.readline())
    threading.Thread(target=_watch, args=(settings["parent"], settings["memory_mb"]), daemon=True).start()
    task = Task.model_validate_json(sys.stdin.read())
    lock = FileLock(settings["lock"])
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _say(waiting=True)
        lock.acquire()
    with lock:
        try:
            result = perform(task, lambda step, steps, loss: _say(step=step, steps=steps, loss=loss))
        except MemoriaError as error:
            _say(error=type(error).__name__, why=str(error))
            return 1
        _say(result=result.model_dump(mode="json"))
    return 0


def _watch(parent: int, memory_mb: int) -> None:
    process: Any = import_module("psutil").Process()
    while True:
        if os.getppid() != parent:
            os._exit(ORPHANED)
        if process.memory_info().rss > memory_mb * 1_000_000:
            os._exit(OVER_MEMORY)
        threading.Event().wait(_LOOK_EVERY)


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    sys.exit(main())
