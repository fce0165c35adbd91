"""What a provider-state handler answers: what it has made, and its answer in words. Pure."""

from __future__ import annotations

from cancel_contracts.errors import one_line
from cancel_contracts.exchange import Received
from cancel_contracts.parse import identifier, json_value

SHOWN_CHARS = 80  # of the body of an answer, in messages


def values_of(received: Received) -> dict[str, object] | None:
    """Return the values of a resource that was set up, an `id` among them; or None."""
    values = json_value(received.body, mark=True)
    if not isinstance(values, dict) or identifier(values.get("id")) is None:
        return None
    return values


def in_words(received: Received) -> str:
    """Return an answer in words: its status, where a redirect leads, and how its body begins."""
    text = str(received.status)
    if away := received.redirect:
        text += f", a redirect to {away}, which is not followed"
    try:
        begins = one_line(received.body.decode("utf-8"))[:SHOWN_CHARS]
    except UnicodeDecodeError:
        begins = ""  # packed, it may be: half of that tells nothing, or a secret
    return f"{text}: {begins}" if begins else text
