"""What the documentation shows of the product, written by the product: docs/clauses.md, and the blocks between
`<!-- NAME: begin -->` and `<!-- NAME: end -->`.

`python tests/generated.py` rewrites what is out of date; test_docs.py fails where something is. Whatever differs from
run to run (ports, seconds) is replaced by fixed values, so that equal products give equal pages.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import cache, partial
from io import StringIO
from pathlib import Path
from typing import Any

import mock_tables
import yaml
from cancel_contracts import gate
from cancel_contracts.assignment import Options, assign
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.duties import DUTIES
from cancel_contracts.contract.expected import FACETS
from cancel_contracts.contract.given import listed
from cancel_contracts.contract.load import every_shipped, load, shipped
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.contract.words import AXES
from cancel_contracts.report.clauses import listing
from cancel_contracts.report.record import record
from cancel_contracts.report.terminal import show
from cancel_contracts.targets.file import Target, of_url
from cancel_contracts.verify import verify
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 100
SECONDS = 0.1
PORT = 8080
# What an axis takes beside its words.
OTHER_VALUES = {
    "resource": ["a state | of `x-lifecycle` | `resource: Pending` (MA-07)"],
    "identity": [
        "`{delegated: PERMISSION}`, `{application: PERMISSION}` | a token with that permission alone"
        " | `identity: {application: Machine.Isolate}`"
    ],
    "body": [
        "`{example: NAME}` | an example of the requestBody | `body: {example: page}` (AP-20)",
        "`{json: VALUE}` | a value, with `{id}`, `{cut}`, `{neighbour}`, `{unique}`, `{long}` and `{million}` in its strings"
        ' | `body: {json: {id: "{neighbour}"}}` (AP-56)',
    ],
    "content-type": ["a media type | as it goes out | `content-type: text/plain` (AP-57)"],
}
# Keys that go with another.
BESIDE = {"id": "resource: odd, id: {word}", "owner": "identity: user, owner: {word}"}
# The run that the README shows.
NAME, FAULT, CLAUSE = "machine-action", "unknown-id-answered-200", "MA-34"
# What read-a-report.md shows of that run's record. The rest it tells in words.
TOP = ("schema_version", "profile", "seed", "outcome", "exit_code", "requests")
OF_A_CLAUSE = (
    "id", "level", "says", "source", "verdict", "exercised", "reason", "excused", "gap", "violations",
)  # fmt: skip
OF_EVIDENCE = ("scenario", "identity", "state", "expected", "actual")

HEADING = """# Every clause

Generated from the spec files by `python tests/generated.py`; do not edit. `cancel-contracts explain CLAUSE` says more of one. What the levels mean
stands in [Read a report](read-a-report.md#levels). What is not testable stands in brackets with the reason.

"""


@cache
def contracts() -> tuple[Contract, ...]:
    return tuple(load(path) for path in shipped())


def clauses() -> str:
    """Return docs/clauses.md."""
    every = [*contracts(), *(c for c in map(load, every_shipped()) if not c.default)]
    return HEADING + listing(every, "markdown") + "\n"


@cache
def run() -> dict[str, Any]:
    """Return the record of the README's run, with fixed values for what differs from run to run."""
    chosen = [c for c in contracts() if c.name == NAME]
    with mock_target(chosen, faults=[FAULT]) as target:
        result = verify(chosen, target, Options(only=(CLAUSE,)))
    text = json.dumps(record(result, gate.decide(result.judgements())))
    found: dict[str, Any] = json.loads(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{PORT}", text))
    for row in (found, *found["contracts"]):
        row["seconds"] = SECONDS
    return found


def sample() -> str:
    """Return what the terminal shows of that run."""
    screen = StringIO()
    show(run(), Console(file=screen, width=COLUMNS, no_color=True, highlight=False))
    rows = (row.rstrip() for row in screen.getvalue().strip().splitlines())
    return "```text\n" + "\n".join(rows) + "\n```"


def excerpt() -> str:
    """Return the beginning of that run's JSON report, down to the first piece of evidence."""
    contract = run()["contracts"][0]
    clause = contract["clauses"][0]
    evidence = [{key: piece[key] for key in OF_EVIDENCE} for piece in clause["evidence"]]
    shown = {key: run()[key] for key in TOP} | {
        "contracts": [
            {
                "name": contract["name"],
                "dialect": contract["dialect"],
                "clauses": [{key: clause[key] for key in OF_A_CLAUSE} | {"evidence": evidence}],
            }
        ]
    }
    return "```json\n" + json.dumps(shown, indent=1, ensure_ascii=False) + "\n```"


def cost() -> str:
    """Return the table of what the gate sends to a target such as the built-in mock."""
    rows = ["| contract | cancel | looks (GET) | provider states |", "|---|---:|---:|---:|"]
    with mock_target(contracts()) as target:
        for assignment in assign(contracts(), target, Options(profile="gate")):
            counts = assignment.cost()
            numbers = (counts[kind] for kind in ("cancel", "observe", "provider_states"))
            rows.append(f"| `{assignment.contract.name}` | {' | '.join(map(str, numbers))} |")
    return "\n".join(rows)


def harmless() -> str:
    """Return the table of what a target that is not local gets at most, without being asked: by
    the gate, of which smoke is a part, and by deep.
    """
    rows = [
        "| contract | cancel | looks (GET) | cancel by `deep` | looks by `deep` |",
        "|---|---:|---:|---:|---:|",
    ]
    for contract in contracts():
        bare = of_url(contract.server)
        mint = {"algorithm": "HS256", "key": "for whoever gives every identity"}
        given = {"throttled": {"token": "one"}}
        target = Target(bare.place, {"mint": mint, "identities": given}, bare.base_url)
        found = [assign([contract], target, Options(profile=p))[0] for p in ("gate", "deep")]
        numbers = (f"{c['cancel']} | {c['observe']}" for c in (one.cost() for one in found))
        rows.append(f"| `{contract.name}` | {' | '.join(numbers)} |")
    return "\n".join(rows)


def takes() -> str:
    """Return how many resources that can be cancelled the gate takes of a tenant."""
    chosen = [c for c in contracts() if c.name == NAME]
    with mock_target(chosen) as target:
        (assignment,) = assign(chosen, target, Options(profile="gate"))
    needed = assignment.plan.needed
    states = " and ".join(f"{needed[s]} in `{s}`" for s in chosen[0].lifecycle.cancellable)
    return (
        f"- The whole gate of `{NAME}` takes {states}, where every identity is given. So choose clauses"
        " with `--only`,\n  and let `--plan` say what they take."
    )


def provision() -> str:
    """Return the table of the documented create calls: what they do, need, and how to undo them."""
    rows = ["| contract, state | call | needs | does | undo |", "|---|---|---|---|---|"]
    for contract in map(load, every_shipped()):
        for row in contract.provisions:
            needs = "; ".join(f"`{name}`: {what}" for name, what in row.needs.items())
            who = "the owner" if row.by == "owner" else f"the {row.by} identity"
            call = f"`{row.method} {row.path}` as {who} ({row.source.page})"
            rows.append(
                f"| `{contract.name}`, {row.state} | {call} | {needs} | {row.does} | {row.undo} |"
            )
    return "\n".join(rows)


def given_table() -> str:
    """Return the table of `given`: a row an axis, a line a word."""
    lines = ["| key | value | means | example |", "|---|---|---|---|"]
    for key, axis in AXES.items():
        usual = f"; ordinary: `{axis.ordinary}`" if axis.ordinary else ""
        lines.append(f"| **`{key}`** | | {axis.says}{usual} | |")
        for name, row in axis.words.items():
            lines.append(f"| | `{name}` | {row.says} | {given_example(key, name)} |")
        lines += [f"| | {text} |" for text in OTHER_VALUES.get(key, ())]
    return "\n".join(lines)


def given_example(key: str, word: str) -> str:
    """Return a word of `given` as a clause has it, with the id of a clause that does."""
    named = f"{{NAME: {word}}}" if AXES[key].named else word
    text = BESIDE.get(key, "{key}: {word}").format(key=key, word=named)
    for clause in examples():
        for row in listed(clause.given.get(key, [])):
            if row == word or (isinstance(row, dict) and word in row.values()):
                shown = json.dumps(row).replace('"', "") if isinstance(row, dict) else word
                return f"`{text.replace(named, shown)}` ({clause.id})"
    return f"`{text}`"


@cache
def examples() -> tuple[Clause, ...]:
    """Return the clauses of the shipped contracts, and those of the worked examples."""
    files = [*every_shipped(), *sorted((ROOT / "examples" / "contracts").glob("*.yaml"))]
    return tuple(clause for path in files for clause in load(path).clauses)


def expect_table() -> str:
    """Return the table of `expect`: a row a facet."""
    lines = ["| facet | values | seen in | example |", "|---|---|---|---|"]
    seen = {"answer": "the answer", "looks": "looks at the resource", "many": "many exchanges"}
    for name, row in FACETS.items():
        spoken = (
            (clause.id, expect[name])
            for clause in examples()
            for expect in (clause.expect, *clause.readings.values())
            if name in expect
        )
        example = ""  # where no clause has it yet
        if (found := next(spoken, None)) is not None:
            shown = yaml.safe_dump({name: found[1]}, default_flow_style=True, width=200)
            example = f"`{shown.strip()[1:-1]}` ({found[0]})"
        lines.append(f"| `{name}` | {row.says} | {seen[row.sees]} | {example} |")
    return "\n".join(lines)


def duties_table() -> str:
    """Return the table of `expect` in clauses of callers: a row a word."""
    lines = ["| word | values | example |", "|---|---|---|"]
    duties = [duty for path in every_shipped() for duty in load(path).duties]
    for name, row in DUTIES.items():
        duty = next(d for d in duties if name in d.expect)
        lines.append(f"| `{name}` | {row.says} | `{name}: {duty.expect[name]}` ({duty.id}) |")
    return "\n".join(lines)


def mock(name: str) -> str:
    """Return what the page of other mocks says of one."""
    return mock_tables.told(name, mock_tables.row(name))


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"sample": sample, "cost": cost},
    "docs/check-a-lab-tenant.md": {"harmless": harmless, "takes": takes, "provision": provision},
    "docs/read-a-report.md": {"json": excerpt},
    "docs/clauses-vocabulary.md": {
        "given": given_table,
        "expect": expect_table,
        "duties": duties_table,
    },
    "docs/third-party-mocks.md": {
        "board": mock_tables.overview,
        **{name: partial(mock, name) for name in mock_tables.MOCKS},
    },
}


def filled(text: str, blocks: dict[str, Callable[[], str]]) -> str:
    """Return a page with its blocks made anew. Raises ValueError where a page lacks one."""
    for name, make in blocks.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"no block, or more than one, is named {name}")
        head, _, rest = text.partition(begin)
        text = head + begin + make() + "\n" + end + rest.partition(end)[2]
    return text


@cache
def pages() -> dict[str, str]:
    """Return every page that is generated, in part or as a whole, as it ought to be."""
    found = {"docs/clauses.md": clauses()}
    for page, blocks in BLOCKS.items():
        found[page] = filled((ROOT / page).read_text("utf-8"), blocks)
    return found


def main() -> None:
    for page, text in pages().items():
        path = ROOT / page
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            sys.stdout.write(f"wrote {page}\n")


if __name__ == "__main__":
    main()
