"""The worked examples: each spec holds on its mock and on an independent server, and catches what
breaks it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.mock.catalogue import find
from cancel_contracts.prove import jobs, trial
from cancel_contracts.replay import judge_recording, write_recording
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify
from sampling import EVERY
from servers.front import Front, Request, Response, Stdlib11, Written
from servers.pages import Page
from servers.tokens import Caller, Signed
from servers.vendors import KEY, PROVIDER, Batch, GitHub, Thing, Vendor, others
from yaml_text import document_of

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "contracts"
PATHS = sorted(FOLDER.glob("*.yaml"))
# Half a second for an effect: these servers are quick, and none is given the page's minutes.
WITHIN = 0.5
NOBODY = Caller("nobody")


@cache
def contract(name: str) -> Contract:
    return load(FOLDER / f"{name}.yaml")


def serving(kind: type[Vendor], attributes: Mapping[str, Any] | None = None) -> Vendor:
    made: type[Vendor] = type(kind.__name__, (kind,), dict(attributes or {}))
    service = made()
    names = frozenset({kind.scope})
    page = Page(
        kind.contract, "", "", "", (), (), "", names, frozenset(), frozenset({kind.audience})
    )
    service.tokens = Signed(page, KEY)
    return service


def judged(service: Vendor, front: type[Front] = Written, only: tuple[str, ...] = ()) -> Result:
    """Run the gate against a service, as a user's target file would describe it."""
    with front(service) as running:
        raw = {
            "provider_states": running.url + PROVIDER,
            "mint": {"algorithm": "HS256", "key": KEY},
            "within": WITHIN,
        }
        target = Target("target.yaml", raw, running.url)
        try:
            return verify([contract(service.contract)], target, Options(only=only), environ={})
        finally:
            service.stopped.set()


def outcome(result: Result) -> tuple[int, dict[str, str]]:
    """Return the exit code, and what was seen of each violated clause."""
    found = gate.decide(result.judgements())
    verdicts = [v for j in result.judgements() for v in j.verdicts]
    told = {v.clause.id: str(v.violations[0].actual) for v in verdicts if v.word == "violated"}
    return found.exit_code, told


# --- The specs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_worked_example_is_valid_openapi_and_cites_its_pages(path: Path) -> None:
    from openapi_spec_validator import validate  # which takes a tenth of a second

    document = document_of(path)
    validate(document)
    loaded = load(path)
    cited = {s.page for s in loaded.sources if not s.page.startswith("RFC ")}
    assert cited <= loaded.pages.keys()
    assert all(len(reason) > 20 for reason in loaded.unproven.values())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_mock_made_of_it_conforms(path: Path) -> None:
    with mock_target([load(path)]) as target:
        code, violated = outcome(verify([load(path)], target, Options(only=FEW[path.stem])))
    assert (code, violated) == (0, {})


FEW = {
    "github-workflow-run": ("GH-02", "GH-06", "GH-10", "GH-11", "GH-20", "GH-30"),
    "azure-batch-job": ("BJ-02", "BJ-04", "BJ-10", "BJ-11", "BJ-20", "BJ-21"),
}
PROVEN = {
    "github-workflow-run": ("success-as-204", "no-get-route"),
    "azure-batch-job": ("unknown-id-answered-200", "no-get-route"),
}


@pytest.mark.parametrize("call", ["reused", "concurrent"])
@pytest.mark.parametrize("resource", ["unknown", "odd"])
def test_calls_in_company_need_a_resource_that_exists(
    resource: str, call: str, tmp_path: Path
) -> None:
    text = (FOLDER / "github-workflow-run.yaml").read_text("utf-8")
    path = tmp_path / "run.yaml"
    asked = f"    given: {{resource: {resource}, call: {call}}}\n    expect: {{status: 4xx}}\n"
    path.write_text(
        text.replace("    given: {call: reused}\n    expect: {connection: usable}\n", asked),
        "utf-8",
    )
    with pytest.raises(UsageError, match=f"`call: {call}` goes with a resource that exists"):
        load(path)


# --- Independent servers --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [GitHub, Batch])
def test_an_independent_server_conforms(kind: type[Vendor]) -> None:
    assert outcome(judged(serving(kind))) == (0, {})


# --- Faults ---------------------------------------------------------------------------------------


def second_call_resurrects(self: Any, request: Request, id_: str, refusal: Response) -> Response:
    """Whatever is refused for its state is as it was made."""
    thing = self.things.get(id_)
    if thing is not None and thing.ends is not None:
        thing.ends = None
    return refusal


def neighbours(self: Any, thing: Thing) -> None:
    """Cancel another thing instead."""
    for other in others(self, thing):
        other.ends = time.monotonic()
        return
    thing.ends = time.monotonic()


def ends_later(self: Any, thing: Thing) -> None:
    thing.ends = time.monotonic() + WITHIN + 3.0


def nothing(self: Any, *_: Any) -> None:
    return None


def performed_though_refused(self: Any, request: Request, id_: str, refusal: Response) -> Response:
    if id_ in self.things:
        self.perform(self.things[id_])
    return refusal


def server_error(self: Any, *_: Any) -> Response:
    refusal: Response = self.refuse(500, "InternalError", "Oops.")
    return refusal


def in_html(self: Any, status: int, code: str, message: str) -> Response:
    return Response(status, b"<h1>No</h1>", (("Content-Type", "text/html"),))


def with_a_trace(self: Any, status: int, code: str, message: str) -> Response:
    trace = 'Traceback (most recent call last):\n  File "/srv/app/views.py", line 7, in cancel'
    document = json.dumps(
        self.error(status, trace) if isinstance(self, GitHub) else self.error(code, trace)
    )
    return Response(status, document.encode(), (("Content-Type", "application/json"),))


def scheme_by_case(self: Any, scheme: str, token: str) -> Any:
    return self.tokens.caller(token) if scheme == "Bearer" else None


def anybody(self: Any, scheme: str, token: str) -> Any:
    return replace(self.tokens.caller(token) or NOBODY, permissions=frozenset({self.scope}))


def same_body(value: Any) -> Callable[..., Any]:
    return lambda self, *_: value


@dataclass(frozen=True)
class Fault:
    """A server that deviates, by the attributes that it has otherwise, and the clauses that say so."""

    name: str
    kind: type[Vendor]
    clauses: tuple[str, ...]
    attributes: Mapping[str, Any]


def of(kind: type[Vendor], name: str, clauses: str, **attributes: Any) -> Fault:
    return Fault(name, kind, tuple(clauses.split()), attributes)


def no_perform_in(state: str) -> Callable[[Any, Thing], None]:
    def perform(self: Any, thing: Thing) -> None:
        if thing.state != state:
            Vendor.perform(self, thing)

    return perform


def ready_but(state: str) -> Callable[..., Response | None]:
    def check(self: Any, request: Request, place: Any, id_: str, given: Any) -> Response | None:
        found: Response | None = Vendor.check_state(self, request, place, id_, given)
        return self.conflict() if self.things[id_].state == state else found

    return check


def moved(self: Any, thing: Thing) -> dict[str, Any]:
    """Show another branch once a call was made."""
    shown = GitHub.entity(self, thing)
    return shown | ({"head_branch": "other"} if thing.ends is not None else {})


def failed_after(self: Any, thing: Thing) -> str:
    found = GitHub.state_of(self, thing)
    return "failed" if found == "cancelled" and thing.ends is not None else found


def only_the_status(self: Any, state: str) -> tuple[str, str | None]:
    status, conclusion = GitHub.shown(self, state)
    return status, None if conclusion == "cancelled" else conclusion


def stuck(self: Any, thing: Thing) -> str:
    found = Batch.state_of(self, thing)
    return "deleting" if found == "gone" and thing.ends else found


def back_to_active(self: Any, thing: Thing) -> str:
    found = Batch.state_of(self, thing)
    return "completed" if found in ("deleting", "gone") and thing.ends else found


def nothing_but_unknown(
    self: Any, request: Request, place: Any, id_: str, given: Any
) -> Response | None:
    found: Response | None = Batch.check_existence(self, request, place, id_, given)
    return None if id_ in self.things and request.method == "DELETE" else found


def entity_of_a_success(self: Any, thing: Thing) -> Response:
    told: Response = self.told(202, self.entity(thing))
    return told


def without_request_id(self: Any, thing: Thing) -> Response:
    return Response(202)


FAULTS = (
    of(GitHub, "200 in place of 202", "GH-20", accepted=200),
    of(GitHub, "204 in place of 202", "GH-10", success=lambda self, thing: Response(204)),
    of(GitHub, "202 with a property", "GH-20", success_body={"message": "Accepted"}),
    of(GitHub, "202 with an array", "GH-20", success_body=[]),
    of(GitHub, "202 without a body", "GH-20", success=lambda self, thing: Response(202)),
    of(GitHub, "nothing is cancelled", "GH-10", perform=nothing),
    of(GitHub, "a waiting run is not cancelled", "GH-10", perform=no_perform_in("waiting")),
    of(GitHub, "a run in progress conflicts", "GH-10", check_state=ready_but("in_progress")),
    of(GitHub, "another run is cancelled", "GH-01", perform=neighbours),
    of(GitHub, "it takes too long", "GH-10", perform=ends_later),
    of(GitHub, "it ends as a failure", "GH-10", state_of=failed_after),
    of(GitHub, "it has no conclusion", "GH-10", shown=only_the_status),
    of(GitHub, "a completed run is accepted", "GH-11", check_state=nothing),
    of(GitHub, "a completed run is answered 422", "GH-11", conflict_status=422),
    of(GitHub, "a completed run is answered 500", "GH-11", conflict=server_error),
    of(GitHub, "an unknown run is answered 410", "GH-03", unknown_status=410),
    of(GitHub, "any repository will do", "GH-02", check_place=nothing),
    of(GitHub, "any version will do", "GH-06", check_request=nothing),
    of(GitHub, "a version is required", "GH-05", versions=("2022-11-28",)),
    of(GitHub, "an unsupported version is answered 404", "GH-06", version_status=404),
    of(GitHub, "anybody may", "GH-37", check_permission=nothing),
    of(GitHub, "too little is answered 401", "GH-37", forbidden_status=401),
    of(GitHub, "any token is good", "GH-31", holder=anybody),
    of(GitHub, "Bearer in capitals alone", "GH-35", holder=scheme_by_case),
    of(GitHub, "errors are HTML", "GH-21", refuse=in_html),
    of(GitHub, "errors have no message", "GH-21", error=same_body({"documentation_url": "x"})),
    of(GitHub, "errors show a trace", "GH-21", refuse=with_a_trace),
    of(GitHub, "a second call takes it back", "GH-12", refused=second_call_resurrects),
    of(GitHub, "the forbidden is done", "GH-37", refused=performed_though_refused, lasts=0.0),
    of(GitHub, "the branch is another then", "GH-14", entity=moved),
    of(GitHub, "OPTIONS is answered 500", "GH-09", options_status=500),
    of(Batch, "200 in place of 202", "BJ-20", accepted=200),
    of(Batch, "204 in place of 202", "BJ-20", accepted=204),
    of(Batch, "the job comes back", "BJ-20", success=entity_of_a_success),
    of(Batch, "nothing is deleted", "BJ-10", perform=nothing),
    of(Batch, "a completed job is not deleted", "BJ-10", perform=no_perform_in("completed")),
    of(Batch, "a disabled job conflicts", "BJ-10", check_state=ready_but("disabled")),
    of(Batch, "another job is deleted", "BJ-01", perform=neighbours),
    of(Batch, "it takes too long", "BJ-10", perform=ends_later),
    of(Batch, "it stays deleting", "BJ-10", state_of=stuck),
    of(Batch, "it ends completed", "BJ-10", state_of=back_to_active),
    of(Batch, "no version is needed", "BJ-02", check_request=nothing),
    of(Batch, "a missing version is answered 404", "BJ-02", version_status=404),
    of(Batch, "a missing version is answered 500", "BJ-02 BJ-23", version_status=500),
    of(Batch, "any force will do", "BJ-04", force_status=202),
    of(Batch, "an unknown job is answered 410", "BJ-05", gone_status=410),
    of(Batch, "an unknown job is answered 204", "BJ-05", gone_status=204),
    of(Batch, "an odd id is answered 500", "BJ-06", malformed_status=500),
    of(Batch, "what is gone is accepted", "BJ-05", check_existence=nothing_but_unknown,
       check_state=nothing),
    of(Batch, "a second call takes it back", "BJ-12", refused=second_call_resurrects),
    of(Batch, "anybody may", "BJ-33", check_permission=nothing),
    of(Batch, "too little is not found", "BJ-33", forbidden_status=404),
    of(Batch, "any token is good", "BJ-31", holder=anybody),
    of(Batch, "the anonymous are answered 404", "BJ-31", anonymous_status=404),
    of(Batch, "Bearer in capitals alone", "BJ-32", holder=scheme_by_case),
    of(Batch, "the forbidden is done", "BJ-33", refused=performed_though_refused, lasts=0.0),
    of(Batch, "errors are HTML", "BJ-22", refuse=in_html),
    of(Batch, "errors tell a text", "BJ-22", error=same_body({"code": "x", "message": "text"})),
    of(Batch, "errors show a trace", "BJ-22", refuse=with_a_trace),
    of(Batch, "existence before the token", "BJ-35",
       checks=("request", "existence", "caller", "permission", "state")),
)  # fmt: skip
WARNED = of(Batch, "no request-id", "BJ-21", success=without_request_id)


def test_there_are_enough_of_them() -> None:
    for kind in (GitHub, Batch):
        assert len([fault for fault in FAULTS if fault.kind is kind]) >= 25
        assert len([v for v in VARIANTS if v.kind is kind]) >= 6


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind.__name__}: {fault.name}")
def test_a_fault_is_caught_by_the_clause_that_it_breaks(fault: Fault) -> None:
    only = () if EVERY else fault.clauses
    code, violated = outcome(judged(serving(fault.kind, fault.attributes), only=only))
    assert (code, [id_ for id_ in fault.clauses if id_ not in violated]) == (1, []), violated


def test_what_should_be_there_is_warned_of() -> None:
    code, violated = outcome(judged(serving(Batch, WARNED.attributes), only=("BJ-10", "BJ-21")))
    assert (code, list(violated)) == (0, ["BJ-21"])


# --- Variants -------------------------------------------------------------------------------------


def waits(self: Any, thing: Thing) -> str:
    """Show what is under way as pending: a state of the page that the lifecycle does not name."""
    found = GitHub.state_of(self, thing)
    return "waiting" if thing.ends is not None and found != "cancelled" else found


def with_more(self: Any, status: int, code: str, message: str) -> Response:
    document = (
        self.error(status, message) if isinstance(self, GitHub) else self.error(code, message)
    )
    more = {"errors": [], "values": [{"key": "Reason", "value": "as told"}]}
    body = json.dumps(document | more, indent=2).encode()
    headers = (("Content-Type", "application/json"), ("X-Request-Id", "one"))
    return Response(status, body, headers)


def repeats_are_accepted(
    self: Any, request: Request, place: Any, id_: str, given: Any
) -> Response | None:
    thing = self.things[id_]
    under_way = thing.ends is not None and thing.state in self.cancellable
    return None if under_way else Vendor.check_state(self, request, place, id_, given)


def first_end_stays(self: Any, thing: Thing) -> None:
    if thing.ends is None:
        Vendor.perform(self, thing)


VARIANTS = (
    of(GitHub, "at once", "", lasts=0.0),
    of(GitHub, "late, and in time", "", lasts=0.3),
    of(GitHub, "404 in place of 403, 401 and 405", "", forbidden_status=404, anonymous_status=404,
       method_status=404),
    of(GitHub, "a second call is accepted", "", check_state=repeats_are_accepted,
       perform=first_end_stays),
    of(GitHub, "waits on the way, more in errors", "", state_of=waits, refuse=with_more),
    of(GitHub, "http.server, existence first", "", checks=(
        "caller", "request", "place", "existence", "permission", "state")),
    of(Batch, "at once", "", lasts=0.0),
    of(Batch, "late, and in time", "", lasts=0.3),
    of(Batch, "404 for odd ids and other methods", "", malformed_status=404, method_status=404),
    of(Batch, "403 for all", "", anonymous_status=403),
    of(Batch, "more in errors, 200 for OPTIONS", "", refuse=with_more, options_status=200),
    of(Batch, "http.server, the version first", "", checks=(
        "request", "caller", "permission", "existence", "state")),
)  # fmt: skip


@pytest.mark.parametrize(
    "variant", VARIANTS[:: 1 if EVERY else 2], ids=lambda v: f"{v.kind.__name__}: {v.name}"
)
def test_a_variant_passes(variant: Fault) -> None:
    front = Stdlib11 if "http.server" in variant.name else Written
    assert outcome(judged(serving(variant.kind, variant.attributes), front)) == (0, {})


# --- Seconds for an effect ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        ({}, 310),
        ({"within": 2}, 2),
        ({"within": 4000}, 310),
        ({"within": 2, "contracts": {"github-workflow-run": {"within": 3.5}}}, 3.5),
        ({"within": 2, "contracts": {"azure-batch-job": {"within": 3.5}}}, 2),
    ],
)
def test_a_target_gives_an_effect_less_time_and_never_more(
    raw: dict[str, Any], seconds: float
) -> None:
    given = contract("github-workflow-run")
    (found,) = Target("target.yaml", raw, "http://127.0.0.1:1").narrowed([given])
    assert found.lifecycle.within == seconds
    assert given.lifecycle.within == 310
    assert found.clauses == given.clauses


def test_a_recording_is_judged_by_the_time_that_the_run_gave(tmp_path: Path) -> None:
    fault = next(f for f in FAULTS if (f.kind, f.name) == (GitHub, "it takes too long"))
    result = judged(serving(fault.kind, fault.attributes), only=fault.clauses)
    write_recording(result, tmp_path / "run.har")
    again = judge_recording(tmp_path / "run.har", [contract(GitHub.contract)], Options())
    assert outcome(again) == outcome(result)
    assert outcome(again)[0] == 1


# --- The page for newcomers -----------------------------------------------------------------------


def newcomers(folder: Path) -> Path:
    """Return the finished file of docs/add-a-contract.md: its spec, and what it says to add."""
    text = (FOLDER.parent.parent / "docs" / "add-a-contract.md").read_text("utf-8")
    spec = text.partition("```yaml\n")[2].partition("```")[0]
    more = text.partition("```text\n")[2].partition("```")[0]
    path = folder / "print-job.yaml"
    path.write_text(spec + more, encoding="utf-8")
    return path


def proven(loaded: Contract, names: tuple[str, ...]) -> list[str | None]:
    """Return the hole that each of some entries leaves, as `prove` finds them in its processes."""
    work = jobs([loaded], names)
    assert [name for _, name in work] == [*names]
    return [trial(loaded, find(name)).hole for name in names]


def test_the_page_for_newcomers_ends_with_a_spec_that_proves(tmp_path: Path) -> None:
    loaded = load(newcomers(tmp_path))
    assert len(loaded.clauses) > 25
    assert proven(loaded, ("success-as-204", "third-cancel-resurrects")) == [None, None]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_sample_of_the_faults_of_its_mock_is_caught(path: Path) -> None:
    assert proven(load(path), PROVEN[path.stem]) == [None, None]
