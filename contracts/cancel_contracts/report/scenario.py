"""A situation in words, such as "admin cancels a Pending resource, second call".

Pure; knows no clause and no report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from cancel_contracts.contract.given import permission_of
from cancel_contracts.contract.words import AXES, BODIES, IDENTITIES, IDS, LONG_TEXT_CHARS
from cancel_contracts.errors import clip
from cancel_contracts.exchange import Exchange, Form, Situation

SHOWN_CHARS = 60
SHOWN_NAMES = 4
# What stands in a body where the call itself has a text of its own.
HOLES = {
    "{id}": "<its id>",
    "{neighbour}": "<another id>",
    "{unique}": "<unique>",
    "{long}": f"<{LONG_TEXT_CHARS:,} characters>",
}
DEFAULT = Situation()


def state(situation: Situation) -> str:
    """Return the resource's state, or the word for a resource that has none."""
    return situation.state or situation.resource


def resource(situation: Situation) -> str:
    if situation.resource == "unknown":
        return "an unknown id"
    if situation.resource == "odd":
        return IDS[situation.id.word].reads
    name = state(situation)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name} resource"


def beginning(situation: Situation) -> str | None:
    """Return what stands before anything is called; None where that is no resource."""
    if situation.state is None:
        return None
    owner = f", owned by {situation.owner}" if situation.owner else ""
    return resource(situation) + owner


def caller(identity: str) -> str:
    """Return who calls: a role by its name, any other by what it carries."""
    row = IDENTITIES.get(identity)
    if permission := permission_of(identity):
        kind = "an application" if identity.startswith("application") else "a user"
        return f"{kind} with {permission}"
    return f"a caller {row.reads}" if row and row.reads else identity


def words(exchange: Exchange) -> str:
    """Return who did what to which resource, and what was out of the ordinary."""
    if exchange.kind == "observe":
        return f"{caller(exchange.identity)} looks at {resource(exchange.situation)}"
    who, method = caller(exchange.identity), exchange.sent.method
    return _call(exchange.situation, who, method, resource(exchange.situation))


def asked(situation: Situation) -> str:
    """Return a situation that a clause asks for, whether or not it came about."""
    identity = situation.identity
    who = "the primary identity" if identity == DEFAULT.identity else caller(identity)
    return _call(situation, who, situation.method, resource(situation))


def common(exchanges: Sequence[Exchange]) -> str:
    """Return what calls have in common, in words: what differs among them does not matter."""
    first, situations = exchanges[0], [x.situation for x in exchanges]
    alike = {
        f.name: getattr(first.situation, f.name)
        for f in fields(Situation)
        if len({getattr(s, f.name) for s in situations}) == 1
    }
    who = caller(first.identity) if len({x.identity for x in exchanges}) == 1 else "a caller"
    methods = some(dict.fromkeys(x.sent.method for x in exchanges))
    return _call(Situation(**alike), who, methods, _resources(situations))


def _resources(situations: Sequence[Situation]) -> str:
    """Return which resources calls name: one, those of some states, or whatever."""
    if len({resource(s) for s in situations}) == 1:
        return resource(situations[0])
    kinds = {s.resource for s in situations}
    if not kinds <= {"cancellable", "final"}:
        return "whatever the id names" if kinds != {"odd"} else "an odd id"
    states = some(dict.fromkeys(s.state for s in situations if s.state))
    return f"a {kinds.pop()} resource ({states})" if len(kinds) == 1 else "a resource"


def some(names: Iterable[str]) -> str:
    """Return names in a list that ends, however many they are."""
    shown, rest = (found := list(names))[:SHOWN_NAMES], len(found) - SHOWN_NAMES
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    *others, last = shown
    return f"{', '.join(others)} or {last}" if others else last


def _call(situation: Situation, who: str, method: str, what: str) -> str:
    if method == DEFAULT.method:
        parts = [f"{who} cancels {what}"]
    else:
        parts = [f"{who} sends {method} to the cancel route of {what}"]
    if situation.owner:
        parts.append(f"owned by {situation.owner}")
    if situation.body != DEFAULT.body:
        parts.append(_body(situation.body))
    for key in ("content-type", "transfer", "call", "extra"):
        axis, value = AXES[key], getattr(situation, AXES[key].field)
        if value != axis.ordinary:
            row = axis.words.get(value)
            parts.append(row.reads if row else f"Content-Type {value}")
    return ", ".join(parts)


def _body(form: Form) -> str:
    row = BODIES.get(form.word)
    reads = row.reads if row else f"body {form.word}"
    text = form.text
    for hole, told in HOLES.items():
        text = text.replace(hole, told)
    return f"{reads} {clip(text, SHOWN_CHARS)}" if text else reads
