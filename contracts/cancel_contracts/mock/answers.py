"""What calls are answered with, as the spec documents each status. No state, no rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.places import closed
from cancel_contracts.mock import identity, shape
from cancel_contracts.mock.call import Call, Refusal, Reply
from cancel_contracts.mock.envelope import Envelope


class Answers:
    """The answers of one contract. `status` is that of a success."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.envelope = Envelope(contract)
        self.status, self.has_body = shape.successes(contract)[0]
        self.has_entity = shape.returns_entity(contract)
        self.final_status = shape.final_status(contract)
        self.properties = shape.entity_properties(contract)
        shape.entity_example(contract)  # raises UsageError where a spec tells too little
        shape.success_body(contract, self.status, {})

    def whole(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        """Return an entity as it is sent: kept, and changed, it is opened."""
        return closed(entity, self.contract.lifecycle.ways)

    def success(self, call: Call, entity: Mapping[str, Any] | None) -> Reply:
        """Return a success as it is documented; `entity` is what a GET shows of its resource."""
        reply = Reply(self.status, self.trace(call))
        if self.has_entity and entity is not None:
            reply = reply.with_json(self.whole(entity))
        elif self.has_body and entity is not None:
            reply = reply.with_json(
                shape.success_body(self.contract, self.status, self.whole(entity))
            )
        return self.with_headers(reply)

    def with_headers(self, reply: Reply) -> Reply:
        """Return an answer with the fields that its status is documented to have."""
        for name, value in shape.headers(self.contract, reply.status):
            reply = reply if reply.header(name) else reply.with_header(name, value)
        return reply

    def refuse(self, call: Call, refusal: Refusal) -> Reply:
        headers = identity.challenging(refusal.headers, self.contract.scheme)
        reply = Reply(refusal.status, (*headers, *self.trace(call)))
        if refusal.status < 400:  # OPTIONS
            return reply
        client = call.headers.get("client-request-id") or call.request_id
        return self.with_headers(self.envelope.told(reply, call.request_id, client))

    def trace(self, call: Call) -> tuple[tuple[str, str], ...]:
        if not self.envelope.traced:
            return ()
        client = call.headers.get("client-request-id", "")
        echo = (("client-request-id", client),) if client.isascii() and client else ()
        return (("request-id", call.request_id), *echo)

    def limited(self, wait: str, status: int | None = None) -> Refusal:
        """Return the refusal by a limit: by this status, else by that of the first quota."""
        status = shape.limit_status(self.contract) if status is None else status
        left = () if status == 429 else (("x-ratelimit-remaining", "0"),)
        return Refusal(status, "throttled", (("Retry-After", wait), *left))

    def filled_in(self, name: str, now: str, who: str) -> Any:
        """Return what a cancel fills a property with."""
        return shape.filled_in(name, self.properties.get(name), now, who)
