"""Needs: what it takes of a target to judge a clause, beside an answer, and why it was lacking.

An excuse in a target file speaks of a need, by one of its keys. Pure data; knows no clause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# `choice` is what nobody can demand of a target, such as to keep a connection open.
Kind = Literal["identity", "mint", "state", "owner", "observe", "choice"]
# The key of `not_testable` that excuses every need of a kind.
GROUPS: dict[Kind, str] = {
    "identity": "identities",
    "mint": "mint",
    "state": "states",
    "owner": "owners",
    "observe": "observe",
}
# What meets a need of a kind, by keys of the target file; "{name}" stands for the one needed.
FIXES: dict[Kind, str] = {
    "identity": "give {name} a token (identities), or the key that the target trusts (mint)",
    "mint": "give the key that the target trusts (mint)",
    "state": "give ids, or a handler that makes resources, in {name} (provider_states)",
    "owner": "give a handler that makes resources of {name} (provider_states)",
    "observe": "let the target answer the GET that shows a resource",
}
ANY: dict[Kind, str] = {"identity": "admin", "state": "each state", "owner": "each identity"}


@dataclass(frozen=True)
class Need:
    """One need. `name` is an identity, a permission or a provider state; empty: any of the kind."""

    kind: Kind
    name: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of `not_testable` that excuse it, the one to offer first. None for a choice."""
        if self.kind == "choice":
            return ()
        group = GROUPS[self.kind]
        single = self.name and self.kind in ("identity", "state")
        return (self.name, group) if single else (group,)

    @property
    def fix(self) -> str | None:
        """What in the target file, or of the target, would meet it. None for a choice."""
        fix = FIXES.get(self.kind)
        return fix and fix.format(name=self.name or ANY.get(self.kind))


@dataclass(frozen=True)
class Gap:
    """Why something is not known: in words, and the need behind it where a target lacks one."""

    reason: str
    need: Need | None = None
    word: Literal["not-exercised", "inconclusive"] = "not-exercised"

    @property
    def says(self) -> str:
        """The reason, after the kind of need that it is about."""
        group = GROUPS.get(self.need.kind) if self.need else None
        return f"{group}: {self.reason}" if group else self.reason

    @property
    def free(self) -> bool:
        """Whether nobody can demand of the target what is lacking."""
        return self.need is not None and self.need.kind == "choice"


def choice(reason: str) -> Gap:
    return Gap(reason, Need("choice"))


def inconclusive(reason: str) -> Gap:
    return Gap(reason, word="inconclusive")


def of_resource(state: str, owner: str | None) -> Need:
    """Return the need of a resource in a state, which may have to belong to somebody."""
    return Need("owner", owner) if owner else Need("state", state)


NO_GET = Gap("no GET shows it", Need("observe"))
NO_OBSERVE = Gap("x-lifecycle names no GET that shows it (observe)", NO_GET.need)
NO_STATES = Gap("the target offers no provider states", Need("state"))
