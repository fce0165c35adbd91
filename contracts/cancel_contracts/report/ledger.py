"""A ledger in words: what is left to tear down, and what was cancelled for good. Pure."""

from __future__ import annotations

from cancel_contracts.ledger.account import Account, Call, SetUp

UNDONE_BY_NOBODY = "A cancel cannot be undone."


def text(account: Account) -> str:
    """Return what a ledger comes to, for a terminal."""
    lines = []
    if account.cut_short:
        lines.append("The last line is cut short: what it would have announced was never sent.")
    if not account.ended:
        lines.append("The run has not come to its end: it was killed, or it is still going.")
    lines += _left(account) + _cancelled(account)
    return "\n".join(lines)


def _left(account: Account) -> list[str]:
    left, maybe = account.left, account.maybe_left
    lines = [f"Left to tear down: {len(left)}"] if left else []
    lines += [f"  {_set_up(row)}" for row in left]
    if not left:
        done = f" ({account.torn_down} torn down)" if account.torn_down else ""
        lines = [f"Nothing{' else' * bool(maybe)} is left to tear down{done}."]
    if maybe:
        why = "No answer told what was made, so no tear-down can name it: look there by hand."
        lines += [f"Maybe left: {len(maybe)}. {why}", *(f"  {_set_up(row)}" for row in maybe)]
    return lines


def _set_up(row: SetUp) -> str:
    what = f"{row.contract} {row.id or '(id unknown)'}"
    owner = f", for {row.params['owner']}" if "owner" in row.params else ""
    how = "created" if row.how == "create" else "set up"
    return f"{what}, {how} in {row.state}{owner}, at {row.where}"


def _cancelled(account: Account) -> list[str]:
    found = account.cancelled()
    if not found:
        return []
    head = f"Cancelled, or perhaps so, and not torn down: {len(found)}. {UNDONE_BY_NOBODY}"
    rows = [
        f"  {name} {id_}{_calls(calls)}, at {where}" for (name, where, id_), calls in found.items()
    ]
    return [head, *rows]


def _calls(calls: list[Call]) -> str:
    state = calls[0].state
    answers = ", ".join(
        f"{c.method} as {c.identity}: {c.status or 'no answer known'}" for c in calls
    )
    return f" (was {state}; {answers})" if state else f" ({answers})"
