"""The suite cries wolf at no server that conforms, however it differs where no page decides.

So that it stays quick, variants that do not touch each other are put together in one server, several
groups of them where they have no hook in common, and the rest runs on one contract each. MATRIX=all runs every one alone, on every contract that it fits.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from cancel_contracts.plan.plan import GATE_CALLS
from sampling import EVERY
from servers.entities import Resource
from servers.front import Request, Response, Written
from servers.joint_entity import Later
from servers.service import Call, Service
from servers.trial import conforming, judge
from servers.variants import TOGETHER, VARIANTS, Variant, together

pytestmark = pytest.mark.slow
GROUPED = {member for members in TOGETHER.values() for member in members}
ALONE = (
    [(v, s) for v in VARIANTS for s in v.on]
    if EVERY
    else [(v, v.on[0]) for v in VARIANTS if v.name not in GROUPED]
)
# Groups of TOGETHER that one server has, where every hook of each is its own.
JOINED = (
    ("SA terse", "SA framework", "SA numbers"),
    ("SA talkative", "SA plain", "SA moods"),
    ("SA closing", "SA waits", "SA completed"),
    ("SA busy", "SA alone"),
    ("SA dressed", "SA failed"),
    ("SA pedantic", "SA served"),
    ("SA front", "SA closed"),
    ("MA counted", "MA audited", "MA lenient"),
    ("MA sparse", "MA careful"),
    ("MA spelled", "MA minimal"),
    ("MA strict", "MA noted"),
    ("AP linked", "AP old", "AP told"),
    ("AP quiet", "AP proper", "AP spelled"),
    ("AP decided", "AP strict"),
)


def hooks(variant: Variant) -> set[str]:
    """Return what a variant does in a way of its own: two that share nothing meet nowhere."""
    kinds = [kind for kind in variant.service.__mro__ if not issubclass(Service, kind)]
    own = {name for kind in kinds for name in vars(kind)}
    front = {"front"} if variant.front is not Written else set()
    return {*variant.attributes, *front, *(n for n in own if n == "__init__" or n[:2] != "__")}


def joined(*names: str) -> Variant:
    groups = [together(name) for name in names]
    met = Counter(name for group in groups for name in hooks(group))
    assert max(met.values()) == 1, "one hides what the other does"
    kinds = tuple(group.service for group in groups if group.service is not Service)
    return Variant(
        ", ".join(names),
        groups[0].on,
        type("Joined", kinds, {}) if kinds else Service,
        {key: value for group in groups for key, value in group.attributes.items()},
        next((group.front for group in groups if group.front is not Written), Written),
    )


def groups() -> Iterator[Variant]:
    yield from (joined(*names) for names in JOINED if not EVERY)
    apart = {*TOGETHER} - {name for names in JOINED for name in names if not EVERY}
    yield from (together(name) for name in TOGETHER if name in apart)


CHOSEN = [*ALONE, *((group, group.on[0]) for group in groups())]
CASES = [pytest.param(variant, short, id=f"{variant.name}-{short}") for variant, short in CHOSEN]


@pytest.mark.parametrize(("variant", "short"), CASES)
def test_conforming_server_passes(variant: Variant, short: str) -> None:
    service = conforming(short, variant.service, signed=variant.signed, **variant.attributes)
    only = [id_ for id_ in variant.only if id_.startswith(short)]
    outcome = judge(service, variant.front, excused=variant.excused, only=only)
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    planned = outcome.cancels - outcome.again
    assert planned <= GATE_CALLS, "what is made again after a 429 comes on top, nothing else does"


class NamedLater(Later):
    """Who cancels what waits is written down at once, of what is under way by whoever stops it."""

    seconds = 0.1

    def cancel(self, resource: Resource, call: Call) -> None:
        was = resource.state
        super().cancel(resource, call)
        if was == "InProgress":
            resource.cancelled_by = None
            self.in_a_while(setattr, resource, "cancelled_by", call.caller.name)


class StateFollowsTheDate(Later):
    """The date of a cancel is written at once and the state a while after; who calls for what is
    under way is kept waiting.
    """

    seconds, waits = 2.5, 1.3

    def cancel(self, resource: Resource, call: Call) -> None:
        if "under_way" in resource.__dict__:
            return
        was = resource.state
        super().cancel(resource, call)
        state, resource.state = resource.state, was
        resource.__dict__["under_way"] = True
        self.in_a_while(setattr, resource, "state", state)

    def answer(self, request: Request) -> Response:
        named = request.target.rstrip("/").split("/")
        found = next((r for r in map(self.find, named) if r is not None), None)
        if request.method == "POST" and found is not None and "under_way" in found.__dict__:
            time.sleep(self.waits)
        return super().answer(request)


def test_a_state_that_comes_after_its_date_is_no_missing_effect() -> None:
    outcome = judge(conforming("SA", StateFollowsTheDate))
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)


def test_who_cancelled_may_be_told_a_moment_later() -> None:
    outcome = judge(conforming("MA", NamedLater))
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert "MA-72" in outcome.upheld


class NamedBetweenRefusals(Service):
    """Who stopped what was under way is written down a look or two after, whatever comes meanwhile."""

    looks = 2

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.__dict__["waits"] = [resource.cancelled_by] * self.looks
        resource.cancelled_by = None

    def show(self, request: Request, id_: str) -> Response:
        with self.lock:
            shown = super().show(request, id_)
            resource = self.find(id_)
            waits: list[str] = resource.__dict__.get("waits", []) if resource else []
            if resource is not None and waits:
                name = waits.pop()
                resource.cancelled_by = None if waits else name
            return shown


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_what_a_cancel_writes_late_is_no_refused_calls_doing(looks: int) -> None:
    outcome = judge(conforming("MA", NamedBetweenRefusals, looks=looks))
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)


class NotedAsWhoCancelled(Service):
    """Names nobody, but for who lacks the permission and calls for what is cancelled."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.cancelled_by = None
        resource.__dict__["called"] = True

    def refused(self, call: Call, refusal: Response) -> Response:
        resource = self.find(call.id)
        called = resource is not None and "called" in resource.__dict__
        if resource is not None and called and refusal.status == 403:
            resource.cancelled_by = resource.cancelled_by or call.caller.name
        return super().refused(call, refusal)


def test_what_a_refused_call_writes_of_itself_is_its_own_doing() -> None:
    outcome = judge(conforming("MA", NotedAsWhoCancelled))
    assert "MA-19" in outcome.violated, str(outcome)


class StateFollows(Service):
    """One of the two properties that tell a state is written at once, the other from a queue: at
    every second cancel a look or more comes before it.
    """

    cancelled = 0
    looks = 1

    def cancel(self, resource: Resource, call: Call) -> None:
        self.cancelled += 1
        before = self.entity(resource)["requestState"]
        super().cancel(resource, call)
        resource.__dict__["waits"] = [before] * (self.cancelled % 2 * self.looks)

    def show(self, request: Request, id_: str) -> Response:
        with self.lock:
            resource = self.find(id_)
            waits: list[str] = resource.__dict__.get("waits", []) if resource else []
            if resource is None or not waits:
                return super().show(request, id_)
            return self.told(self.entity(resource) | {"requestState": waits.pop()})


@pytest.mark.parametrize("looks", [1, 2])
def test_one_property_of_the_state_may_follow_the_other(looks: int) -> None:
    outcome = judge(conforming("AP", StateFollows, looks=looks))
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert "AP-207" in outcome.upheld
