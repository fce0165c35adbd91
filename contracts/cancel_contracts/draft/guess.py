"""The lifecycle of a draft, guessed from the names of properties and of their values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cancel_contracts.contract.openapi import resolve, schema_of
from cancel_contracts.draft.half import Half

STATES = re.compile(r"(?i)(?:.*_)?(?:state|status|phase)$|.*(?:State|Status|Phase)$")
CANCELLED = re.compile(
    r"(?i)cancell?ed$|cancell?ed_?by|stopped$|aborted$|revoked$|terminated$|withdrawn$|voided$"
)
ON_THE_WAY = re.compile(r"(?i)(?:cancell?|stopp|abort|revok|terminat|delet)ing$")
OVER = re.compile(
    r"(?i)complet|succe|fail|finish|done|ended|expired|denied|rejected|delivered|closed|error|"
    r"timed?_?out|deleted|skipped|fulfil|archived|inactive|disabled"
)
BEGUN = re.compile(
    r"(?i)accepted|queued|paused|started|scheduled|submitted|created|requested|suspended|blocked|"
    r"assigned|initiali[sz]ed|provisioned|enqueued|needed|required|escalated|received|opened"
)
NONE = re.compile(r"(?i)unknown|unspecified|notspecified|none$|other$")
USUAL: tuple[tuple[str, ...], ...] = (("pending",), ("completed", "cancelled"), ("cancelled",))


@dataclass(frozen=True)
class Guess:
    """An x-lifecycle, and what of it somebody has to look at."""

    lifecycle: dict[str, Any]
    todo: tuple[str, ...]


def guess(half: Half, states: Sequence[str] = ()) -> Guess:
    """Return the lifecycle of a half; `states` are cancellable ones that a page names."""
    operation = half.operation
    found: dict[str, Any] = {"cancel": operation["operationId"]}
    if half.observe is not None:
        found["observe"] = half.document["paths"][half.observe]["get"]["operationId"]
    name, values = _property(half)
    todo = []
    if states:
        cancellable: tuple[str, ...] = tuple(states)
        final = tuple(v for v in values if v not in states) or USUAL[1]
        after = tuple(v for v in final if CANCELLED.search(v))[:1]
        todo.append("the cancellable states are the page's; the final ones are guessed")
    elif values:
        rest = [v for v in values if not ON_THE_WAY.search(v) and not NONE.search(v)]
        after = tuple(v for v in rest if CANCELLED.search(v))[:1]
        final = tuple(v for v in rest if CANCELLED.search(v) or _over(v))
        cancellable = tuple(v for v in rest if v not in final)
        todo.append(f"guessed from the values of {name}: {', '.join(values)}")
    else:
        cancellable, final, after = USUAL
        told = "the document lists no states" if half.observe else "no GET shows the resource"
        todo.append(f"{told}: these are placeholders")
    if half.method == "delete" and not (states or any(CANCELLED.search(v) for v in final)):
        final, after = (*final, "gone"), ("gone",)
        todo.append("a DELETE was taken to leave nothing behind; `gone` is a GET that answers 404")
    if not after:
        todo.append("no state tells of a cancel: any change that shows counts as the effect")
    found["shows"] = [name or "status"]
    found |= {"cancellable": list(cancellable or USUAL[0]), "final": list(final or USUAL[1])}
    found["after"] = list(after)
    if on_the_way := [v for v in values if ON_THE_WAY.search(v)]:
        found["through"] = on_the_way
    return Guess(found, tuple(todo))


def _over(value: str) -> bool:
    """Whether a state is one that nothing comes after: what has been done, in English, ends so."""
    return bool(OVER.search(value)) or (value.lower().endswith("ed") and not BEGUN.search(value))


def observed(half: Half) -> Mapping[str, Any]:
    """Return the schema of what the GET shows, resolved; an empty one where there is none."""
    if half.observe is None:
        return {}
    responses = half.document["paths"][half.observe]["get"]["responses"]
    try:
        shown = schema_of(resolve(half.document, responses.get("200", {})))
    except (ValueError, RecursionError):
        return {}
    return shown if isinstance(shown, dict) else {}


def properties(schema: Any, depth: int = 0) -> dict[str, Any]:
    """Return the properties of an object's schema, those of its parts included."""
    if not isinstance(schema, Mapping) or depth > 8:
        return {}
    found = dict(schema.get("properties") or {})
    for key in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(key) or ():
            found |= properties(part, depth + 1)
    return found


def _property(half: Half) -> tuple[str | None, tuple[str, ...]]:
    """Return the property in which the state may stand, and its values where they are listed."""
    named = {n: s for n, s in properties(observed(half)).items() if STATES.match(str(n))}
    listed = {name: _values(schema) for name, schema in named.items()}
    with_values = [name for name, values in listed.items() if values]
    if with_values:
        best = max(with_values, key=lambda n: sum(bool(CANCELLED.search(v)) for v in listed[n]))
        return best, listed[best]
    return next(iter(named), None), ()


def _values(schema: Any) -> tuple[str, ...]:
    if not isinstance(schema, Mapping):
        return ()
    rows = [schema, *(p for k in ("allOf", "anyOf", "oneOf") for p in schema.get(k) or ())]
    found = (v for row in rows if isinstance(row, Mapping) for v in row.get("enum") or ())
    return tuple(dict.fromkeys(v for v in found if isinstance(v, str) and v))
