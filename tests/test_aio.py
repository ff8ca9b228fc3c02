"""AsyncMemory: verb by verb the same as Memory, whole under cancellation, bounded in threads."""

from __future__ import annotations

import asyncio
import inspect
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import DIMENSION, Clock, OpenMemory
from verbs import SILENT, call_of, fill, verbs

from memoria import AsyncMemory, HashEmbeddings, InvalidInput, MemoriaError, Memory, Settings, UnknownUser
from memoria.recall.engine import Examined
from memoria.records import Context


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Clock]:
    """A small home, filled and closed, and the clock that it was filled by."""
    home, clock = tmp_path_factory.mktemp("filled") / "home", Clock()
    with Memory(home, embeddings=HashEmbeddings(DIMENSION), settings=Settings(), clock=clock) as memory:
        fill(memory)
    return home, clock


def opened(filled: tuple[Path, Clock], folder: Path) -> Memory:
    """A copy of the small home, opened at the same time of day."""
    home, clock = filled
    own = Clock()
    own.now = clock.now
    shutil.copytree(home, folder)
    return Memory(folder, embeddings=HashEmbeddings(DIMENSION), settings=Settings(), clock=own)


def comparable(result: Any) -> Any:
    """A result without what differs from run to run, or cannot be compared."""
    if isinstance(result, Context):
        return result.model_copy(update={"timings": {}})
    if isinstance(result, Examined):
        return list(result.ranking.best(5)), result.asked
    if isinstance(result, dict):
        return result | {"home": None}
    if hasattr(result, "edges"):
        return sorted(map(repr, result.edges(data=True)))
    return result


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_has_the_same_name_parameters_types_and_words(verb: str) -> None:
    own, theirs = getattr(Memory, verb), getattr(AsyncMemory, verb, None)
    assert theirs is not None, f"AsyncMemory lacks {verb}: add `{verb} = awaited(Memory.{verb})`"
    assert inspect.signature(theirs) == inspect.signature(own)
    assert theirs.__doc__
    assert inspect.iscoroutinefunction(theirs) == (verb != "on_event")
    if verb not in SILENT:
        assert theirs.__doc__ == own.__doc__


def test_it_has_memorys_properties_and_arguments(memory: Memory) -> None:
    names = {name for name in (*vars(memory), *dir(Memory)) if not name.startswith("_")}
    bridge = AsyncMemory.of(memory)
    assert names <= set(dir(bridge))
    for name in names - set(verbs()) - {"now"}:  # which is later each time
        assert getattr(bridge, name) is getattr(memory, name)
    own, theirs = (dict(inspect.signature(each.__init__).parameters) for each in (Memory, AsyncMemory))
    assert theirs.pop("threads").kind is inspect.Parameter.KEYWORD_ONLY
    assert own == theirs


@pytest.mark.parametrize("verb", sorted(set(verbs()) - SILENT))
def test_every_verb_gives_the_same(verb: str, filled: tuple[Path, Clock], tmp_path: Path) -> None:
    with opened(filled, tmp_path / "one") as one:
        args, named = call_of(verb, one)
        wanted = getattr(one, verb)(*args, **named)

    async def awaited(other: Memory) -> Any:
        async with AsyncMemory.of(other) as bridge:
            return await getattr(bridge, verb)(*args, **named)

    with opened(filled, tmp_path / "two") as other:
        args, named = call_of(verb, other)
        assert comparable(asyncio.run(awaited(other))) == comparable(wanted)


def test_it_opens_and_closes_its_own_home_and_raises_what_memory_raises(home: Path, settings: Settings) -> None:
    async def live() -> AsyncMemory:
        async with AsyncMemory(home, embeddings=HashEmbeddings(DIMENSION), settings=settings) as memory:
            assert memory.home == home
            assert len(await memory.remember("I live in Porto.", user="ana")) == 1
            with pytest.raises(UnknownUser):
                await memory.recall("Where?", user="bo")
            many = await asyncio.gather(*(memory.recall("Where do I live?", user="ana") for _ in range(20)))
            assert {context.hits[0].episode.text for context in many} == {"I live in Porto."}
        await memory.close()
        return memory

    closed = asyncio.run(live())
    for use in (lambda: asyncio.run(closed.users()), lambda: closed.memory.users()):
        with pytest.raises(MemoriaError, match="closed"):
            use()
    with pytest.raises(InvalidInput, match="threads"):
        AsyncMemory(home, threads=0)


def test_a_wrapped_memory_stays_open(memory: Memory) -> None:
    async def live() -> None:
        async with AsyncMemory.of(memory) as bridge:
            await bridge.remember("I live in Porto.", user="ana")

    asyncio.run(live())
    assert len(memory.episodes(user="ana")) == 1


class Gate(HashEmbeddings):
    """Embeds once it is let to; tells that it was begun, and how many are at it."""

    def __init__(self) -> None:
        super().__init__(DIMENSION)
        self.begun, self.open, self.lock = threading.Event(), threading.Event(), threading.Lock()
        self.now = self.most = 0

    def embed_array(self, texts: list[str]) -> Any:  # type: ignore[override]
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.begun.set()
        assert self.open.wait(60)
        with self.lock:
            self.now -= 1
        return super().embed_array(texts)


async def until(event: threading.Event) -> None:
    """Wait without a worker thread."""
    while not event.is_set():
        await asyncio.sleep(0.001)


def test_a_cancelled_write_happens_whole_or_not_at_all(open_memory: OpenMemory) -> None:
    gate = Gate()
    memory = open_memory(embeddings=gate)

    async def live() -> None:
        async with AsyncMemory.of(memory, threads=1) as bridge:
            begun = asyncio.create_task(bridge.remember(["I live in Porto.", "I like tea."], user="ana"))
            await until(gate.begun)
            waiting = asyncio.create_task(bridge.remember("I like beer.", user="ana"))
            await asyncio.sleep(0)
            for task in (begun, waiting):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            gate.open.set()  # leaving waits for the thread

    asyncio.run(live())
    assert [episode.text for episode in memory.episodes(user="ana")] == ["I live in Porto.", "I like tea."]


def test_no_more_threads_than_allowed_run_and_the_loop_goes_on(open_memory: OpenMemory) -> None:
    gate = Gate()
    memory = open_memory(embeddings=gate)

    async def live() -> None:
        async with AsyncMemory.of(memory, threads=2) as bridge:
            writes = [asyncio.create_task(bridge.remember(f"I like tea {n}.", user="ana")) for n in range(6)]
            while gate.now < 2:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)  # a third would come in here
            gate.open.set()
            await asyncio.gather(*writes)

    asyncio.run(live())
    assert gate.most == 2
    assert len(memory.episodes(user="ana")) == 6


def test_a_home_whose_opening_was_cancelled_is_closed(home: Path, settings: Settings) -> None:
    begun, go = threading.Event(), threading.Event()
    clock = Clock()

    def slow() -> Any:
        begun.set()
        assert go.wait(60)
        return clock()

    async def live() -> AsyncMemory:
        memory = AsyncMemory(home, embeddings=HashEmbeddings(DIMENSION), settings=settings, clock=slow)
        opening = asyncio.create_task(memory.__aenter__())
        await until(begun)
        opening.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await opening
        return memory

    with pytest.raises(MemoriaError, match="closed"):
        asyncio.run(live()).memory.users()


def test_progress_and_listeners_are_called(memory: Memory) -> None:
    heard: list[str] = []
    done: list[tuple[int, int]] = []

    async def live() -> None:
        async with AsyncMemory.of(memory) as bridge:
            stop: Callable[[], None] = bridge.on_event(lambda event: heard.append(event.verb))
            await bridge.remember("I live in Porto.", user="ana", progress=lambda n, of: done.append((n, of)))
            stop()
            await bridge.users()

    asyncio.run(live())
    assert heard == ["remember"]
    assert done[-1] == (1, 1)
