"""One `Memory` a process, for a server that loads graphs and store apart from each other.

What enters: the home that the environment names. What leaves: the same open Memory, however often it is asked for; it
closes with the process.
"""

from __future__ import annotations

import atexit
import threading

from memoria.memory import Memory

_lock = threading.Lock()
_open: list[Memory] = []


def shared_memory() -> Memory:
    """The process's Memory, opened on first use in `$MEMORIA_HOME` or the default folder. It blocks: from a
    coroutine, ask for it in a thread."""
    with _lock:
        if not _open:
            _open.append(Memory())
            atexit.register(_open[0].close)
        return _open[0]
