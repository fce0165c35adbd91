"""Find the way in: where the route begins, whether two resources stand side by side, and who may
make ordinary calls.

All are asked only where the first ordinary call was turned away, so that a conforming target that
is described well never meets them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cancel_contracts.errors import NoIdentity
from cancel_contracts.journal import Exchanges
from cancel_contracts.plan.plan import Scenario

if TYPE_CHECKING:
    from cancel_contracts.run.run import Run


def first_answer(run: Run) -> int | None:
    return next((x.status for x in run.journal.exchanges if x.kind == "cancel"), None)


def _again(run: Run, scenario: Scenario) -> Exchanges:
    """Make the scenario once more, in a journal of its own. Return the former one."""
    former = run.journal.exchanges
    run.calls.start_over(Exchanges())
    run.execute(scenario)
    return former


def _back_to(run: Run, former: Exchanges) -> None:
    """Let what was made once more count as sent, and as nothing else."""
    run.journal.elsewhere.update(run.journal.exchanges.kinds)
    run.calls.start_over(former)


def find_route(run: Run, scenario: Scenario) -> None:
    """Try the path of the vendor's own base URL where the bare one is not routed.

    A mock may serve /beta/... at a base_url given without it; the page's example carries the
    prefix.
    """
    prefix = urlsplit(run.contract.server).path.rstrip("/")
    bare = run.calls.base_url
    if not prefix or first_answer(run) != 404 or bare.endswith(prefix):
        return
    run.calls.base_url = bare + prefix
    former = _again(run, scenario)
    if first_answer(run) in (404, None):
        run.calls.base_url = bare
        _back_to(run, former)
        return
    run.journal.elsewhere.update(former.kinds)
    run.journal.notes.append(f"routed under {prefix}, which the base URL leaves out")


def find_place(run: Run, scenario: Scenario) -> None:
    """Where a resource is not found, see whether it is while no other one was set up after it.

    A handler may put the whole target into a state, and so end what it has set up before. Whether
    it does, or one call failed by chance, is told by making the scenario with two once more.
    """
    pair = scenario.neighbour or scenario.subject.call == "reused"
    if first_answer(run) != 404 or not pair or run.states.site.handler is None:
        return
    if any(x.kind == "observe" and x.status == 200 for x in run.journal.exchanges[:1]):
        return  # it was there: the 404 is the call's own
    run.states.single = True
    former = _again(run, scenario)
    run.states.single = False
    if first_answer(run) in (404, None):
        _back_to(run, former)
        return
    alone = _again(run, scenario)
    if first_answer(run) != 404:
        run.journal.elsewhere.update(alone.kinds)
        _back_to(run, former)
        return
    _back_to(run, alone)
    run.journal.elsewhere.update(former.kinds)
    run.keep_to_one()


def find_caller(run: Run, scenario: Scenario) -> None:
    """Where the administrator is refused and applications are served, let the application call.

    A page may document both kinds of token and its later editions one: either reading conforms.
    """
    identities = run.calls.identities
    kinds = {p.kind for p in run.contract.permissions}
    refused = first_answer(run) in (401, 403) and scenario.calls[0].identity == "primary"
    if not refused or identities.site.primary or "application" not in kinds:
        return
    try:
        identities.credentials("app")
    except NoIdentity:
        return
    primary, identities.primary = identities.primary, "app"
    former = _again(run, scenario)
    find_place(run, scenario)
    answer = first_answer(run)
    if answer is None or answer // 100 != 2:
        identities.primary = primary
        _back_to(run, former)
        return
    # Those calls were the administrator's own: that is what they are evidence of.
    kept = Exchanges(
        replace(x, situation=replace(x.situation, identity=primary))
        for x in former
        if x.position < 2
    )
    run.journal.elsewhere.update(former.kinds - kept.kinds)
    run.calls.start_over(Exchanges([*kept, *run.journal.exchanges]))
    run.journal.notes.append(f"{primary} was refused; ordinary calls are made as app")
