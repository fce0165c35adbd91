"""What is asked anew where a call in which several neutral facts met was not served. Pure.

Each of its facts that no call was served with is asked by itself: the answer tells which of them is
to blame, and the clauses about the others are not left open.
"""

from __future__ import annotations

from collections.abc import Iterable

from cancel_contracts.contract.compose import Composition, Fact, value, with_value
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange, Situation
from cancel_contracts.plan.steps import Scenario, in_a_row


def apart(contract: Contract, exchanges: Iterable[Exchange]) -> list[Scenario]:
    """Return the calls to make after these, one fact each; none where not even the ordinary call
    was served, or where every fact was.
    """
    composition = Composition(contract)
    served: set[Fact] = set()
    met: dict[Fact, Situation] = {}
    alone: set[Situation] = set()
    ordinary = False
    for exchange in exchanges:
        call = exchange.situation
        told = exchange.kind == "cancel" and exchange.status is not None
        if not told or exchange.put_off or exchange.way_in or not composition.served(call):
            continue
        facts = composition.facts(call)
        if exchange.succeeded:
            ordinary |= not facts
            served |= {(aspect, value(call, aspect)) for aspect in facts}
        elif len(facts) == 1:
            alone.add(call)
        elif "call" not in facts:  # what is about a connection is not told by a call alone
            for aspect in facts:
                single = with_value(composition.ordinary, aspect, call)
                met.setdefault((aspect, value(call, aspect)), single)
    if not ordinary:
        return []
    return [
        in_a_row(s, neighbour=s.owner is not None)
        for fact, s in met.items()
        if fact not in served and s not in alone
    ]
