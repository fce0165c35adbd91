"""A situation in words, such as "admin cancels a Pending resource, second call".

Pure; knows no clause and no report.
"""

from __future__ import annotations

from cancel_contracts.exchange import Exchange, Situation
from cancel_contracts.report.text import clip

SHOWN_CHARS = 60
CALLS = {
    "second": "second call",
    "concurrent": "one of two calls at once",
    "reused": "on a connection that two calls share",
}
DEFAULT = Situation()


def state(situation: Situation) -> str:
    """Return the resource's state, or the word for a resource that has none."""
    return situation.state or situation.resource


def resource(situation: Situation) -> str:
    if situation.resource == "unknown":
        return "an unknown id"
    if situation.resource == "odd":
        return f"an odd id ({situation.id})"
    name = state(situation)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name} resource"


def words(exchange: Exchange) -> str:
    """Return who did what to which resource, and what was out of the ordinary."""
    if exchange.kind == "observe":
        return f"{exchange.identity} looks at {resource(exchange.situation)}"
    return _call(exchange.situation, exchange.identity, exchange.sent.method)


def asked(situation: Situation) -> str:
    """Return a situation that a clause asks for, whether or not it came about."""
    identity = situation.identity
    who = "the primary identity" if identity == DEFAULT.identity else identity
    return _call(situation, who, situation.method)


def _call(situation: Situation, who: str, method: str) -> str:
    what = resource(situation)
    if method == DEFAULT.method:
        parts = [f"{who} cancels {what}"]
    else:
        parts = [f"{who} sends {method} to the cancel route of {what}"]
    if situation.owner:
        parts.append(f"owned by {situation.owner}")
    if situation.body != DEFAULT.body:
        parts.append(_body(situation.body))
    if situation.content_type == "none":
        parts.append("no Content-Type")
    elif situation.content_type != DEFAULT.content_type:
        parts.append(f"Content-Type {situation.content_type}")
    if situation.transfer != DEFAULT.transfer:
        parts.append(f"{situation.transfer} transfer")
    if situation.call != DEFAULT.call:
        parts.append(CALLS.get(situation.call, f"{situation.call} call"))
    return ", ".join(parts)


def _body(name: str) -> str:
    kind, _, rest = name.partition(":")
    if name == "none":
        return "no body"
    if kind == "json" and rest:
        return f"body {clip(rest, SHOWN_CHARS)}"
    if kind == "example":
        return f"the body of the example {rest!r}"
    return f"body {clip(name, SHOWN_CHARS)}"
