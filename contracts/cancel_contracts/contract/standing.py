"""What one value of a fact does to a call: a must-clause about it alone decides. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from cancel_contracts.contract.given import listed
from cancel_contracts.contract.model import Clause

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
