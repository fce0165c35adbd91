"""Say what a run would send, before it sends anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from cancel_contracts.assignment import Assignment, Options, in_flight
from cancel_contracts.provider_states.provision import choose
from cancel_contracts.targets.pace import rates_of, seconds_for


def show(assignments: Sequence[Assignment], console: Console, options: Options) -> None:
    """Print the number of requests per contract and kind, exact on a conforming target, how many
    are under way at most, and how long the quotas make it take.
    """
    table = Table(title="Plan (nothing was sent)", title_justify="left")
    table.add_column("contract", no_wrap=True)
    for name in ("clauses", "cancel", "observe", "provider states", "pairs"):
        table.add_column(name, justify="right")
    for a in assignments:
        cost = a.cost()
        numbers = (len(a.plan.clauses), cost["cancel"], cost["observe"], cost["provider_states"])
        pairs = f"{a.plan.pairs.met}/{a.plan.pairs.possible}"
        table.add_row(a.contract.name, *map(str, numbers), pairs)
    console.print(table)
    most = in_flight(assignments, options)
    near = in_flight(assignments, replace(options, jobs=1))
    fewer = f"; {near} on a target that answers at once" if options.jobs is None else ""
    console.print(f"At most {most} of them are under way at a time{fewer}")
    for a in assignments:
        if a.notice:
            console.print(a.notice)
        if told := _pace(a, options.rate):
            console.print(told)
        if a.plan.property_calls or a.plan.walk_calls:
            console.print(
                f"{a.contract.name}: of the cancel calls {a.plan.property_calls} are for"
                f" properties and {a.plan.walk_calls} for walks;"
                " what these observe and provision comes on top"
            )
        for line in _creates(a):
            console.print(line)
        if a.plan.needed:
            words = ", ".join(f"{count} {state}" for state, count in a.plan.needed.items())
            console.print(f"{a.contract.name}: resources needed: {words}")
        for gap, count in Counter(a.plan.left_out.values()).items():
            console.print(f"{a.contract.name}: {count} situations left out: {gap.says}")


def _pace(a: Assignment, rate: str | None) -> str | None:
    """Say how long the quotas make it take, where that is worth saying."""
    rates = rates_of(a.contract, a.site.base_url, rate)
    seconds = round(seconds_for(a.cost()["cancel"] + a.creates.total(), rates))
    if seconds < 1:
        return None
    allowed = " and ".join(f"{r.limit} in {r.interval // 1000} s" for r in rates)
    minutes = f" ({seconds / 60:.0f} minutes)" if seconds >= 120 else ""
    return f"{a.contract.name}: at most {allowed} calls: it takes {seconds} s at least{minutes}"


def _creates(a: Assignment) -> list[str]:
    """Return what would be created by documented calls: which, what it does, how it is undone."""
    lines = []
    for (state, owner), count in a.creates.items():
        row = choose(a.contract, a.site, state, owner)
        who = owner if row.by == "owner" else row.by
        lines.append(
            f"{a.contract.name}: up to {count} in {state} would be created by {row.method}"
            f" {row.path} as {who}. {row.does} Undo: {row.undo}"
        )
    return lines
