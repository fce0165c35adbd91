"""What came on a connection that was kept: whether it is to be believed, or asked for anew.

RFC 9112 sections 9.3 and 9.5: a server may close a connection after any answer, and an idle one at
any time; what it has not read of one request, it takes for the next one. What a clause says of a
call is judged by one on a connection of its own.
"""

from __future__ import annotations

from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.given import fits, kind_of, listed
from cancel_contracts.contract.words import right_errors
from cancel_contracts.exchange import Exchange, Sent
from cancel_contracts.parse import success
from cancel_contracts.transport.client import Answer, Transport

CLOSED = 6  # calls that met a closed connection: then the server keeps none, and rows do not either
# What a GET may be answered by whoever has read it, or could not pass it on.
TOLD = (401, 403, 404, 410, 429, 502, 503, 504)


def astray(composition: Composition, exchange: Exchange) -> bool:
    """Whether a call on a kept connection came to nothing that its clauses expect: no answer, or a
    refusal of another kind. A success it never is: that is judged as it stands.
    """
    if not exchange.reused or exchange.succeeded or exchange.put_off:
        return False
    if exchange.unanswered or exchange.status is None:
        return True
    if exchange.status in right_errors(exchange.situation):
        return False
    clauses = {c.id: c for c in composition.contract.clauses if c.level == "must"}
    for id_, speaks, _ in composition.speaking(kind_of(exchange.situation), exchange.status, False):
        if (clause := clauses.get(id_)) is None:
            continue
        readings = [speaks.expect] if speaks.expect else [*clause.readings.values()]
        wanted = [r["status"] for r in readings or [clause.expect] if "status" in r]
        if wanted and not any(fits(exchange.status, listed(words)) for words in wanted):
            return True
    return False


def looks(transport: Transport, request: Sent, via: Transport | None) -> list[Answer]:
    """Send a GET, on the connection that `via` keeps where there is one; again on a new one where
    what came tells of the connection alone (it is safe: RFC 9110 section 9.2.1). Return what came,
    that of the resource last.
    """
    if via is None:
        answer = transport.beside(request)
        lost = answer.received is None or answer.received.error
        return [transport.send(request) if answer.reused and lost else answer]
    answer = via.send(request, keep_alive=True)
    got = answer.received
    heard = got is not None and (success(got.status) or got.status in TOLD) and not got.error
    if not answer.reused or heard:
        return [answer]
    via.close()
    return [answer, via.send(request, keep_alive=True)]
