"""What a call says in its body. Pure."""

from __future__ import annotations

from typing import Any

from cancel_contracts.contract.form import FORM, decoded, typed
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange
from cancel_contracts.parse import NO_JSON, json_value


def sent_value(contract: Contract, exchange: Exchange) -> Any:
    """Return what a body says, by the media type of the operation, or NO_JSON."""
    if contract.media != FORM:
        return json_value(exchange.sent.body)
    texts = decoded(exchange.sent.body)
    return NO_JSON if texts is None else typed(contract.body_schema, texts)


def sent_object(contract: Contract, exchange: Exchange) -> dict[str, Any]:
    value = sent_value(contract, exchange)
    return value if isinstance(value, dict) else {}
