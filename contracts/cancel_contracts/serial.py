"""One serialiser for the data that rooms hand on: dataclasses into JSON values and back.

Derived from the types of the fields, so that a field is told once, where it is defined. Octets are
base64, tuples are lists, a mapping whose keys are no texts is a list of pairs, and where a field
may hold one of several dataclasses "@" names which. Pure; knows no dataclass by name.
"""

from __future__ import annotations

import base64
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union, cast

T = TypeVar("T")
KIND = "@"  # names the class where a field may hold one of several


def dump(
    value: Any, clean: Callable[[str], str] | None = None, verbatim: tuple[type, ...] = ()
) -> Any:
    """Return the JSON value of a dataclass, or of anything that its fields may hold.

    `clean` is asked for each text in it, but for those of the classes `verbatim`.
    """
    return _dump(type(value) if is_dataclass(value) else Any, value, clean, verbatim)


def load(cls: type[T], row: Any, place: str) -> T:
    """Return the dataclass that `dump` made a row of.

    Raises ValueError, with the place first, for a row of another form: a field too few or too many,
    or one of another type.
    """
    return cast(T, _load(cls, row, place))


def _dump(
    hint: Any, value: Any, clean: Callable[[str], str] | None, verbatim: tuple[type, ...]
) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        clean = None if isinstance(value, verbatim) else clean
        hints = _hints(type(value))
        row = {
            f.name: _dump(hints[f.name], getattr(value, f.name), clean, verbatim)
            for f in fields(value)
        }
        return {KIND: type(value).__name__, **row} if len(_classes(hint)) > 1 else row
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        _, args = _parts(hint)
        pairs = [tuple(_dump(Any, x, clean, verbatim) for x in pair) for pair in value.items()]
        texts = args[0] is str if args else all(isinstance(key, str) for key in value)
        return dict(pairs) if texts else [list(pair) for pair in pairs]
    if isinstance(value, (tuple, list, frozenset, set)):
        rows = sorted(value) if isinstance(value, (frozenset, set)) else value
        args = _parts(hint)[1] or (Any,)
        each = args if len(args) == len(rows) and Ellipsis not in args else args[:1] * len(rows)
        return [_dump(h, item, clean, verbatim) for h, item in zip(each, rows, strict=True)]
    if isinstance(value, str) and clean is not None and _parts(hint)[0] is not Literal:
        return clean(value)
    return value


@lru_cache
def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return what a type is made of: its origin, or None, and its arguments."""
    return typing.get_origin(hint), typing.get_args(hint)


@lru_cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


@lru_cache
def _members(hint: Any) -> tuple[Any, ...]:
    """Return what a type allows: the members of a union, or itself."""
    origin, args = _parts(hint)
    return args if origin in (Union, types.UnionType) else (hint,)


@lru_cache
def _classes(hint: Any) -> list[type]:
    """Return the dataclasses that a field of this type may hold."""
    return [m for m in _members(hint) if isinstance(m, type) and is_dataclass(m)]


def _load(hint: Any, row: Any, place: str) -> Any:
    if hint is Any:
        return row
    origin, args = _parts(hint)
    if origin is Literal:
        if not any(row == word and type(row) is type(word) for word in args):
            raise ValueError(f"{place} is none of {', '.join(map(str, args))}")
        return row
    if len(_members(hint)) > 1:
        return _load_one_of(hint, row, place)
    if origin in (tuple, list, set, frozenset):
        return _load_list(origin, args, row, place)
    if origin is not None and issubclass(origin, Mapping):
        return _load_mapping(origin, args, row, place)
    if is_dataclass(hint):
        return _load_dataclass(cast(type, hint), row, place)
    return _load_plain(hint, row, place)


def _load_plain(hint: Any, row: Any, place: str) -> Any:
    if hint is bytes and isinstance(row, str):
        try:
            return base64.b64decode("".join(row.split()), validate=True)
        except ValueError:
            raise ValueError(f"{place} is no base64 text") from None
    if hint is float and type(row) is int:
        return float(row)
    if type(row) is not hint:
        raise ValueError(f"{place} is no {hint.__name__}")
    return row


def _load_one_of(hint: Any, row: Any, place: str) -> Any:
    members = _members(hint)
    if len(classes := _classes(hint)) > 1 and isinstance(row, dict):
        members = tuple(c for c in classes if c.__name__ == row.get(KIND))
        row = {name: value for name, value in row.items() if name != KIND}
    if row is None and type(None) in members:
        return None
    complaint = f"{place} is none of its kinds"
    for member in members:
        if member is type(None):
            continue
        try:
            return _load(member, row, place)
        except ValueError as err:
            complaint = str(err)
    raise ValueError(complaint)


def _load_list(origin: Any, args: tuple[Any, ...], row: Any, place: str) -> Any:
    if not isinstance(row, list):
        raise ValueError(f"{place} is no list")
    pair = origin is tuple and args[-1] is not Ellipsis
    if pair and len(row) != len(args):
        raise ValueError(f"{place} is no list of {len(args)}")
    members = args if pair else (args[0],) * len(row)
    return origin(_load(members[at], item, f"{place}/{at}") for at, item in enumerate(row))


def _load_mapping(origin: Any, args: tuple[Any, ...], row: Any, place: str) -> Any:
    key, item = args if len(args) == 2 else (args[0], int)  # a Counter holds counts
    if key is str:
        if not isinstance(row, dict):
            raise ValueError(f"{place} is no object")
        found = {name: _load(item, value, f"{place}/{name}") for name, value in row.items()}
    else:
        pair = tuple[key, item]  # type: ignore[valid-type]
        found = dict(_load_list(list, (pair,), row, place))
    return found if origin is Mapping or not issubclass(origin, dict) else origin(found)


def _load_dataclass(cls: type, row: Any, place: str) -> Any:
    if not isinstance(row, dict):
        raise ValueError(f"{place} is no object")
    hints = _hints(cls)
    if (other := next((name for name in row if name not in hints), None)) is not None:
        raise ValueError(f"{place} has a field that is not known: {other[:40]}")
    for field in fields(cls):
        optional = field.default is not MISSING or field.default_factory is not MISSING
        if field.name not in row and not optional:
            raise ValueError(f"{place} has no {field.name}")
    return cls(
        **{name: _load(hints[name], value, f"{place}/{name}") for name, value in row.items()}
    )
