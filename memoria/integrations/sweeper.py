"""Sweeping a store's expired items now and then, in a thread of its own.

What enters: what sweeps, and how often. What leaves: a future, as LangGraph's own stores give: cancel it, or stop the
sweeper, and the thread ends. A sweep that fails is logged and tried again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

_log = logging.getLogger(__name__)


class Sweeper:
    """At most one thread that sweeps. Safe to share by threads."""

    def __init__(self, sweep: Callable[[], int]) -> None:
        self._sweep = sweep
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, minutes: float) -> Future[None]:
        """Sweep every so many minutes. One that runs already goes on as it does; its future can be cancelled."""
        future: Future[None] = Future()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._stop = stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(minutes * 60, stop, future), name="memoria-ttl-sweeper", daemon=True
                )
                self._thread.start()
            stop = self._stop
        future.add_done_callback(lambda done: stop.set() if done.cancelled() else None)
        return future

    def stop(self, timeout: float | None = None) -> bool:
        """End the thread; whether it has ended within `timeout` seconds (None: waits)."""
        with self._lock:
            thread = self._thread
            self._stop.set()
        if thread is not None:
            thread.join(timeout)
        return thread is None or not thread.is_alive()

    def _run(self, seconds: float, stop: threading.Event, future: Future[None]) -> None:
        while not stop.wait(seconds):
            try:
                self._sweep()
            except Exception:
                _log.exception("Sweeping expired items failed; it is tried again in %s seconds.", seconds)
        if not future.cancelled():
            future.set_result(None)
