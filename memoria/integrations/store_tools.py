"""LangMem's two tools, with its signatures and its answers, over any `BaseStore`: drop-ins that need no LangMem.

What enters: a namespace, with `{langgraph_user_id}` and the like filled from the run's config. What leaves: tools that
create, update, delete and search items of the store that the run has, or of one given. The model chooses what to
write, never the namespace.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, Optional, cast

from langchain_core.tools import StructuredTool
from langgraph.config import get_store
from langgraph.store.base import BaseStore, SearchItem
from pydantic import BaseModel, ConfigDict, create_model

from memoria.errors import InvalidInput
from memoria.integrations.person import running_config

Action = Literal["create", "update", "delete"]
Namespace = tuple[str, ...] | str

# LangMem's own words (MIT): a model that was prompted with them behaves as before.
_WHEN = (
    "Proactively call this tool when you:\n\n"
    "1. Identify a new USER preference.\n"
    "2. Receive an explicit USER request to remember something or otherwise alter your behavior.\n"
    "3. Are working and want to record important context.\n"
    "4. Identify that an existing MEMORY is incorrect or outdated.\n"
)
_IDS = (
    "Include the MEMORY ID when updating or deleting a MEMORY. "
    "Omit when creating a new MEMORY - it will be created for you."
)
_SEARCH = "Search your long-term memories for information relevant to your current context."


class _ManageTool(StructuredTool):
    """Shows `required` in its schema though nothing is: some providers insist, and LangMem's tool does so."""

    @cached_property
    def tool_call_schema(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # cached, as LangMem's
        schema: Any = super().tool_call_schema
        schema.model_config = ConfigDict(json_schema_extra=_with_required)
        return schema


def create_manage_memory_tool(
    namespace: Namespace,
    *,
    instructions: str = _WHEN,
    schema: type = str,
    actions_permitted: tuple[Action, ...] | None = ("create", "update", "delete"),
    store: BaseStore | None = None,
    name: str = "manage_memory",
) -> StructuredTool:
    """A tool by which a model creates, updates and deletes items of a store.

    Args:
        namespace: where the items lie; a label in braces is filled from `config["configurable"]`.
        instructions: when to use it, for the model. `schema`: what an item's content is.
        actions_permitted: what the model may do. `store`: None takes the run's own.
    """
    if not actions_permitted:
        raise InvalidInput("actions_permitted is empty; name at least one of create, update, delete.")
    default: Action = "create" if "create" in actions_permitted else actions_permitted[0]
    wanted = _Namespace(namespace)

    def manage(content: Any = None, action: Action = default, *, id: uuid.UUID | None = None) -> str:
        held, key = _store(store), _key(action, id, actions_permitted)
        if action == "delete":
            held.delete(wanted(), key=key)
            return f"Deleted memory {key}"
        held.put(wanted(), key=key, value={"content": _plain(content)})
        return f"{action}d memory {key}"

    async def amanage(content: Any = None, action: Action = default, *, id: uuid.UUID | None = None) -> str:
        held, key = _store(store), _key(action, id, actions_permitted)
        if action == "delete":
            await held.adelete(wanted(), key=key)
            return f"Deleted memory {key}"
        await held.aput(wanted(), key=key, value={"content": _plain(content)})
        return f"{action}d memory {key}"

    description = f"{_verbs(actions_permitted)} to persist across conversations.\n{_IDS}\n{instructions}"
    args = _manage_args(name, schema, actions_permitted, default)
    return _ManageTool.from_function(manage, amanage, name=name, description=description, args_schema=args)


def create_search_memory_tool(
    namespace: Namespace,
    *,
    instructions: str = "",
    store: BaseStore | None = None,
    response_format: Literal["content", "content_and_artifact"] = "content",
    name: str = "search_memory",
) -> StructuredTool:
    """A tool by which a model searches a store's items; see `create_manage_memory_tool` for `namespace` and `store`.

    Args:
        response_format: "content" answers JSON; "content_and_artifact" also the items themselves.
    """
    fields: dict[str, Any] = {
        "query": (str, ...),
        "limit": (int, 10),
        "offset": (int, 0),
        "filter": (Optional[dict[str, Any]], None),  # noqa: UP045
    }
    wanted = _Namespace(namespace)

    def answer(found: Sequence[SearchItem]) -> Any:
        text = json.dumps([each.dict() for each in found], ensure_ascii=False, separators=(",", ":"), default=str)
        return (text, found) if response_format == "content_and_artifact" else text

    def search(query: str, *, limit: int = 10, offset: int = 0, filter: dict[str, Any] | None = None) -> Any:
        return answer(_store(store).search(wanted(), query=query, filter=filter, limit=limit, offset=offset))

    async def asearch(query: str, *, limit: int = 10, offset: int = 0, filter: dict[str, Any] | None = None) -> Any:
        return answer(await _store(store).asearch(wanted(), query=query, filter=filter, limit=limit, offset=offset))

    description = f"{_SEARCH} {instructions}"
    return StructuredTool.from_function(
        search,
        asearch,
        name=name,
        description=description,
        args_schema=_args(name, fields),
        response_format=response_format,
    )


class _Namespace:
    """A namespace whose labels in braces are filled from the config of the run under way."""

    def __init__(self, template: Namespace) -> None:
        self._labels = template if isinstance(template, tuple) else (template,)

    def __call__(self) -> tuple[str, ...]:
        configurable: Mapping[str, Any] = running_config().get("configurable") or {}
        return tuple(self._filled(label, configurable) for label in self._labels)

    @staticmethod
    def _filled(label: str, configurable: Mapping[str, Any]) -> str:
        if not label.startswith("{"):
            return label
        key = label.strip("{}")
        if key not in configurable:
            raise InvalidInput(f'The namespace needs {key!r}; pass config={{"configurable": {{"{key}": …}}}}.')
        return configurable[key]


def _key(action: Action, id: uuid.UUID | None, permitted: Sequence[Action]) -> str:
    """The key of the item to write. Raises `InvalidInput`, a `ValueError`, in words that help a model."""
    if action not in permitted:
        raise InvalidInput(f"Invalid action {action}. Must be one of {tuple(permitted)}.")
    if action == "create" and id is not None:
        raise InvalidInput(
            "You cannot provide a MEMORY ID when creating a MEMORY. Please try again, omitting the id argument."
        )
    if action != "create" and id is None:
        raise InvalidInput("You must provide a MEMORY ID when deleting or updating a MEMORY.")
    return str(id or uuid.uuid4())


def _store(given: BaseStore | None) -> BaseStore:
    if given is not None:
        return given
    try:
        found = cast(BaseStore | None, get_store())
    except (KeyError, RuntimeError) as error:
        raise InvalidInput("There is no run under way to take a store from; give the tool its `store`.") from error
    if found is None:
        raise InvalidInput("The graph has no store; compile it with `store=`, or give the tool its `store`.")
    return found


def _plain(content: Any) -> Any:
    return content.model_dump(mode="json") if isinstance(content, BaseModel) else content


def _verbs(actions: Sequence[Action]) -> str:
    if len(actions) == 1:
        return f"{actions[0]} a memory"
    if len(actions) == 2:
        return f"{actions[0].capitalize()} or {actions[1]} a memory"
    return f"{', '.join((actions[0].capitalize(), *actions[1:-1]))}, or {actions[-1]} a memory"


def _manage_args(name: str, schema: type, actions: Sequence[Action], default: Action) -> type[BaseModel]:
    # As LangMem's own signature has it: the schema that a model sees is the same to the letter.
    return _args(
        name,
        {
            "content": (Optional[schema], None),  # noqa: UP045
            "action": (cast(Any, Literal)[tuple(actions)], default),
            "id": (Optional[uuid.UUID], None),  # noqa: UP045
        },
    )


def _args(name: str, fields: dict[str, Any]) -> type[BaseModel]:
    make: Callable[..., type[BaseModel]] = create_model
    return make(name, **fields)


def _with_required(schema: dict[str, Any]) -> None:
    schema.setdefault("required", [])
