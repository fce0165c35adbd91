"""Read a ledger: what is left to tear down, and what was cancelled for good. Sends nothing.

A run that was killed while it wrote leaves half a line. What that would have announced was never
sent, so it is passed over and said. Any other line that is none raises UsageError.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cancel_contracts.errors import UsageError
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.parse import refusal
from cancel_contracts.pipes import read_bytes
from cancel_contracts.schemas import shape


@dataclass
class SetUp:
    """One set-up. `values` is None where the run never learned what, if anything, was made: nobody
    can tell the target to undo that, and no answer to a tear-down would speak of it.
    """

    number: int
    contract: str
    state: str
    where: str
    how: str  # handler | create
    params: dict[str, Any]
    values: dict[str, Any] | None = None
    left: bool = True

    @property
    def id(self) -> str | None:
        return None if self.values is None else str(self.values["id"])


@dataclass
class Call:
    """One call that may have taken effect. `status` is None where no answer is known of."""

    contract: str
    where: str
    method: str
    identity: str
    state: str | None
    resources: tuple[str, ...]
    status: int | None = None

    @property
    def refused(self) -> bool:
        """Whether the target said that it did nothing."""
        return refusal(self.status)


@dataclass
class Account:
    """What a ledger comes to. `whole_bytes` is where its last whole line ends."""

    path: Path
    set_ups: dict[int, SetUp] = field(default_factory=dict)
    calls: dict[int, Call] = field(default_factory=dict)
    ended: bool = False
    cut_short: bool = False
    whole_bytes: int = 0

    @property
    def left(self) -> list[SetUp]:
        """What is left to tear down, in the order it was made."""
        return [s for s in self.set_ups.values() if s.left and s.values is not None]

    @property
    def maybe_left(self) -> list[SetUp]:
        """Set-ups that may have made something, and nobody knows what."""
        return [s for s in self.set_ups.values() if s.left and s.values is None]

    @property
    def torn_down(self) -> int:
        return sum(1 for s in self.set_ups.values() if s.values is not None and not s.left)

    def cancelled(self) -> dict[tuple[str, str, str], list[Call]]:
        """Return the calls that were not refused, by contract, place and resource; those on
        resources that are torn down left out.
        """
        gone = {(s.contract, s.id) for s in self.set_ups.values() if not s.left}
        found: dict[tuple[str, str, str], list[Call]] = {}
        for call in self.calls.values():
            for id_ in call.resources:
                if not call.refused and (call.contract, id_) not in gone:
                    found.setdefault((call.contract, call.where, id_), []).append(call)
        return found

    def reopen(self, ledger: Ledger) -> None:
        """Let a ledger of this path go on where it ended."""
        ledger.resume(max([0, *self.set_ups, *self.calls]), self.whole_bytes)


def read(path: Path) -> Account:
    """Return the account of a ledger file. Raises UsageError where it is none."""
    try:
        data = read_bytes(path)
    except OSError as err:
        problem = err.strerror or "cannot be read"
        raise UsageError(str(path), problem, "name a ledger file") from None
    whole, _, rest = data.rpartition(b"\n")
    account = Account(path, cut_short=bool(rest), whole_bytes=len(data) - len(rest))
    lines = whole.split(b"\n") if whole else []
    for at, line in enumerate(lines, 1):
        _enter(account, f"{path}:{at}", _row(f"{path}:{at}", line), first=at == 1)
    if not lines and not rest.startswith(b'{"at": '[: len(rest)] or b"-"):
        raise UsageError(str(path), "holds no line of a ledger", "name a ledger file")
    return account


def _row(place: str, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict) or shape("ledger").errors(row):
        raise UsageError(place, "is no line of a ledger", "name a file that --ledger wrote")
    return row


def _enter(account: Account, place: str, row: dict[str, Any], *, first: bool) -> None:
    event, number = row["event"], row.get("n", row.get("of", 0))
    if first != (event == "run"):
        raise UsageError(place, "a ledger begins with its run, once", "name a ledger file")
    known = account.calls if event == "answered" else account.set_ups
    if "of" in row and number not in known:
        raise UsageError(place, f"speaks of {number}, which nothing announced", "name a whole file")
    match event:
        case "set-up":
            account.set_ups[number] = SetUp(
                number, row["contract"], row["state"], row["where"], row["how"], row["params"]
            )
        case "made":
            account.set_ups[number].values = row["values"]
        case "nothing-made" | "torn-down":
            account.set_ups[number].left = False
        case "cancel":
            account.calls[number] = Call(
                row["contract"], row["where"], row["method"], row["identity"],
                row.get("state"), tuple(row["resources"]),
            )  # fmt: skip
        case "answered":
            account.calls[number].status = row["status"]
        case "end":
            account.ended = True
