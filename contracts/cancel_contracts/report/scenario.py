"""A situation in words, such as "admin cancels a Pending resource, second call".

Pure; knows no clause and no report.
"""

from __future__ import annotations

import json

from cancel_contracts.contract.words import AXES, BODIES, IDENTITIES, IDS, LONG_TEXT_CHARS
from cancel_contracts.errors import clip
from cancel_contracts.exchange import Exchange, Form, Situation
from cancel_contracts.parse import NO_JSON, json_value

SHOWN_CHARS = 60
DEFAULT = Situation()
# What stands in a body for what is filled in, and how it reads.
FILLED = {
    "{unique}": "(a number)",
    "{id}": "(its id)",
    "{neighbour}": "(another's id)",
    "{long}": f"({LONG_TEXT_CHARS:,} characters)",
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


def words(exchange: Exchange) -> str:
    """Return who did what to which resource, and what was out of the ordinary."""
    if exchange.kind == "observe":
        return f"{caller(exchange.identity)} looks at {resource(exchange.situation)}"
    return call(exchange.situation, exchange.identity, exchange.sent.method)


def asked(situation: Situation) -> str:
    """Return a situation that a clause asks for, whether or not it came about."""
    identity = situation.identity
    who = "the primary identity" if identity == DEFAULT.identity else identity
    return call(situation, who, situation.method)


def call(situation: Situation, who: str, method: str, also: str = "") -> str:
    """Return who calls what, and what is out of the ordinary; `also` stands after the resource."""
    what, who = resource(situation), caller(who)
    if method == DEFAULT.method:
        parts = [f"{who} cancels {what}{also}"]
    else:
        parts = [f"{who} sends {method} to the cancel route of {what}{also}"]
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
