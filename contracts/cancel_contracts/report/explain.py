"""Explain one clause: what is promised and where, a call that exercises it, what breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.duties import DUTIES
from cancel_contracts.contract.edition import times
from cancel_contracts.contract.extras import EXTRAS
from cancel_contracts.contract.given import asked, conditional
from cancel_contracts.contract.links import links
from cancel_contracts.contract.model import Contract, NotTestable
from cancel_contracts.contract.topics import topic
from cancel_contracts.exchange import Sent, Situation
from cancel_contracts.report import scenario, script
from cancel_contracts.report.clauses import expectation, level, rows
from cancel_contracts.report.curl import LONGEST_BODY_BYTES
from cancel_contracts.report.recipe import Line, asks, carried, mark
from cancel_contracts.report.usual import usual
from cancel_contracts.run.content import Names
from cancel_contracts.run.requests import cancel_request, odd_segment

EXAMPLE_URL = "http://127.0.0.1:8080"
ID = "~ID_1~"
BY_EDITION = ", where --edition names one that has it"


def explanation(contracts: Sequence[Contract], id_: str) -> str:
    """Return what there is to know of one clause: what is promised and where, how it is exercised,
    a call that does so, what upholds it and what usually breaks it.
    """
    contract = next(c.whole for c in contracts if c.knows(id_))
    row = next(r for r in rows(contract) if r.id == id_)
    lines = [
        f"{row.id} ({contract.name}, {level(row, contract)})",
        "",
        row.says,
        f"Source: {row.source}",
    ]
    lines += [f"  {link.text}: {link.url}" for link in links(contract, row.source)]
    lines.append("")
    if isinstance(row, NotTestable):
        return "\n".join([*lines, f"Not testable: {row.reason}"])
    if when := times(row):
        lines += [f"In force: {when}", ""]
    if row in contract.duties:
        told = [f"  - {DUTIES[word].says}" for word in row.expect]
        judged = (
            "Judged on recordings of others alone: `cancel-contracts judge traffic.har --caller`."
        )
        return "\n".join([*lines, "Callers keep it by:", *told, "", judged])
    lines += [f"Topic: {topic(row)}", "", "Exercised by:"]
    situations = list(asked(contract, row))
    lines += [f"  - {scenario.asked(s, contract.method)}" for s in situations]
    if conditional(row):
        lines.append(
            f"  where the target answers {expectation({'answer': row.given['answer']})[0][8:]}"
        )
    lines += ["", "For example:", *(f"  {text}" for text in _example(contract, situations))]
    lines += ["", "Upheld by:"]
    if row.readings:
        for name, expect in row.readings.items():
            dialect = next(d for d in contract.dialects if d.name == name)
            when = ", ".join(filter(None, (dialect.says, times(dialect))))
            lines.append(f"  reading {name} ({when}{BY_EDITION * dialect.by_edition}):")
            lines += [f"    - {text}" for text in expectation(expect)]
    else:
        lines += [f"  - {text}" for text in expectation(row.expect)]
    lines += ["", "Violated by any single answer that deviates from that."]
    if faults := usual(contract, row):
        lines += ["", "What usually breaks it (`cancel-contracts mock --fault NAME` does):"]
        lines += [f"  - {fault.name}: {fault.says}" for fault in faults]
    return "\n".join(lines)


def _example(contract: Contract, situations: Sequence[Situation]) -> list[str]:
    """Return a call that exercises a clause, as a line for a shell. Its variables are to be
    filled.
    """
    calls = situations or [composed(contract).ordinary]
    made = ((call, _request(contract, call)) for call in calls)
    short = ((call, r) for call, r in made if len(r.body) <= LONGEST_BODY_BYTES)
    call, request = next(short, (None, None))
    if call is None or request is None:
        return ["# its body is too long for a line of a shell"]
    line = script.curl_line(Line("", request, call.transfer == "chunked"))
    is_ = f"the id of {scenario.resource(call)}"
    is_ = "an id that names nothing" if call.resource == "unknown" else is_
    notes = [] if call.resource == "odd" else [f"${_own(call).strip('~')} is {is_}"]
    if "$" in line.replace("$ID_", ""):
        notes.append(f"`{asks(mark(_who(call), call.owner))}` prints the token")
    return [line, *(f"# {note}" for note in notes)]


def _request(contract: Contract, call: Situation) -> Sent:
    segment = odd_segment(contract, call.id) if call.resource == "odd" else _own(call)
    return cancel_request(
        contract, EXAMPLE_URL, call, segment, Names(segment, "~ID_2~", "1", "~ID_1_CUT~"),
        carried(contract.scheme, call.identity, mark(_who(call), call.owner)), str(UUID(int=1)),
    )  # fmt: skip


def _own(call: Situation) -> str:
    """Return the name that stands for the id of the resource, as it is spelled in a call."""
    how = EXTRAS[call.extra].wire.id
    return f"{ID[:-1]}_{how.upper()}~" if how else ID


def _who(call: Situation) -> str:
    return "admin" if call.identity == "primary" else call.identity
