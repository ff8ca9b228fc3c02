"""Whose memory a run of a graph uses.

What enters: a run's context, its config, and what the developer bound. What leaves: a `Person`: user, tenant, and the
thread as session. Nothing that a model writes is read here, so no model can name another person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from langgraph.config import get_config
from langgraph.runtime import get_runtime

from memoria.errors import InvalidInput
from memoria.records import Scope
from memoria.remember.turns import check_name

_USER, _TENANT = ("user", "user_id"), ("tenant", "tenant_id")
_KEYS = ("langgraph_user_id", *_USER), ("langgraph_tenant_id", *_TENANT)  # the first is LangMem's

User = str | Callable[[Any], str | Scope | None]  # a default, or what finds it in the runtime


@dataclass(frozen=True)
class Person:
    """A person in a tenant, and the thread they are on (None: on none)."""

    user: str
    tenant: str
    session: str | None


@dataclass(frozen=True)
class Binding:
    """How the person of a run is found; user and tenant always come from the same place, the first of these that
    names a user:

    1. `user`, where it is a function: it gets the run's `Runtime` and answers a name, a `Scope` or None,
    2. who a LangGraph server has authenticated,
    3. the run's context: `.user` or `.user_id`, `.tenant` or `.tenant_id`, of an object or a dict,
    4. `config["configurable"]`: `langgraph_user_id`, `user`, `user_id`, and the same for the tenant,
    5. `user`, where it is a name, in `tenant`.
    """

    user: User | None = None
    tenant: str = "default"

    def person(self, runtime: Any = None, config: Mapping[str, Any] | None = None) -> Person:
        """Whose run it is; None for either takes those of the run that is under way. Raises `InvalidInput`."""
        config = running_config() if config is None else config
        runtime = running_runtime() if runtime is None else runtime
        configurable: Mapping[str, Any] = config.get("configurable") or {}
        thread = configurable.get("thread_id")
        for user, tenant in self._named(runtime, configurable):
            if user is not None:
                where = check_name("tenant", self.tenant if tenant is None else tenant)
                return Person(check_name("user", user), where, None if thread is None else str(thread))
        raise InvalidInput(
            "Whose memory this run uses is not known; pass context=… with a `user`, or "
            'config={"configurable": {"langgraph_user_id": …}}, or give `user` where memoria was set up.'
        )

    def _named(self, runtime: Any, configurable: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
        if callable(self.user):
            found = self.user(runtime)
            yield (found.user, found.tenant) if isinstance(found, Scope) else (found, None)
        server = getattr(runtime, "server_info", None)
        authenticated = getattr(server, "user", None)
        if authenticated is not None:
            yield getattr(authenticated, "identity", None) or None, _first(authenticated, _TENANT)
        context = getattr(runtime, "context", None)
        yield _first(context, _USER), _first(context, _TENANT)
        yield _first(configurable, _KEYS[0]), _first(configurable, _KEYS[1])
        if isinstance(self.user, str):
            yield self.user, None


def running_config() -> Mapping[str, Any]:
    """The config of the run that is under way; empty outside of one."""
    try:
        return cast(Mapping[str, Any], get_config())
    except RuntimeError:
        return {}


def running_runtime() -> Any:
    """The runtime of the graph's run that is under way; None outside of one."""
    try:
        return get_runtime()
    except (KeyError, RuntimeError):
        return None


def _first(source: Any, names: tuple[str, ...]) -> Any:
    """The first of `names` that `source`, an object or a mapping, has a value for."""
    if isinstance(source, Mapping):
        values = (cast(Mapping[str, Any], source).get(name) for name in names)
    else:
        values = (getattr(source, name, None) for name in names)
    return next((value for value in values if value is not None), None)
