"""What memoria did, as typed events and as OpenTelemetry spans.

What enters: verbs (`traced`), and acts that go on (`Events.span`). What leaves: for each one frozen `Event`, to every
listener, and one span with the same attributes where the program has set an OpenTelemetry tracer provider. Both tell
what happened, whose memory it was, counts, ids, seconds and the class of an error: never a word that anybody said.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast

from memoria.clock import stopwatch, utc_now
from memoria.events import Event

if TYPE_CHECKING:
    from opentelemetry.trace import Span as Recording
    from opentelemetry.trace import Tracer

_MOST_IDS = 100  # of one attribute of a span; an event has them all
_log = logging.getLogger(__name__)
_within: ContextVar[bool] = ContextVar("memoria_within_a_verb", default=False)


Listener = Callable[[Event], object]
E = TypeVar("E", bound=Event)
P = ParamSpec("P")
R = TypeVar("R")


class Span(Generic[E]):
    """An act that goes on: `event` is what is known of it so far."""

    def __init__(self, event: E) -> None:
        self.event = event

    def add(self, **facts: Any) -> None:
        """Tell more of it: values of the event's fields."""
        self.event = replace(self.event, **facts)


@dataclass
class _Subscription:
    listener: Listener
    failed: bool = False

    def __call__(self, event: Event) -> None:
        try:
            self.listener(event)
        except Exception:
            if not self.failed:
                self.failed = True
                _log.exception("A listener of memoria's events failed at %r; it is told on, silently.", event.verb)


class Events:
    """Who listens to one Memory. Safe to share by threads."""

    def __init__(self) -> None:
        self._subscriptions: tuple[_Subscription, ...] = ()
        self._lock = threading.Lock()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each event, in the thread of the verb and before it returns; what is returned ends it.

        What the listener itself does with memoria is told to nobody. If it raises, the verb does not: the first time
        is logged.
        """
        mine = _Subscription(listener)
        with self._lock:
            self._subscriptions = (*self._subscriptions, mine)

        def unsubscribe() -> None:
            with self._lock:
                self._subscriptions = tuple(each for each in self._subscriptions if each is not mine)

        return unsubscribe

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._subscriptions) or _tracer() is not None

    @contextmanager
    def span(self, event: E) -> Generator[Span[E]]:
        """Time what is done inside, and tell of it as `event` with what `Span.add` adds. Spans inside are nested."""
        act, begun, tracer = Span(event), stopwatch(), _tracer()
        with _recording(tracer, event.verb) if tracer else nullcontext() as recording:
            try:
                yield act
            except BaseException as error:
                act.add(error=type(error).__qualname__)
                raise
            finally:
                act.add(at=utc_now(), seconds=stopwatch() - begun)
                if recording is not None:
                    _describe(recording, act.event)
                self._tell(act.event)

    def _tell(self, event: Event) -> None:
        within = _within.set(True)
        try:
            for each in self._subscriptions:
                each(event)
        finally:
            _within.reset(within)


class HasEvents(Protocol):
    """Something whose verbs are traced."""

    @property
    def events(self) -> Events: ...


S = TypeVar("S", bound=HasEvents)


def traced(
    kind: type[Event], *, by: str | None = None
) -> Callable[[Callable[Concatenate[S, P], R]], Callable[Concatenate[S, P], R]]:
    """Tell of each call of a verb as an event of `kind`; what the verb calls inside is part of it.

    `by` names the verb's first parameter where that is the id it works on and the result does not tell it.
    """

    def decorate(verb: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
        @wraps(verb)
        def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if _within.get() or not self.events.wanted:
                return verb(self, *args, **kwargs)
            whose = _whose(args, kwargs)
            within = _within.set(True)
            try:
                with self.events.span(kind(verb=verb.__name__, **whose)) as act:
                    result = verb(self, *args, **kwargs)
                    act.event = replace(kind.of(result), verb=verb.__name__, **whose)
                    if by is not None:
                        act.add(ids=(kwargs[by] if by in kwargs else args[0],))
                    return result
            finally:
                _within.reset(within)

        return run

    return decorate


def _whose(args: Sequence[object], named: Mapping[str, object]) -> dict[str, Any]:
    if "user" in named:
        return {"user": named["user"], "tenant": named.get("tenant", "default")}
    first = next(iter((*args, *named.values())), None)
    state = getattr(
        first, "gathered", first
    )  # a stage of a reflection is given the stage before, which names its scope
    return {"user": getattr(state, "user", None), "tenant": getattr(state, "tenant", None)}


def _tracer() -> Tracer | None:
    """OpenTelemetry's tracer where the program set a provider: one that did has imported the API, so this need not."""
    provider_of = getattr(sys.modules.get("opentelemetry.trace"), "get_tracer_provider", None)
    provider = provider_of() if provider_of is not None else None
    # What stands there unless the program sets one.
    if provider is None or type(provider).__name__ in ("ProxyTracerProvider", "NoOpTracerProvider"):
        return None
    return provider.get_tracer(__name__)


def _recording(tracer: Tracer, verb: str) -> AbstractContextManager[Recording]:
    # The exception itself is not recorded: its text may quote somebody.
    return tracer.start_as_current_span(f"memoria.{verb}", record_exception=False, set_status_on_exception=False)


def _describe(recording: Recording, event: Event) -> None:
    from opentelemetry.trace import StatusCode  # noqa: PLC0415  # optional, and imported already where this runs

    for field in fields(event):
        value: Any = getattr(event, field.name)
        if field.name in ("verb", "at", "seconds", "error") or value is None:
            continue  # the span has them itself
        if isinstance(value, datetime):
            value = value.isoformat()
        elif isinstance(value, tuple):
            value = cast("tuple[str | int, ...]", value)[:_MOST_IDS]
        recording.set_attribute(f"memoria.{field.name}", value)
    if event.error is not None:
        recording.set_attribute("error.type", event.error)
        recording.set_status(StatusCode.ERROR)
