"""Say what a run would send, before it sends anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console

from cancel_contracts.assignment import Assignment, Options, in_flight
from cancel_contracts.forecast import forecast
from cancel_contracts.gate import gap
from cancel_contracts.provider_states.provision import choose
from cancel_contracts.report.screen import Screen, plain_table
from cancel_contracts.report.text import count
from cancel_contracts.targets.pace import rates_of, seconds_for

SHOWN_NAMES = 8
# What is lacking, by the key that excuses it: in words before names, where it has names.
LACKING = {
    "identities": "no token is given for",
    "mint": "no key is given to mint tokens with",
    "states": "no resource is given in",
    "owners": "no handler makes resources of",
    "observe": "no GET shows the resource",
}


def show(assignments: Sequence[Assignment], console: Console, options: Options) -> None:
    """Print the number of requests per contract and kind, exact on a conforming target, how many
    are under way at most, how long the quotas make it take, and what the run will leave open.
    """
    screen = Screen(console)
    table = plain_table("Plan (nothing was sent)")
    table.add_column("contract", no_wrap=True)
    for name in ("clauses", "cancel", "looks", "set-ups", "pairs"):
        table.add_column(name, justify="right")
    for a in assignments:
        cost = a.cost()
        numbers = (len(a.plan.clauses), cost["cancel"], cost["observe"], cost["provider_states"])
        pairs = f"{a.plan.pairs.met}/{a.plan.pairs.possible}"
        table.add_row(a.contract.name, *map(str, numbers), pairs)
    screen.out(table)
    most = in_flight(assignments, options)
    near = in_flight(assignments, replace(options, jobs=1))
    fewer = f"; {near} on a target that answers at once" if options.jobs is None else ""
    screen.say(f"At most {most} of them are under way at a time{fewer}")
    for a in assignments:
        screen.say()
        screen.say(screen.text(a.contract.name, "bold"))
        for line in _lines(a, options.rate):
            screen.say(line, 2)
        if a.plan.needed:
            words = [f"{number} {state}" for state, number in a.plan.needed.items()]
            screen.parts(screen.text("  resources needed"), words, 4, ": ", ", ")
        for head, ids in _open(a):
            screen.say(f"{head}: {', '.join(ids)}", 2)


def _lines(a: Assignment, rate: str | None) -> list[str]:
    lines = [a.notice] if a.notice else []
    if told := _pace(a, rate):
        lines.append(told)
    if a.observes and (more := a.plan.late_looks):
        within = f"{a.contract.lifecycle.within:g}"
        lines.append(f"effects may take {within} s to show: up to {more} looks come on top")
    if a.plan.property_calls or a.plan.walk_calls:
        lines.append(
            f"of the cancel calls {a.plan.property_calls} are for properties and"
            f" {a.plan.walk_calls} for walks; what these observe and provision comes on top"
        )
    return [*lines, *_creates(a)]


def _open(a: Assignment) -> list[tuple[str, list[str]]]:
    """Return what the run will leave open: the must-clauses, and for each kind of need what is
    lacking and the clauses that it keeps open; last those that are excused.
    """
    judgement = forecast(a)
    open_ = [v for v in judgement.verdicts if gap(v)]
    names: dict[str, dict[str, None]] = {}
    clauses: dict[str, dict[str, None]] = {}
    for verdict in open_:
        kinds = {g.need.keys[-1] if g.need else g.reason: None for g in verdict.gaps if not g.free}
        for lack in verdict.gaps:
            if lack.need and lack.need.name:
                names.setdefault(lack.need.keys[-1], {})[lack.need.name] = None
        for kind in kinds:
            clauses.setdefault(kind, {})[verdict.clause.id] = None
    lines = []
    if open_:
        told = count(len(open_), "must-clause will stay open", "must-clauses will stay open")
        lines.append((told, [v.clause.id for v in open_]))
    for kind, ids in clauses.items():
        lines.append((f"{LACKING.get(kind, kind)}{_names(kind, names)}", list(ids)))
    excused = [v.clause.id for v in judgement.verdicts if v.excused and v.clause.level == "must"]
    if excused:
        told = count(len(excused), "must-clause is excused", "must-clauses are excused")
        lines.append((told, excused))
    return lines


def _names(kind: str, names: dict[str, dict[str, None]]) -> str:
    if kind not in ("identities", "states", "owners"):
        return ""
    rows = list(names.get(kind, {}))
    more = f" and {len(rows) - SHOWN_NAMES} more" if len(rows) > SHOWN_NAMES else ""
    return f" {', '.join(rows[:SHOWN_NAMES]) or 'any'}{more}"


def _pace(a: Assignment, rate: str | None) -> str | None:
    """Say how long the quotas make it take, where that is worth saying."""
    rates = rates_of(a.contract, a.endpoint.base_url, rate)
    seconds = round(seconds_for(a.cost()["cancel"] + a.creates.total(), rates))
    if seconds < 1:
        return None
    allowed = " and ".join(f"{r.limit} in {r.interval // 1000} s" for r in rates)
    minutes = f" ({seconds / 60:.0f} minutes)" if seconds >= 120 else ""
    return f"at most {allowed} calls: it takes {seconds} s at least{minutes}"


def _creates(a: Assignment) -> list[str]:
    """Return what would be created by documented calls: which, what it does, how it is undone."""
    lines = []
    for (state, owner), number in a.creates.items():
        row = choose(a.contract, a.endpoint, state, owner)
        who = owner if row.by == "owner" else row.by
        lines.append(
            f"up to {number} in {state} would be created by {row.method}"
            f" {row.path} as {who}. {row.does} Undo: {row.undo}"
        )
    return lines
