"""AsyncMemory: `Memory`, awaited.

What enters: the verbs of `Memory`. What leaves: the same verbs, each run whole in one of a few worker threads, so that
the event loop goes on meanwhile. There is one bridge, `awaited`, and no second copy of any logic: signatures, types and
docstrings are the verbs' own.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from langchain_core.embeddings import Embeddings

from memoria.clock import Clock, utc_now
from memoria.errors import InvalidInput, MemoriaError
from memoria.extract.ontology import Ontology
from memoria.extract.proposals import Extractor
from memoria.memory import Memory
from memoria.models.embeddings import Embedder
from memoria.settings import Settings
from memoria.store.items import Items
from memoria.trace import Events, Listener

THREADS = 8  # SQLite lets one write at a time; recall is mostly numpy and SQLite, which let go of the interpreter
P = ParamSpec("P")
R = TypeVar("R")


def awaited(
    verb: Callable[Concatenate[Memory, P], R],
) -> Callable[Concatenate[AsyncMemory, P], Coroutine[Any, Any, R]]:
    """The verb of `Memory` as a coroutine of `AsyncMemory`."""

    @wraps(verb)
    async def run(self: AsyncMemory, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._in_thread(lambda: verb(self.memory, *args, **kwargs))  # pyright: ignore[reportPrivateUsage]

    return run


class AsyncMemory:
    """The memory kept in the folder `home`, for asyncio: `Memory`'s verbs, awaited. The arguments are `Memory`'s.

    The home is opened by `async with`, else by the first verb or property. At most `threads` verbs run at once, others
    wait their turn. Callbacks (`progress`, `on_event`'s listener, a clock) are called in the worker threads.

    Cancelling: a verb that still waits for a thread never begins; one that has begun goes on to its end, though nobody
    awaits it. So a cancelled write happens whole or not at all; `close` waits for what still runs.

    Raises:
        InvalidInput: `threads` is less than 1.
        CorruptHome, HomeTooNew, StoreError: the home cannot be used; from `async with` or the first verb.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        embeddings: Embeddings | Embedder | str | None = None,
        settings: Settings | None = None,
        extractor: Extractor | None = None,
        clock: Clock = utc_now,
        threads: int = THREADS,
    ) -> None:
        opening = partial(Memory, home, embeddings=embeddings, settings=settings, extractor=extractor, clock=clock)
        self._begin(opening, threads)

    @classmethod
    def of(cls, memory: Memory, *, threads: int = THREADS) -> Self:
        """The same for a `Memory` that is open; who opened it closes it."""
        made = cls.__new__(cls)
        made._begin(None, threads)
        made._memory = memory
        return made

    remember = awaited(Memory.remember)
    recall = awaited(Memory.recall)
    examine = awaited(Memory.examine)
    explain_turn = awaited(Memory.explain_turn)
    forget = awaited(Memory.forget)
    verify_forgotten = awaited(Memory.verify_forgotten)
    status = awaited(Memory.status)
    verify = awaited(Memory.verify)
    reindex = awaited(Memory.reindex)
    reembed = awaited(Memory.reembed)

    beliefs = awaited(Memory.beliefs)
    believe = awaited(Memory.believe)
    correct = awaited(Memory.correct)
    retract = awaited(Memory.retract)
    explain = awaited(Memory.explain)
    why_not = awaited(Memory.why_not)
    learn = awaited(Memory.learn)
    retain = awaited(Memory.retain)

    reflect = awaited(Memory.reflect)
    gather = awaited(Memory.gather)
    consolidate = awaited(Memory.consolidate)
    check = awaited(Memory.check)
    commit = awaited(Memory.commit)
    profile = awaited(Memory.profile)
    profiles = awaited(Memory.profiles)
    compare_profiles = awaited(Memory.compare_profiles)

    adapters = awaited(Memory.adapters)
    adapter = awaited(Memory.adapter)
    may_serve = awaited(Memory.may_serve)
    serving = awaited(Memory.serving)
    head = awaited(Memory.head)
    promote = awaited(Memory.promote)
    reject = awaited(Memory.reject)
    rollback = awaited(Memory.rollback)
    export_adapter = awaited(Memory.export_adapter)
    compare_adapters = awaited(Memory.compare_adapters)
    owed = awaited(Memory.owed)
    distill = awaited(Memory.distill)
    fit = awaited(Memory.fit)
    judge = awaited(Memory.judge)
    rebuilt = awaited(Memory.rebuilt)
    exposure = awaited(Memory.exposure)

    feedback = awaited(Memory.feedback)
    consent = awaited(Memory.consent)
    dataset = awaited(Memory.dataset)

    entities = awaited(Memory.entities)
    merge = awaited(Memory.merge)
    unmerge = awaited(Memory.unmerge)
    merges = awaited(Memory.merges)
    resolve = awaited(Memory.resolve)
    graph = awaited(Memory.graph)

    users = awaited(Memory.users)
    sessions = awaited(Memory.sessions)
    episodes = awaited(Memory.episodes)
    revision = awaited(Memory.revision)

    def on_event(self, listener: Listener) -> Callable[[], None]:
        """As `Memory.on_event`; nothing to wait for. The listener is called in the worker threads."""
        return self.events.subscribe(listener)

    @property
    def memory(self) -> Memory:
        """The `Memory` underneath, opened in the caller's thread if nothing has opened it yet."""
        with self._lock:
            if self._memory is None:
                if self._opening is None or self._closed:
                    raise MemoriaError("This AsyncMemory is closed; open a new one.")
                self._memory = self._opening()
            return self._memory

    @property
    def home(self) -> Path:
        """The folder."""
        return self.memory.home

    @property
    def settings(self) -> Settings:
        """All knobs."""
        return self.memory.settings

    @property
    def embedder(self) -> Embedder:
        """The embedding model; the first use loads it in the caller's thread, any verb that needs it in a worker's."""
        return self.memory.embedder

    @property
    def now(self) -> datetime:
        """The time, by the clock that this memory goes by."""
        return self.memory.now

    @property
    def ontology(self) -> Ontology:
        """What is known of predicates, the user's own included."""
        return self.memory.ontology

    @property
    def items(self) -> Items:
        """The items that LangGraph's store keeps in this home; `MemoriaStore` has verbs to await."""
        return self.memory.items

    @property
    def events(self) -> Events:
        """Who listens."""
        return self.memory.events

    async def close(self) -> None:
        """Wait for the verbs that still run, then let go of the home. Closing twice is no error."""
        self._closed = True
        await asyncio.shield(asyncio.to_thread(self._let_go))

    async def __aenter__(self) -> Self:
        try:
            await self._in_thread(lambda: self.memory)
        except BaseException:
            await self.close()  # it may have been cancelled while it opened
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # -- inside --------------------------------------------------------------------------------------------------

    def _begin(self, opening: Callable[[], Memory] | None, threads: int) -> None:
        if threads < 1:
            raise InvalidInput(f"threads must be at least 1; it is {threads}.")
        self._opening = opening  # None: somebody else's
        self._memory: Memory | None = None
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="memoria")
        self._lock = threading.Lock()
        self._closed = False

    async def _in_thread(self, act: Callable[[], R]) -> R:
        if self._closed:
            raise MemoriaError("This AsyncMemory is closed; open a new one.")
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()  # so that spans nest in the caller's
        return await loop.run_in_executor(self._threads, context.run, act)

    def _let_go(self) -> None:
        self._threads.shutdown()
        if self._opening is not None and self._memory is not None:
            self._memory.close()
