"""Start an independent server and let the suite judge it, in process.

The only module here that knows the package, and only its front doors: load, verify, decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.contract.load import every_shipped, load
from cancel_contracts.contract.model import Contract
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import ContractResult, verify

from servers.front import Front, Written
from servers.pages import PAGES, Page
from servers.provider import PROVIDER
from servers.service import Service
from servers.tokens import Opaque, Signed

# What opaque tokens cannot show, in the words that a user would put into the target file.
OPAQUE_EXCUSES = {"mint": "the tokens are opaque"}


@dataclass(frozen=True)
class Outcome:
    """What came of a run: the exit code, and the clauses violated, warned of and open, with why.

    `cancels` are all calls on the route, `again` those of them that were made in place of others
    because of a 429.
    """

    exit_code: int
    sentence: str
    violated: Mapping[str, str]
    warned: Mapping[str, str]
    open: Mapping[str, str]
    cancels: int
    again: int
    upheld: frozenset[str]

    def __str__(self) -> str:
        rows = [f"exit {self.exit_code}: {self.sentence}"]
        rows += [f"violated {id_}: {seen}" for id_, seen in self.violated.items()]
        rows += [f"open {id_}: {reason}" for id_, reason in self.open.items()]
        return "\n".join(rows)


@cache
def contract_of(page: Page) -> Contract:
    return next(c for c in map(load, every_shipped()) if c.name == page.contract)


def target_of(service: Service, url: str, excused: Mapping[str, str] | None = None) -> Target:
    """Return the target as a user's file would describe it."""
    excuses = dict(OPAQUE_EXCUSES) if isinstance(service.tokens, Opaque) else {}
    raw: dict[str, Any] = {
        "provider_states": url + PROVIDER,
        **service.tokens.target(),
        "not_testable": excuses | dict(excused or {}),
    }
    return Target("target.yaml", raw, url + service.page.prefix)


def judge(
    service: Service,
    front: type[Front] = Written,
    *,
    only: Iterable[str] = (),
    excused: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Outcome:
    """Run the gate profile against a service and return what came of it."""
    contract = contract_of(service.page)
    chosen = Options(only=tuple(only), **(options or {}))
    with front(service) as running:
        try:
            target = target_of(service, running.url, excused)
            result = verify([contract], target, chosen, environ={})
        finally:
            service.stopped.set()
    outcome = gate.decide(result.judgements())
    verdicts = [v for j in result.judgements() for v in j.verdicts]
    broken = {
        v.clause.id: (v.clause.level, f"{v.violations[0].actual}")
        for v in verdicts
        if v.word == "violated"
    }
    return Outcome(
        exit_code=outcome.exit_code,
        sentence=outcome.sentence,
        violated={i: seen for i, (level, seen) in broken.items() if level == "must"},
        warned={i: seen for i, (level, seen) in broken.items() if level != "must"},
        open={v.clause.id: str(v.reason) for v in verdicts if gate.gap(v)},
        cancels=sum(r.requests()["cancel"] for r in result.results),
        again=sum(map(_again, result.results)),
        upheld=frozenset(v.clause.id for v in verdicts if v.word == "upheld"),
    )


def _again(result: ContractResult) -> int:
    """Return how many calls were made again: one that was put off, or all of a crowd with it."""
    found: set[int] = set()
    for put_off in (x for x in result.journal.exchanges if x.kind == "cancel" and x.put_off):
        # What goes beside a crowd is a scenario of its own, and made again with all of it.
        around = [x for x in result.around(put_off.scenario) if x.kind == "cancel"]
        crowd = any(x.situation.call == "concurrent" for x in around)
        found |= {id(x) for x in (around if crowd else [put_off])}
    return len(found)


def conforming(
    short: str, service: type[Service] = Service, *, signed: bool = True, **attributes: Any
) -> Service:
    """Return a service of one page, with some of its choices made otherwise."""
    page = PAGES[short]
    kind: type[Service] = type(service.__name__, (service,), attributes) if attributes else service
    return kind(page, Signed(page) if signed else Opaque(page))
