"""What one value of a fact does to a call: a must-clause about it alone decides. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from cancel_contracts.contract.given import listed
from cancel_contracts.contract.model import Clause
from cancel_contracts.exchange import Situation

Kind = Literal["neutral", "refused", "open"]


@dataclass(frozen=True)
class Standing:
    """What one value does to a call; `statuses` are those that may refuse it."""

    kind: Kind
    statuses: tuple[Any, ...] = ()


NEUTRAL, OPEN = Standing("neutral"), Standing("open", ("4xx",))


def standing_of(clause: Clause) -> Standing:
    """Return what the facts of a clause do to a call."""
    expect = clause.expect
    if expect.get("connection"):
        return NEUTRAL
    if clause.level != "must" or "status" not in expect:
        return OPEN
    statuses = tuple(listed(expect["status"]))
    classes = {str(word)[:1] for word in statuses}
    if classes == {"2"}:
        return NEUTRAL
    if "4" in classes and not classes & {"2", "3"}:
        return Standing("refused", statuses)
    others = tuple(word for word in statuses if str(word)[:1] not in "24")
    return Standing("open", (*OPEN.statuses, *others))


def done_already(situation: Situation, named: Collection[str], call: Standing) -> list[str]:
    """Return the status with which what is cancelled already may be answered as done, where a page
    leaves that open, before a server reads what a clause is about (`named`): the body and its form.
    """
    late = {"body", "content_type", "transfer"}.issuperset(named)
    return ["2xx"] if situation.follows and late and call.kind == "open" else []
