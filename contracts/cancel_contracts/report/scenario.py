"""A situation in words, such as "admin cancels a Pending resource, second call".

Pure; knows no clause and no report.
"""

from __future__ import annotations

from cancel_contracts.contract.words import AXES, BODIES, IDS
from cancel_contracts.errors import clip
from cancel_contracts.exchange import Exchange, Form, Situation

SHOWN_CHARS = 60
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
    for key in ("content-type", "transfer", "call", "extra"):
        axis, value = AXES[key], getattr(situation, AXES[key].field)
        if value != axis.ordinary:
            row = axis.words.get(value)
            parts.append(row.reads if row else f"Content-Type {value}")
    return ", ".join(parts)


def _body(form: Form) -> str:
    row = BODIES.get(form.word)
    reads = row.reads if row else f"body {form.word}"
    return f"{reads} {clip(form.text, SHOWN_CHARS)}" if form.text else reads
