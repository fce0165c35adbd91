"""A situation in words, such as "admin cancels a Pending resource, second call".

Pure; knows no clause and no report.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields

from cancel_contracts.contract.credentials import IDENTITIES
from cancel_contracts.contract.words import AXES, BODIES, IDS, LENGTHS
from cancel_contracts.errors import clip
from cancel_contracts.exchange import Exchange, Form, Situation
from cancel_contracts.parse import NO_JSON, json_value

SHOWN_CHARS = 60
SHOWN_NAMES = 4
DEFAULT = Situation()
# What stands in a body for what is filled in, and how it reads.
FILLED = {
    "{unique}": "(a number)",
    "{id}": "(its id)",
    "{cut}": "(its id, cut off)",
    "{neighbour}": "(another's id)",
    **{name: f"({chars:,} characters)" for name, chars in LENGTHS.items()},
}


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


def words(exchange: Exchange, act: str = DEFAULT.method) -> str:
    """Return who did what to which resource, and what was out of the ordinary; `act` is the method
    that cancels.
    """
    if exchange.kind == "observe":
        return f"{caller(exchange.identity)} looks at {resource(exchange.situation)}"
    who, method = caller(exchange.identity), exchange.sent.method
    return _call(exchange.situation, who, method, resource(exchange.situation), act)


def asked(situation: Situation, act: str = DEFAULT.method) -> str:
    """Return a situation that a clause asks for, whether or not it came about."""
    identity = situation.identity
    who = "the primary identity" if identity == DEFAULT.identity else caller(identity)
    return _call(situation, who, situation.method, resource(situation), act)


def common(exchanges: Sequence[Exchange], act: str = DEFAULT.method) -> str:
    """Return what calls have in common, in words: what differs among them does not matter."""
    first, situations = exchanges[0], [x.situation for x in exchanges]
    alike = {
        f.name: getattr(first.situation, f.name)
        for f in fields(Situation)
        if len({getattr(s, f.name) for s in situations}) == 1
    }
    who = caller(first.identity) if len({x.identity for x in exchanges}) == 1 else "a caller"
    methods = dict.fromkeys(x.sent.method for x in exchanges)
    # With the act among them it does not matter what is sent.
    sent = "a request" if len(methods) > 1 and act in methods else some(methods)
    return _call(Situation(**alike), who, sent, _resources(situations), act)


def _resources(situations: Sequence[Situation]) -> str:
    """Return which resources calls name: one, those of some states, or whatever."""
    if len({resource(s) for s in situations}) == 1:
        return resource(situations[0])
    kinds = {s.resource for s in situations}
    if not kinds <= {"cancellable", "final"}:
        return "any id" if kinds & {"cancellable", "final"} else "an id that names nothing"
    states = some(dict.fromkeys(s.state for s in situations if s.state))
    return f"a {kinds.pop()} resource ({states})" if len(kinds) == 1 else "a resource"


def some(names: Iterable[str]) -> str:
    """Return names in a list that ends, however many they are."""
    shown, rest = (found := list(names))[:SHOWN_NAMES], len(found) - SHOWN_NAMES
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    *others, last = shown
    return f"{', '.join(others)} or {last}" if others else last


def _call(situation: Situation, who: str, method: str, what: str, act: str) -> str:
    if method == act:
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
    if situation.parameter is not None:
        name, how = situation.parameter
        row = AXES["parameter"].words.get(how)
        parts.append(row.reads.format(name=name) if row else f"{name} {how}")
    return ", ".join(parts)


def _body(form: Form) -> str:
    row = BODIES.get(form.word)
    reads = row.reads if row else f"body {form.word}"
    return f"{reads} {clip(_text(form.text), SHOWN_CHARS)}" if form.text else reads


def _text(text: str) -> str:
    """Return a body's text as a person writes it: letters as they are, words for what is filled
    in.
    """
    value = json_value(text.encode("utf-8", "surrogatepass"))
    if value is not NO_JSON:
        text = json.dumps(value, ensure_ascii=False)
    for name, word in FILLED.items():
        text = text.replace(name, word)
    return text


def caller(name: str) -> str:
    """Return whoever calls, in words: an identity of the target file goes by its own name."""
    kind, _, permission = name.partition(":")
    if permission:
        kinds = {"delegated": "a user", "application": "an application"}
        return f"{kinds.get(kind, kind)} with {permission} alone"
    row = IDENTITIES.get(name)
    return f"somebody {row.reads}" if row and row.reads else name
