"""An item's value: that it is JSON, the words of it, and the filters that LangGraph's search takes.

What enters: values and filters as callers give them. What leaves: canonical JSON, readable text, and whether a value
passes. A filter is compared in Python by the rules of LangGraph's `InMemoryStore`; what reaches SQL of it is a bound
text to look for, which only spares reading what cannot pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from memoria.errors import InvalidInput

_ORDERS = ("$gt", "$gte", "$lt", "$lte")
_OPERATORS = ("$eq", "$ne", *_ORDERS)


def to_json(value: Mapping[str, Any], name: str) -> str:
    """`value` as JSON. Raises `InvalidInput`, with the `name` of the item, for what JSON cannot give back the same;
    only tuples are taken as arrays."""
    if not isinstance(value, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not type-checked
        raise InvalidInput(f"The value of {name} is a {type(value).__name__}; an item's value is a dict.")
    whole = dict(value)
    try:
        text = _dumps(whole)
        text.encode()
        same = json.loads(text) == whole
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"The value of {name} is no JSON: {_first_fault(whole) or error}") from error
    fault = None if same else _first_fault(whole)
    if fault is not None:
        raise InvalidInput(f"The value of {name} is no JSON: {fault}")
    return text


def readable(value: Any, name: str = "") -> str:
    """All that a value says, a line for each leaf, with the names of the fields it lies in."""
    return "\n".join(_lines(value, name))


def check_filter(given: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` for an operator that there is not, or that has nothing to compare with."""
    for field, wanted in given.items():
        if not isinstance(field, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not type-checked
            raise InvalidInput(f"The filter's key {field!r} is no string; name a field of the value.")
        if not isinstance(wanted, Mapping):
            continue
        inner = cast(Mapping[str, Any], wanted)
        if not _is_operators(inner):
            check_filter(inner)
            continue
        for operator, operand in inner.items():
            if operator not in _OPERATORS:
                raise InvalidInput(f"The filter on {field!r} has the operator {operator!r}; use {_OPERATORS}.")
            if operator in _ORDERS and _number(operand) is None:
                raise InvalidInput(f"The filter on {field!r} compares with {operand!r}; {operator} takes a number.")


def passes(value: Any, given: Mapping[str, Any]) -> bool:
    """Whether `value` has every field as the filter wants it; a field that is not there counts as None."""
    return all(_agrees(value.get(field), wanted) for field, wanted in given.items())


def needles(given: Mapping[str, Any]) -> Iterator[str]:
    """Texts that stand in the JSON of every value that passes the filter."""
    for field, wanted in given.items():
        if isinstance(wanted, Mapping):
            inner = cast(Mapping[str, Any], wanted)
            if not _is_operators(inner):
                yield from needles(inner)
                continue
            wanted = inner.get("$eq")
        if isinstance(wanted, str):
            needle = _dumps({field: wanted})[1:-1]
            if needle.isascii() or _encodes(needle):
                yield needle


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _first_fault(value: Any, place: str = "it", depth: int = 0) -> str | None:
    """Where `value` is none that JSON knows, in a sentence."""
    if depth > 200:
        return f"it is nested too deep, or holds itself, at {place[:80]}…"
    if value is None or isinstance(value, bool | int):
        return None
    if isinstance(value, str):
        return None if _encodes(value) else f"{place} holds lone surrogates; remove them."
    if isinstance(value, float):
        return None if value - value == 0 else f"{place} is {value}, which JSON has no number for."
    if isinstance(value, Mapping):
        return _fault_in_fields(cast(Mapping[Any, Any], value), place, depth)
    if isinstance(value, list | tuple):
        parts = enumerate(cast("list[Any]", value))
        return next(filter(None, (_first_fault(part, f"{place}[{at}]", depth + 1) for at, part in parts)), None)
    return f"{place} is a {type(value).__name__}; give strings, numbers, booleans, None, lists and dicts of them."


def _fault_in_fields(value: Mapping[Any, Any], place: str, depth: int) -> str | None:
    for field, part in value.items():
        if not isinstance(field, str):
            return f"{place} has the key {field!r}, a {type(field).__name__}; keys are strings."
        fault = _first_fault(field, f"a key of {place}") or _first_fault(part, f"{place}[{field!r}]", depth + 1)
        if fault is not None:
            return fault
    return None


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _lines(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for field, part in cast(Mapping[str, Any], value).items():
            yield from _lines(part, f"{name} {field}" if name else field)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            yield from _lines(part, name)
    elif value is not None and value != "":
        yield f"{name}: {value}" if name else str(value)


def _is_operators(wanted: Mapping[str, Any]) -> bool:
    return any(str(key).startswith("$") for key in wanted)


def _agrees(held: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        inner = cast(Mapping[str, Any], wanted)
        if _is_operators(inner):
            return all(_compares(held, operator, operand) for operator, operand in inner.items())
        return isinstance(held, dict) and passes(held, inner)
    if isinstance(wanted, list | tuple):
        parts = cast("list[Any]", wanted)
        return (
            isinstance(held, list)
            and len(cast("list[Any]", held)) == len(parts)
            and all(_agrees(one, other) for one, other in zip(cast("list[Any]", held), parts, strict=True))
        )
    return held == wanted


def _compares(held: Any, operator: str, operand: Any) -> bool:
    if operator == "$eq":
        return held == operand
    if operator == "$ne":
        return held != operand
    one, other = _number(held), _number(operand)
    if one is None or other is None:
        return False
    if operator == "$gt":
        return one > other
    if operator == "$gte":
        return one >= other
    return one < other if operator == "$lt" else one <= other


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
