"""The faithful mock keeps the pages. What is expected is written by hand from pages and RFCs."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.contract.load import load
from cancel_contracts.errors import UsageError
from cancel_contracts.mock import MockServer
from test_mock_support import (
    HANDS,
    KEY,
    MACHINE,
    PACKAGE,
    SECURITY,
    Answer,
    Hand,
    World,
    contract_of,
    exchange,
    unknown_id,
)

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer([contract_of(hand) for hand in HANDS], key=KEY, quotas=False) as mock:
        yield mock
        assert not mock.crashes


@pytest.fixture(params=HANDS, ids=[hand.name for hand in HANDS])
def world(request: pytest.FixtureRequest, server: MockServer) -> World:
    return World(request.param, server)


@pytest.fixture
def machine(server: MockServer) -> World:
    return World(MACHINE, server)


@pytest.fixture
def package(server: MockServer) -> World:
    return World(PACKAGE, server)


@pytest.fixture
def security(server: MockServer) -> World:
    return World(SECURITY, server)


def envelope(answer: Answer) -> dict[str, Any]:
    """Return the error of an answer that is one in either product's envelope."""
    assert answer.header("Content-Type") == "application/json"
    assert list(answer.json()) == ["error"]
    error: dict[str, Any] = answer.json()["error"]
    assert isinstance(error["code"], str)
    assert error["message"]
    return error


def refused(w: World, answer: Answer, status: int) -> None:
    assert answer.status == status, answer.wire
    envelope(answer)


# --- Success --------------------------------------------------------------------------------------


@pytest.mark.parametrize("hand", [SECURITY, PACKAGE], ids=lambda hand: hand.name)
def test_success_is_an_empty_200(hand: Hand, server: MockServer) -> None:
    w = World(hand, server)
    answer = w.call(w.new())
    assert (answer.status, answer.body, answer.header("Content-Length")) == (200, b"", "0")
    assert answer.header("Content-Type") is None
    assert answer.header("Transfer-Encoding") is None


def test_success_is_the_cancelled_machine_action(machine: World) -> None:
    id_ = machine.new("InProgress")
    answer = machine.call(id_, body='{"Comment": "größer \U0001f6d1 \\"x\\""}'.encode())
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/json"
    entity = answer.json()
    assert (entity["id"], entity["status"]) == (id_, "Cancelled")
    assert entity["cancellationComment"] == 'größer \U0001f6d1 "x"'
    assert entity["cancellationRequestor"] == "admin"
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", entity["cancellationDateTimeUtc"])
    assert machine.look(id_).json() == entity


def test_every_cancellable_state_can_be_cancelled(world: World) -> None:
    for state in world.hand.cancellable:
        id_ = world.new(state)
        assert world.state(id_) == state
        assert world.call(id_).status == 200
        assert world.state(id_) in ("Cancelled", "canceled", "Failed")
        refused(world, world.call(id_), 409)


def test_every_final_state_is_refused_and_stays(world: World) -> None:
    for state in world.hand.final:
        id_ = world.new(state)
        before = world.look(id_).body
        refused(world, world.call(id_), 409)
        assert world.look(id_).body == before


def test_both_properties_of_the_package_show_the_state(package: World) -> None:
    id_ = package.new("pendingApproval")
    assert package.call(id_).status == 200
    shown = package.look(id_).json()
    assert (shown["requestStatus"], shown["requestState"]) == ("canceled", "canceled")
    assert shown["justification"] == "Needed for the project"


def test_what_follows_a_cancelled_security_action_is_observable(security: World) -> None:
    id_ = security.new()
    before = security.look(id_).json()
    assert security.call(id_).status == 200
    after = security.look(id_).json()
    assert before["lastActionDateTime"] < after["lastActionDateTime"]
    assert after["status"] == "Failed"


def test_neighbours_stay(world: World) -> None:
    id_, other = world.new(), world.new()
    assert world.call(id_).status == 200
    assert world.state(other) == world.hand.cancellable[0]


def test_the_connection_stays_usable(world: World) -> None:
    request = b"".join(
        f"POST {world.hand.path.replace('{id}', world.new())} HTTP/1.1\r\nHost: m\r\n"
        f"Authorization: {world.sign()}\r\nContent-Type: application/json\r\n"
        f"Content-Length: 2\r\n{more}\r\n{{}}".encode()
        for more in ("", "Connection: close\r\n")
    )
    assert exchange(world.port, request).wire.count(b"HTTP/1.1 200 OK\r\n") == 2


# --- Ids, routes, methods -------------------------------------------------------------------------


def test_an_unknown_id_is_404_and_does_not_come_to_exist(world: World) -> None:
    id_ = unknown_id()
    refused(world, world.call(id_), 404)
    refused(world, world.look(id_), 404)


@pytest.mark.parametrize(
    ("raw", "status"),
    [("a%00b", 404), ("a%2Fb", 404), ("a%27%22b", 404), ("x" * 4000, 404), ("%E5%8F%96", 404),
     ("", 404), ("..", 404), ("%2e%2e", 404), ("a%20b", 404),
     ("%", 400), ("a%zz", 400), ("%FF", 400)],
)  # fmt: skip
def test_odd_ids_are_client_errors(raw: str, status: int, world: World) -> None:
    refused(world, world.call(raw, body=b"{}"), status)
    refused(world, world.look(raw), status)


def test_an_encoded_id_is_the_id(world: World) -> None:
    id_ = world.new()
    assert (
        world.call("%" + id_[0].encode().hex() + id_[1:], body=world.documented(id_)).status == 200
    )


def test_another_route_is_404(world: World) -> None:
    for path in ("/", "/cancel", world.hand.path + "/", world.hand.path + "/x", "/_pact"):
        refused(world, world.call("x", path=path), 404)


def test_a_query_does_not_matter_and_the_absolute_form_is_understood(world: World) -> None:
    assert world.call(world.new(), path=world.hand.path + "?a=b").status == 200
    assert world.call(world.new(), path="http://mock" + world.hand.path).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "BREW"])
def test_other_methods_are_405_with_allow(method: str, world: World) -> None:
    id_ = world.new()
    answer = world.call(id_, method=method)
    refused(world, answer, 405)
    assert answer.header("Allow") == "POST, OPTIONS"
    assert world.state(id_) == world.hand.cancellable[0]


def test_head_is_405_without_body_and_options_204(world: World) -> None:
    head, options = (
        world.call(world.new(), method="HEAD"),
        world.call(world.new(), method="OPTIONS"),
    )
    assert (head.status, head.body) == (405, b"")
    assert (options.status, options.body, options.header("Allow")) == (204, b"", "POST, OPTIONS")
    assert options.header("Content-Length") is None


# --- Identities -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["anonymous", "empty-header", "bare-scheme", "garbage-token", "basic-scheme", "expired",
     "bad-signature", "unsigned", "wrong-audience"],
)  # fmt: skip
def test_no_valid_token_is_401_with_a_challenge(name: str, world: World) -> None:
    id_ = world.new()
    for target in (id_, unknown_id()):
        answer = world.call(target, identity=name)
        refused(world, answer, 401)
        assert (answer.header("WWW-Authenticate") or "").startswith('Bearer realm=""')
    assert world.state(id_) == world.hand.cancellable[0]


@pytest.mark.parametrize("name", ["personal", "no-permission"])
def test_no_permission_is_403_and_has_no_effect(name: str, world: World) -> None:
    id_ = world.new()
    refused(world, world.call(id_, identity=name), 403)
    refused(world, world.call(unknown_id(), identity=name), 403)
    assert world.state(id_) == world.hand.cancellable[0]


def test_names_of_permissions_match_exactly(world: World) -> None:
    name = world.hand.permissions[0]
    for other in (name + "X", "X" + name, name[:-1], name.lower(), name + name):
        refused(world, world.call(world.new(), token=world.sign(scp=other)), 403)


def test_each_permission_suffices_among_others(world: World) -> None:
    for name in world.hand.permissions:
        token = world.sign(scp=f"openid {name} profile")
        assert world.call(world.new(), token=token).status == 200


def test_applications_are_accepted_where_the_page_lists_them(world: World) -> None:
    for name in world.hand.permissions:
        answer = world.call(world.new(), token=world.app(name))
        assert answer.status == (200 if world.hand.applications else 403)


def test_a_token_with_both_claims_is_a_users(world: World) -> None:
    token = world.sign(scp="User.Read", roles=list(world.hand.permissions))
    refused(world, world.call(world.new(), token=token), 403)


def test_the_scheme_is_compared_without_case(world: World) -> None:
    assert world.call(world.new(), identity="lower-case-scheme").status == 200


def test_unsigned_tokens_and_strange_claims_are_401(world: World) -> None:
    unsigned = "eyJhbGciOiJub25lIn0.e30."
    claims: list[dict[str, Any]] = [{"exp": None}, {"exp": "soon"}, {"aud": None}, {"aud": []}]
    for token in ("Bearer " + unsigned, *(world.sign(**claim) for claim in claims)):
        refused(world, world.call(world.new(), token=token), 401)


def test_any_valid_token_may_look_and_no_other(world: World) -> None:
    id_, path = world.new(), world.hand.observe
    assert world.call(id_, method="GET", path=path, identity="no-permission").status == 200
    refused(world, world.call(id_, method="GET", path=path, identity="anonymous"), 401)


def test_a_throttled_caller_is_429_without_effect(world: World) -> None:
    id_ = world.new()
    answer = world.call(id_, identity="throttled")
    refused(world, answer, 429)
    assert answer.header("Retry-After") == "1"
    assert world.state(id_) == world.hand.cancellable[0]


# --- Owners ---------------------------------------------------------------------------------------


def test_an_owner_cancels_with_id_and_status(package: World) -> None:
    for id_ in (package.new(owner="user"), package.new(owner="user")):
        body = package.documented(id_, id=id_.upper())
        assert package.call(id_, identity="user", body=body).status == 200


def test_an_owners_body_is_asked_for_in_full(package: World) -> None:
    id_, other = package.new(owner="user"), package.new(owner="user")
    bodies: list[Any] = [
        {}, {"id": id_}, {"requestStatus": "cancelled"}, {"id": None, "requestStatus": "cancelled"},
        {"id": id_, "requestStatus": "approved"}, {"id": id_, "requestStatus": ["cancelled"]},
        {"id": other, "requestStatus": "cancelled"}, [], "x", None, 7,
    ]  # fmt: skip
    for data in (b"", b"{", b"\xff", *(json.dumps(body).encode() for body in bodies)):
        refused(package, package.call(id_, identity="user", body=data), 400)
    assert (package.state(id_), package.state(other)) == ("accepted", "accepted")


def test_nobody_cancels_what_is_anothers(package: World) -> None:
    for owner in ("user", None):
        id_ = package.new(owner=owner)
        refused(package, package.call(id_, identity="other-user"), 403)
        assert package.state(id_) == "accepted"


def test_an_administrator_may_send_no_body_but_no_wrong_one(package: World) -> None:
    other = package.new()
    assert package.call(package.new(owner="user"), body=b"", media=None).status == 200
    assert package.call(package.new(owner="user"), body=b"{}").status == 200
    for data in (b"[]", b"{", json.dumps({"id": other}).encode(), b'{"id": 42}'):
        refused(package, package.call(package.new(), body=data), 400)
    assert package.state(other) == "accepted"


# --- Bodies and media types -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"", 200), (b"{}", 200), (b'{"Comment": ""}', 200), (b'{"Comment": null}', 400),
     (b'{"Comment": 42}', 400), (b'{"Comment": ["stop"]}', 400), (b"null", 400), (b"[]", 400),
     (b'"x"', 400), (b"1", 400), (b'{"Comment": "', 400), (b'{"Comment": "\xff"}', 400),
     (b'{"Comment": NaN}', 400), (b"[" * 100000, 400), (b'{"a":' * 500 + b"1" + b"}" * 500, 400)],
)  # fmt: skip
def test_bodies_of_the_machine_action(data: bytes, status: int, machine: World) -> None:
    id_ = machine.new()
    assert machine.call(id_, body=data).status == status
    assert machine.state(id_) == ("Cancelled" if status == 200 else "Pending")


def test_a_lower_case_comment_is_not_the_comment(machine: World) -> None:
    answer = machine.call(machine.new(), body=b'{"comment": "x"}')
    assert answer.json()["cancellationComment"] is None


def test_a_lone_surrogate_comes_back_as_it_was_sent(machine: World) -> None:
    answer = machine.call(machine.new(), body=b'{"Comment": "\\ud800"}')
    assert answer.json()["cancellationComment"] == "\ud800"


def test_media_types_of_the_machine_action(machine: World) -> None:
    for media in (None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"):
        refused(machine, machine.call(machine.new(), media=media), 415)
    for media in ("application/json; charset=utf-8", "Application/JSON;odata.metadata=minimal"):
        assert machine.call(machine.new(), media=media).status == 200


def test_media_types_of_the_package(package: World) -> None:
    for media in ("text/plain", "application/x-www-form-urlencoded"):
        refused(package, package.call(package.new(), media=media), 415)
    assert package.call(package.new(), media=None).status == 200


def test_where_none_is_asked_for_any_body_is_ignored(security: World) -> None:
    for data in (b"", b"{}", b"[", b"\xff", b"null", b"[" * 100000):
        assert security.call(security.new(), body=data).status == 200


def test_a_chunked_body_is_understood(world: World) -> None:
    id_ = world.new(owner="user")
    answer = world.call(id_, identity="user", chunked=True)
    assert answer.status == 200
    if world.hand is MACHINE:
        assert answer.json()["cancellationComment"] == "Machine action was canceled by automation"


# --- Order, errors, headers -----------------------------------------------------------------------


def test_checks_come_in_order(package: World) -> None:
    final, bad, text = package.new("denied"), b"{", "text/plain"
    assert package.call("x", identity="anonymous", method="PUT", body=bad).status == 405
    assert package.call("x", identity="anonymous", body=bad).status == 401
    assert package.call("x", identity="no-permission", body=bad).status == 403
    assert package.call("x", identity="throttled", body=bad).status == 429
    assert package.call("x", body=bad, media=text).status == 404
    assert package.call(final, body=bad, media=text).status == 415
    assert package.call(final, body=bad).status == 400
    assert package.call(final, identity="other-user").status == 403
    assert package.call(final).status == 409


def test_errors_of_the_machine_action_have_a_target_each(machine: World) -> None:
    targets = [envelope(machine.call(unknown_id()))["target"] for _ in range(2)]
    assert targets[0] != targets[1]
    assert all(UUID.fullmatch(target) for target in targets)


def test_graph_echoes_request_ids(security: World) -> None:
    asked = "9f5b8c1e-0000-4000-8000-000000000001"
    for id_ in (security.new(), unknown_id()):
        answer = security.call(id_, headers=[f"client-request-id: {asked}"])
        assert answer.header("client-request-id") == asked
        assert UUID.fullmatch(answer.header("request-id") or "")
    inner = envelope(answer)["innerError"]
    assert (inner["request-id"], inner["client-request-id"]) == (answer.header("request-id"), asked)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inner["date"])


def test_defender_has_no_request_ids(machine: World) -> None:
    assert machine.call(unknown_id()).header("request-id") is None


# --- Quota, simultaneity --------------------------------------------------------------------------


def test_a_hundred_calls_a_minute_are_granted_and_no_more() -> None:
    with MockServer([contract_of(MACHINE)], key=KEY) as mock:
        w = World(MACHINE, mock)
        id_ = w.new()
        assert {w.call("x", identity="anonymous").status for _ in range(5)} == {401}
        assert {w.call(unknown_id()).status for _ in range(100)} == {404}
        answer = w.call(id_, token=w.app())
        refused(w, answer, 429)
        assert 50 < int(answer.header("Retry-After") or 0) <= 60
        assert w.state(id_) == "Pending"


def test_of_two_simultaneous_cancels_one_is_done(world: World) -> None:
    for _ in range(5):
        assert world.at_once(world.new()) == [200, 409]


# --- Provider states ------------------------------------------------------------------------------


def test_provider_states_are_set_up_and_torn_down(world: World) -> None:
    params = {"contract": world.hand.name, "state": world.hand.cancellable[0], "owner": "user"}
    answer = world.states(consumer="t", state="x", action="setup", params=params)
    assert answer.status == 200
    assert UUID.fullmatch(answer.json()["id"])
    gone = {"action": "teardown", "params": params | answer.json()}
    assert world.states(**gone).status == 200
    assert world.state(answer.json()["id"]) is None
    assert world.states(**gone).status == 404


@pytest.mark.parametrize(
    ("message", "status"),
    [({"params": {"contract": "x", "state": "y"}}, 404),
     ({"params": {"contract": [], "state": 1}}, 404),
     ({"params": {"contract": "machine-action", "state": "Zapped"}}, 404),
     ({"params": {"contract": "machine-action", "state": ["Pending"]}}, 404),
     ({"params": {"contract": "machine-action", "state": "Pending", "owner": 7}}, 400),
     ({"action": "x", "params": {"contract": "machine-action", "state": "Pending"}}, 400),
     ({"params": {}}, 400), ({"params": []}, 400), ({}, 400)],
)  # fmt: skip
def test_bad_provider_states_are_refused(
    message: dict[str, Any], status: int, machine: World
) -> None:
    assert machine.states(**message).status == status


def test_provider_states_take_nothing_but_a_posted_object(machine: World) -> None:
    for method, body in (("GET", b""), ("POST", b"{"), ("POST", b"[]"), ("POST", b"\xff")):
        request = f"{method} /_pact/provider-states HTTP/1.1\r\nHost: m\r\n".encode()
        request += b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        assert exchange(machine.port, request).status == (405 if method == "GET" else 400)


# --- The server -----------------------------------------------------------------------------------


def test_requests_are_counted_by_kind() -> None:
    with MockServer([contract_of(SECURITY)], key=KEY) as mock:
        w = World(SECURITY, mock)
        id_ = w.new()
        w.call(id_)
        w.call(id_, method="PUT")
        w.look(id_)
        assert mock.requests == {"provider_states": 1, "cancel": 2, "observe": 1}


def test_starts_and_stops_in_no_time_beside_others() -> None:
    contracts = [contract_of(hand) for hand in HANDS]
    started = time.monotonic()
    servers = [MockServer(contracts, key=KEY) for _ in range(5)]
    for server in servers:
        server.start()
    assert len({server.base_url for server in servers}) == 5
    for server in servers:
        server.stop()
        server.stop()
    assert time.monotonic() - started < 1.0
    assert not [t for t in threading.enumerate() if t.name == "mock" and not t.is_alive()]
    with pytest.raises(RuntimeError):
        _ = servers[0].base_url


def test_a_stopped_server_frees_its_port() -> None:
    with MockServer([contract_of(SECURITY)], key=KEY) as mock:
        port = int(mock.base_url.rpartition(":")[2])
        assert mock.provider_states == f"http://127.0.0.1:{port}/_pact/provider-states"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    with MockServer([contract_of(SECURITY)], key=KEY, port=port) as mock:
        assert mock.base_url == f"http://127.0.0.1:{port}"


def test_a_port_in_use_or_out_of_range_is_a_usage_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for port in (taken.getsockname()[1], 70000):
            with pytest.raises(UsageError, match="choose another port"):
                MockServer([contract_of(SECURITY)], key=KEY, port=port).start()


def test_stop_does_not_wait_for_what_hangs() -> None:
    contract = contract_of(SECURITY)
    with MockServer([contract], key=KEY, faults=["hangs-before-the-head"]) as mock:
        w = World(SECURITY, mock)
        for _ in range(4):
            w.call(w.new())
        waiting = threading.Thread(target=w.call, args=[w.new()])
        waiting.start()
        time.sleep(0.05)
        started = time.monotonic()
    assert time.monotonic() - started < 0.5
    waiting.join(timeout=1)
    assert not waiting.is_alive()


# --- A fourth contract ----------------------------------------------------------------------------

FOURTH = """
openapi: 3.1.0
info: {title: Stop a job, version: "1"}
servers: [{url: "https://jobs.example.com"}]
paths:
  /v1/jobs/{job}:stop:
    post:
      operationId: stopJob
      security: [{key: [jobs.stop]}]
      responses:
        "202": {description: On its way.}
        "4XX": {description: An error., content: {application/json: {schema: {type: object}}}}
  /v1/jobs/{job}:
    get:
      operationId: getJob
      responses: {"200": {description: The job.}}
components:
  securitySchemes:
    key:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: "https://t", scopes: {jobs.stop: Stop}}}
x-lifecycle:
  cancel: stopJob
  observe: getJob
  shows: [phase]
  cancellable: [queued, running]
  final: [done, stopped]
  after: [stopped]
x-clauses:
  - id: JB-01
    level: must
    says: Success is 202.
    source: {page: p, section: s}
    given: {resource: cancellable}
    expect: {status: 202}
"""


@pytest.fixture
def job(tmp_path: Path) -> Iterator[World]:
    file = tmp_path / "stop-job.yaml"
    file.write_text(FOURTH, encoding="utf-8")
    hand = Hand("stop-job", "/v1/jobs/{id}:stop", "anything", ("jobs.stop",), True,
                ("queued", "running"), ("done", "stopped"), "phase", None)  # fmt: skip
    with MockServer([load(file)], key=KEY) as mock:
        yield World(hand, mock)
        assert not mock.crashes


def test_a_fourth_contract_is_one_file(job: World) -> None:
    path, token = "/v1/jobs/{id}", job.app()
    for state in ("queued", "running"):
        id_ = job.new(state)
        answer = job.call(id_, token=token)
        assert (answer.status, answer.body, answer.header("Content-Length")) == (202, b"", "0")
        shown = job.call(id_, method="GET", path=path, token=token).json()
        assert shown == {"id": id_, "phase": "stopped"}
        refused(job, job.call(id_, token=token), 409)
    refused(job, job.call(job.new("done"), token=token), 409)
    refused(job, job.call(unknown_id(), token=token), 404)
    refused(job, job.call(job.new(), identity="anonymous"), 401)
    refused(job, job.call(job.new(), identity="admin"), 403)
    assert job.call(job.new(), token=token, body=b"[").status == 202


def test_a_contract_without_security_asks_for_no_token(tmp_path: Path) -> None:
    file = tmp_path / "stop-job.yaml"
    file.write_text(FOURTH.replace("security: [{key: [jobs.stop]}]", "tags: []"), encoding="utf-8")
    hand = Hand(
        "stop-job", "/v1/jobs/{id}:stop", "x", (), True, ("queued",), ("done",), "phase", None
    )
    with MockServer([load(file)], key=KEY) as mock:
        w = World(hand, mock)
        assert w.call(w.new(), identity="anonymous").status == 202


def test_deviations_take_hold_of_a_fourth_contract(tmp_path: Path) -> None:
    file = tmp_path / "stop-job.yaml"
    file.write_text(FOURTH, encoding="utf-8")
    hand = Hand("stop-job", "/v1/jobs/{id}:stop", "x", ("jobs.stop",), True, ("queued",), ("done",),
                "phase", None)  # fmt: skip
    for fault, expected in (
        ("unknown-id-answered-with-entity", 200),
        ("unknown-id-answered-410", 410),
        ("anonymous-accepted", 404),
    ):
        with MockServer([load(file)], key=KEY, faults=[fault]) as mock:
            w = World(hand, mock)
            token = None if fault == "anonymous-accepted" else w.app()
            assert w.call(unknown_id(), identity="anonymous", token=token).status == expected
            assert not mock.crashes
