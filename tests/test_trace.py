"""Events and spans: one for each verb, none of them with anybody's words."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conftest import DIMENSION, OpenMemory
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from opentelemetry import trace as api
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from verbs import SILENT, call_of, fill, verbs

from memoria import AsyncMemory, HashEmbeddings, MemoriaError, Memory, UnknownBelief, UnknownUser
from memoria.events import Event, ForgetEvent, JobEvent, ReadEvent, RecallEvent, ReflectionEvent, WriteEvent

WRITES = {"remember", "believe", "correct", "retract", "learn", "merge", "unmerge", "resolve"} | {
    "consolidate", "reindex", "reembed", "promote", "reject", "rollback", "export_adapter", "feedback", "consent",
    "distill", "fit", "judge", "rebuilt"
}  # fmt: skip
KINDS: dict[str, type[Event]] = {
    "recall": RecallEvent,
    "forget": ForgetEvent,
    "retain": ForgetEvent,
    "reflect": ReflectionEvent,
    "commit": ReflectionEvent,
} | dict.fromkeys(WRITES, WriteEvent)
HOME_WIDE = {"status", "verify", "reindex", "reembed", "users", "owed"}


def heard(memory: Memory) -> list[Event]:
    """The events from now on."""
    events: list[Event] = []
    memory.on_event(events.append)
    return events


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[ReadableSpan]]:
    """A real tracer provider, and what it has exported so far."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(api, "get_tracer_provider", lambda: provider)
    return lambda: list(exporter.get_finished_spans())


@pytest.mark.parametrize("verb", sorted(set(verbs()) - SILENT))
def test_every_verb_tells_of_itself_once(verb: str, memory: Memory) -> None:
    fill(memory)
    args, named = call_of(verb, memory)
    events = heard(memory)
    getattr(memory, verb)(*args, **named)
    (event,) = events
    assert type(event) is KINDS.get(verb, ReadEvent)
    assert event.verb == verb
    assert (event.tenant, event.user) == ((None, None) if verb in HOME_WIDE else ("default", "ana"))
    assert event.error is None
    assert event.at is not None
    assert event.seconds > 0


def test_events_tell_counts_and_ids(memory: Memory) -> None:
    events = heard(memory)
    new = memory.remember(["I live in Porto.", "I like tea."], user="ana", tenant="acme")
    context = memory.recall("Where do I live?", user="ana", tenant="acme")
    belief = memory.beliefs(user="ana", tenant="acme")[0]
    memory.retract(belief.id, user="ana", tenant="acme")
    receipt = memory.forget(user="ana", tenant="acme", ids=[new[0].id])
    memory.reflect(user="ana", tenant="acme")
    kept, asked, listed, retracted, forgotten, reflected = events
    assert isinstance(kept, WriteEvent)
    assert (kept.ids, kept.count, kept.tenant) == (tuple(each.id for each in new), 2, "acme")
    assert isinstance(asked, RecallEvent)
    assert asked.hits == tuple(hit.episode.id for hit in context.hits)
    assert asked.beliefs == tuple(hit.belief.id for hit in context.beliefs)
    assert (asked.tokens, asked.known) == (context.tokens, context.known)
    assert isinstance(listed, ReadEvent)
    assert belief.id in listed.ids
    assert isinstance(retracted, WriteEvent)
    assert retracted.ids == (belief.id,)
    assert isinstance(forgotten, ForgetEvent)
    assert (forgotten.receipts, forgotten.episodes, forgotten.complete) == ((receipt.number,), 1, True)
    assert isinstance(reflected, ReflectionEvent)
    assert (reflected.version, reflected.changed) == (1, True)


def test_an_error_is_told_by_its_class(memory: Memory, exported: Callable[[], list[ReadableSpan]]) -> None:
    fill(memory)
    before, events = len(exported()), heard(memory)
    with pytest.raises(UnknownBelief):
        memory.explain("Bolota", user="ana")
    with pytest.raises(UnknownUser):
        memory.recall("Where?", user="bo")
    assert [(event.verb, event.user, event.error) for event in events] == [
        ("explain", "ana", "UnknownBelief"),
        ("recall", "bo", "UnknownUser"),
    ]
    for span in exported()[before:]:
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description is None
        assert not span.events
    assert "Bolota" not in "".join(span.to_json() for span in exported())


def test_a_listener_that_fails_breaks_nothing_and_is_reported_once(
    memory: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("no")

    memory.on_event(fail)
    events = heard(memory)
    with caplog.at_level(logging.ERROR, "memoria"):
        memory.remember("I live in Porto.", user="ana")
        memory.users()
    assert [event.verb for event in events] == ["remember", "users"]
    assert len(caplog.records) == 1


def test_unsubscribing_ends_it_and_a_listeners_own_calls_are_told_to_nobody(memory: Memory) -> None:
    events: list[Event] = []

    def look(event: Event) -> None:
        events.append(event)
        memory.users()

    stop = memory.on_event(look)
    other = heard(memory)
    memory.remember("I live in Porto.", user="ana")
    stop()
    stop()
    memory.users()
    assert [event.verb for event in events] == ["remember"]
    assert [event.verb for event in other] == ["remember", "users"]


WORDS = st.text("αβγδεζηθικλμνξοπρστυφχψω", min_size=3, max_size=9)


@given(st.lists(WORDS, min_size=5, max_size=5, unique=True))
@examples(max_examples=4, deadline=None)
def test_no_event_and_no_span_holds_a_word(words: list[str]) -> None:
    place, sister, taste, session, other = words
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(api, "get_tracer_provider", lambda: provider)
        with Memory(folder, embeddings=HashEmbeddings(DIMENSION)) as memory:
            events = heard(memory)
            memory.remember(
                [f"I live in {place}.", f"My sister is {sister}.", f"I like {taste}."], user="ana", session=session
            )
            memory.believe("works on", other, user="ana", subject=sister)
            memory.recall(f"Who is {sister}?", user="ana", session=session)
            memory.beliefs(user="ana", about=place)
            for verb in ("entities", "graph", "resolve", "sessions", "episodes", "reflect", "profile", "status"):
                getattr(memory, verb)(**({} if verb == "status" else {"user": "ana"}))
            with suppress(MemoriaError):
                memory.merge(sister, other, user="ana")
            for act in (memory.explain, memory.retract, memory.explain_turn):
                with pytest.raises(MemoriaError):
                    act(place, user="ana")
            memory.correct(memory.beliefs(user="ana")[0].id, other, user="ana")
            memory.forget(user="ana", query=place, dry_run=True)
            memory.forget(user="ana", session=session)
            memory.verify_forgotten([f"My sister is {sister}."], user="ana")
    told = [repr(event) for event in events] + [span.to_json(indent=None) for span in exporter.get_finished_spans()]
    assert len(told) == 2 * len(events) > 30
    assert not [
        each for each in told if any(word in each or word.encode("unicode_escape").decode() in each for word in words)
    ]


def test_spans_nest(memory: Memory, exported: Callable[[], list[ReadableSpan]]) -> None:
    memory.remember("I live in Porto.", user="ana")
    events = heard(memory)
    with memory.events.span(JobEvent(verb="job", job="reflect", user="ana", tenant="default")) as job:
        memory.reflect(user="ana")
        asyncio.run(AsyncMemory.of(memory).recall("Where do I live?", user="ana"))
        job.add(outcome="done", attempt=2)
    assert [event.verb for event in events] == ["reflect", "recall", "job"]
    assert isinstance(events[-1], JobEvent)
    assert (events[-1].outcome, events[-1].attempt) == ("done", 2)
    assert events[-1].seconds > events[0].seconds
    spans = {span.name: span for span in exported()}
    assert set(spans) == {"memoria.remember", "memoria.reflect", "memoria.recall", "memoria.job"}
    outer = spans["memoria.job"]
    assert outer.attributes is not None
    assert outer.attributes["memoria.outcome"] == "done"
    for name in ("memoria.reflect", "memoria.recall"):
        inner = spans[name]
        assert inner.parent is not None
        assert inner.parent.span_id == outer.get_span_context().span_id
        assert inner.attributes is not None
        assert inner.attributes["memoria.user"] == "ana"
    assert spans["memoria.recall"].attributes == {
        f"memoria.{name}": getattr(events[1], name)
        for name in ("tenant", "user", "hits", "beliefs", "dropped", "tokens", "confidence", "known")
    }


def test_a_program_that_sets_no_provider_has_no_spans(open_memory: OpenMemory) -> None:
    assert not open_memory().events.wanted


def test_everything_works_without_opentelemetry(tmp_path: Path) -> None:
    script = """if True:
        import sys

        class Blocker:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] == "opentelemetry":
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Blocker())
        from memoria import HashEmbeddings, Memory
        with Memory(sys.argv[1], embeddings=HashEmbeddings(8)) as memory:
            memory.on_event(lambda event: print(type(event).__name__))
            memory.remember("I live in Porto.", user="ana")
            memory.recall("Where do I live?", user="ana")
        print([name for name in sys.modules if name.startswith("opentelemetry")])
    """
    told = subprocess.check_output([sys.executable, "-c", script, str(tmp_path)], text=True)
    assert told.split("\n")[:3] == ["WriteEvent", "RecallEvent", "[]"]
