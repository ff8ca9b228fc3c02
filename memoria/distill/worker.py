"""The process apart in which a model is trained or measured: `python -m memoria.distill.worker`.

What enters: on stdin, one line of settings and a `Task` as JSON: a person's words never lie in a file. What leaves: on
stdout lines of JSON: that it waits, steps, every second that it lives, and at the end the result or an error. One task
at a time has the machine (a lock in the cache). A thread ends the process at once when its parent is gone or it takes
more memory than it may.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from itertools import count
from typing import Any

from filelock import FileLock, Timeout

from memoria.distill.task import Task, perform
from memoria.errors import MemoriaError

OVER_MEMORY = 77
ORPHANED = 78
_LOOK_EVERY, _SPEAK_EVERY = 0.2, 1.0  # seconds
_SPEAK_EVERY_LOOK = round(_SPEAK_EVERY / _LOOK_EVERY)


def main() -> int:
    """Read a task, wait for the machine, do it."""
    say = _Voice().say
    settings: dict[str, Any] = json.loads(sys.stdin.readline())
    threading.Thread(target=_watch, args=(settings["parent"], settings["memory_mb"], say), daemon=True).start()
    task = Task.model_validate_json(sys.stdin.read())
    lock = FileLock(settings["lock"])
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(waiting=True)
            threading.Event().wait(_SPEAK_EVERY)
        except OSError as error:
            say(error="TrainingFailed", why=unlockable(settings["lock"], error))
            return 1
    with lock:
        try:
            result = perform(task, lambda step, steps, loss: say(step=step, steps=steps, loss=loss))
        except MemoriaError as error:
            say(error=type(error).__name__, why=str(error))
            return 1
        say(result=result.model_dump(mode="json"))
    return 0


def unlockable(lock: str, error: OSError) -> str:
    """Why no training can have the machine."""
    why = error.strerror or type(error).__name__
    return f"{lock}, by which one training at a time has the machine, cannot be locked ({why}); see MEMORIA_CACHE."


class _Voice:
    """What the caller hears, on what was stdout. What libraries print goes where errors go: not between the lines."""

    def __init__(self) -> None:
        self._out, self._mutex = os.fdopen(os.dup(1), "w", encoding="utf-8"), threading.Lock()
        os.dup2(2, 1)

    def say(self, **facts: object) -> None:
        with self._mutex:
            print(json.dumps(facts), file=self._out, flush=True)


def _watch(parent: int, memory_mb: int, say: Callable[..., None]) -> None:
    process: Any = import_module("psutil").Process()
    for look in count(1):
        if os.getppid() != parent:
            os._exit(ORPHANED)
        if process.memory_info().rss > memory_mb * 1_000_000:
            os._exit(OVER_MEMORY)
        if look % _SPEAK_EVERY_LOOK == 0:
            say(alive=True)  # whoever hears it may have cause to end it
        threading.Event().wait(_LOOK_EVERY)


if __name__ == "__main__":
    sys.exit(main())
