"""What a provider-state handler is asked, what it has made, and its answer in words. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cancel_contracts.errors import clip, one_line
from cancel_contracts.exchange import Received, Sent
from cancel_contracts.parse import identifier, json_value
from cancel_contracts.targets.file import Endpoint

CONSUMER = "cancel-contracts"

SHOWN_CHARS = 80  # of the body of an answer, and of where it leads to, in messages
VALUES_BYTES = 65536  # of an answer to a set-up; of a larger one the id alone is kept


@dataclass(frozen=True)
class Made:
    """A set-up of the handler: its number in the ledger, and what a tear-down is told."""

    number: int
    state: str
    values: dict[str, object]


def state_request(
    endpoint: Endpoint, action: str, state: str, params: dict[str, object] | dict[str, str]
) -> Sent:
    """Return the call of an endpoint's handler: `action` is setup or teardown."""
    assert endpoint.handler is not None
    article = "an" if endpoint.contract[0] in "aeiou" else "a"
    document = {
        "consumer": CONSUMER,
        "state": f"{article} {endpoint.contract} in state {state}",
        "action": action,
        "params": params,
    }
    headers = (("Content-Type", "application/json"),)
    return Sent("POST", endpoint.handler, headers, json.dumps(document).encode())


def values_of(received: Received) -> dict[str, object] | None:
    """Return the values of a resource that was set up, an `id` among them; or None."""
    values = json_value(received.body, mark=True)
    if not isinstance(values, dict) or identifier(values.get("id")) is None:
        return None
    return values if len(received.body) <= VALUES_BYTES else {"id": values["id"]}


def in_words(received: Received) -> str:
    """Return an answer in words: its status, where a redirect leads, and how its body begins."""
    text = str(received.status)
    if away := received.redirect:
        text += f", a redirect to {clip(away, SHOWN_CHARS)}, which is not followed"
    try:
        begins = one_line(received.body.decode("utf-8"))[:SHOWN_CHARS]
    except UnicodeDecodeError:
        begins = ""  # packed, it may be: half of that tells nothing, or a secret
    return f"{text}: {begins}" if begins else text
