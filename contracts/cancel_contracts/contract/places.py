"""Places in an entity: the name of a property, or a JSON pointer (RFC 6901) to one in the depth.

An entity is *opened* along the way to such places: the members of the objects on it stand beside
the other properties, each under its pointer. Whoever reads, writes or compares properties goes by
these names and need not know how deep they lie. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

PARTS = ("allOf", "anyOf", "oneOf")


def place(text: str) -> str:
    """Return the one spelling of a place. Raises ValueError for what is no JSON pointer."""
    if not text.startswith("/"):
        return text
    if re.search("~(?![01])", text):
        raise ValueError(f"{text!r} is no JSON pointer: ~ is written ~0, and / in a name ~1")
    tokens = _tokens(text)
    return tokens[0] if len(tokens) == 1 else text


def _tokens(pointer: str) -> list[str]:
    return [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]


def _token(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def in_list(at: str) -> tuple[str, str] | None:
    """Return the list, and the property of its items, that a place names as `/list/-/property`;
    None where it names no such.
    """
    head, found, name = at.partition("/-/") if at.startswith("/") else (at, "", "")
    return (place(head), _tokens(f"/{name}")[0]) if found else None


def ways(places: Iterable[str]) -> frozenset[str]:
    """Return the pointers of the objects on the way to places."""
    found: set[str] = set()
    for at in places:
        at = at.partition("/-/")[0] if in_list(at) else at
        parts = at.split("/")[1:-1] if at.startswith("/") else []
        found |= {"/" + "/".join(parts[: n + 1]) for n in range(len(parts))}
    return frozenset(found)


def top(at: str) -> str:
    """Return the property of the whole entity that a place lies in."""
    return _tokens(at)[0] if at.startswith("/") else at


def opened(entity: Mapping[str, Any], along: frozenset[str]) -> dict[str, Any]:
    """Return an entity opened along some ways."""
    if not along:
        return entity if isinstance(entity, dict) else dict(entity)
    return dict(_members(entity, along, ""))


def _members(value: Mapping[str, Any], along: frozenset[str], at: str) -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        pointer = at + _token(name)
        if pointer in along and isinstance(inner, dict):
            yield from _members(inner, along, pointer)
        else:
            yield (pointer if at else name), inner


def closed(view: Mapping[str, Any], along: frozenset[str]) -> dict[str, Any]:
    """Return the entity that `opened` gives a view of."""
    if not along:
        return view if isinstance(view, dict) else dict(view)
    whole: dict[str, Any] = {}
    for key, value in view.items():
        names = _tokens(key) if key.rpartition("/")[0] in along else [key]
        inside = whole
        for name in names[:-1]:
            if not isinstance(inside.get(name), dict):
                inside[name] = {}
            inside = inside[name]
        inside[names[-1]] = value
    return whole


def documented(schema: Any, along: frozenset[str], at: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what a schema lists of an opened entity: each place, and its schema. An object that
    lists no members of its own stands for whatever lies in it.
    """
    if not isinstance(schema, Mapping):
        return
    for key in PARTS:
        for part in schema.get(key) or ():
            yield from documented(part, along, at)
    for name, inner in (schema.get("properties") or {}).items():
        pointer = at + _token(name)
        members = [*documented(inner, along, pointer)] if pointer in along else []
        yield from members or [(pointer if at else name, inner)]


def lies_within(at: str, objects: Iterable[str]) -> bool:
    """Whether a place lies in one of some objects."""
    pointers = {name if name.startswith("/") else _token(name) for name in objects}
    parts = at.split("/") if at.startswith("/") else []
    return any("/".join(parts[:n]) in pointers for n in range(2, len(parts)))
