"""Whatever a recorder leaves out, mixes in or damages, a recording says nothing against a server that
the whole recording does not say.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.replay import judge_recording
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import (
    CONTRACTS,
    DEFENDER,
    GRAPH,
    Entry,
    cancel,
    entry,
    error,
    har,
    machine_action,
    security_action,
)
from sampling import EVERY

LOOK = 0  # in place of a status
IDS = ("6c063190-5a3d-415f-b7b1-c52fd7bb7ad5", "988cc94e-7a8f-4b28-ab65-54970c5d5018")
FUZZ = settings(
    max_examples=100 if EVERY else 50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Server:
    """A server that keeps the contract, slow to show an effect, with other callers beside ours."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw, self.at, self.number = draw, 0.0, 0
        self.state = {
            id_: draw(st.sampled_from(["Pending", "InProgress", "Succeeded"])) for id_ in IDS
        }
        self.comment: dict[str, str | None] = dict.fromkeys(IDS)
        self.shows_at: dict[str, float] = dict.fromkeys(IDS, 0.0)

    def _moment(self) -> float:
        self.at = round(self.at + self.draw(st.sampled_from([0.02, 0.5, 2, 5])), 3)
        self.number += 1
        return self.at

    def look(self, id_: str) -> Entry:
        at = self._moment()
        cancelled = self.comment[id_] is not None and at >= self.shows_at[id_]
        state = "Cancelled" if cancelled else self.state[id_]
        body = machine_action(state, id_, self.comment[id_])
        return entry("GET", f"{DEFENDER}/{id_}", 200, body, at)

    def call(self, id_: str) -> Entry:
        at = self._moment()
        sent = {"Comment": f"comment {self.number}"}
        refusal = self.draw(st.sampled_from([None, None, None, 400, 401, 403, 429, 503, 504]))
        if refusal in (503, 504):
            headers = {"Retry-After": "1"} if refusal == 503 else {"Via": "1.1 proxy"}
            return cancel(refusal, at, id_, sent=sent, headers=headers)
        if refusal is not None:
            headers = {"Retry-After": "1", "WWW-Authenticate": "Bearer"}
            return cancel(refusal, at, id_, sent=sent, headers=headers)
        if self.state[id_] == "Succeeded":
            return cancel(409, at, id_, sent=sent)
        if self.comment[id_] is None:
            self.comment[id_] = sent["Comment"]
            self.shows_at[id_] = at + self.draw(st.sampled_from([0, 3]))
        body = machine_action("Cancelled", id_, self.comment[id_])
        return cancel(200, at, id_, sent=sent, body=body)

    def step(self) -> Entry:
        id_ = self.draw(st.sampled_from(IDS))
        kind = self.draw(st.sampled_from(["look", "call", "call", "preflight", "other"]))
        if kind == "look":
            return self.look(id_)
        if kind == "call":
            return self.call(id_)
        if kind == "preflight":
            return entry("OPTIONS", f"{DEFENDER}/{id_}/cancel", 204, None, self._moment())
        return entry("GET", "https://portal.example/x", 200, "<html>", self._moment())


@st.composite
def conforming(draw: st.DrawFn) -> list[Entry]:
    server = Server(draw)
    return [server.step() for _ in range(draw(st.integers(2, 12)))]


@st.composite
def at_once(draw: st.DrawFn) -> list[Entry]:
    """A server that keeps the contract, one resource, and calls that overlap: what each did lies
    somewhere between its start and its end.
    """
    id_, at, calls = IDS[0], 0.0, []
    for number in range(draw(st.integers(2, 8))):
        at = round(at + draw(st.sampled_from([0.0, 0.02, 0.3, 1, 5])), 3)
        seconds = draw(st.sampled_from([0.0125, 0.4, 2.0]))
        done = at + seconds * draw(st.sampled_from([0.1, 0.5, 0.9]))
        status = draw(st.sampled_from([LOOK, LOOK, 200, 200, 200, 400, 429]))
        calls.append((done, number, at, seconds, status))
    again, late = draw(st.sampled_from([200, 400])), draw(st.sampled_from([0, 3]))
    kept: str | None = None
    shows_at, found = 0.0, []
    for done, number, at, seconds, status in sorted(calls):
        time = seconds * 1000
        if status == LOOK:
            cancelled = kept is not None and done >= shows_at
            body = machine_action("Cancelled" if cancelled else "Pending", id_, kept)
            found.append(entry("GET", f"{DEFENDER}/{id_}", 200, body, at, time=time))
            continue
        said = {"Comment": f"comment {number}"}
        status = again if status == 200 and kept is not None else status
        if status == 200 and kept is None:
            kept, shows_at = said["Comment"], done + late
        more = {"body": machine_action("Cancelled", id_, kept)} if status == 200 else {}
        headers = {"Retry-After": "1", "request-id": f"r{number}"}
        found.append(cancel(status, at, id_, sent=said, headers=headers, time=time, **more))
    return sorted(found, key=lambda row: row["startedDateTime"])


@st.composite
def faulty(draw: st.DrawFn) -> list[Entry]:
    """The same with an answer here and there that breaks the contract."""
    entries = draw(conforming() | at_once())
    for at in draw(st.lists(st.integers(0, len(entries) - 1), max_size=3)):
        wrong = draw(st.sampled_from(["status", "body", "state", "bare"]))
        response = entries[at]["response"]
        if wrong == "status":
            response["status"] = draw(st.sampled_from([201, 204, 302, 404, 500, 502]))
        elif wrong == "state":
            response["content"] = {"size": -1, "text": json.dumps(machine_action("Failed"))}
        elif wrong == "bare":
            response["headers"] = [{"name": "Date", "value": "x"}]
        else:
            response["content"] = {"size": 5, "text": "at /srv/app/main.py"}
    return entries


def _drop(*path: str) -> Any:
    def left_out(row: Entry) -> Entry:
        place = row
        for name in path[:-1]:
            place = place.get(name) or {}
        place.pop(path[-1], None)
        return row

    return left_out


def _set(value: Any, *path: str) -> Any:
    def damaged(row: Entry) -> Any:
        place = row
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value
        return row

    return damaged


def _parsed(row: Entry) -> Entry:
    """Some recorders write the JSON value in place of the text."""
    content = row["response"]["content"]
    try:
        content["text"] = json.loads(content["text"])
    except ValueError:
        pass  # no JSON: there is nothing to write in its place
    return row


def _streamed(row: Entry) -> Entry:
    """Some proxies keep no body that comes in chunks."""
    response = row["response"]
    response |= {"content": {"size": 0, "text": ""}, "bodySize": 0}
    kept = [h for h in response["headers"] if h["name"] != "Content-Length"]
    response["headers"] = [*kept, {"name": "Transfer-Encoding", "value": "chunked"}]
    return row


LEFT_OUT = [
    _drop("response", "content", "text"), _drop("response", "content"), _drop("response"),
    _drop("response", "headers"), _drop("request", "headers"), _drop("request", "postData"),
    _drop("time"), _drop("startedDateTime"), _drop("request", "url"), _drop("request"),
    _set(-1, "response", "content", "size"), _set({"size": -1}, "response", "content"),
    _set(0, "response", "status"), _set("x", "response", "status"), _set(None, "response"),
    _set("net::ERR_ABORTED", "response", "_error"), _set("net::ERR_BLOCKED_BY_ORB", "_error"),
    _set("disk", "_fromCache"), _set(5, "response", "headers"), _set([5], "response", "headers"),
    _parsed, _set("noon", "startedDateTime"),
    _set("base64", "response", "content", "encoding"), _set(True, "_fetchedViaServiceWorker"),
    _set("EXCEPTION", "response", "_charlesStatus"), _set("Disk Cache", "_fetchType"),
    _set("[redacted]", "response", "content", "text"), _set("[redacted]", "request", "postData", "text"),
    _set(f"{DEFENDER}/[redacted]/cancel", "request", "url"), _streamed,
    _set({"wait": 12.5}, "timings"), _set(0, "time"),
    _set(float(10**9), "time"), _set("http://[", "request", "url"), lambda row: 5, lambda row: None,
]  # fmt: skip
OTHERS = [
    entry("GET", "https://portal.example/", 500, "x"),
    entry("POST", f"{GRAPH}/1/other", 500, error()),
    entry("GET", f"{GRAPH}/1", 200, security_action("Running")),
    {"request": {"method": "GET", "url": "https://portal.example/"}},
]


@st.composite
def worse(draw: st.DrawFn, entries: list[Entry]) -> list[Any]:
    """The recording as a recorder may leave it."""
    found: list[Any] = copy.deepcopy(entries)
    for at in draw(st.lists(st.integers(0, len(found) - 1), max_size=4, unique=True)):
        found[at] = draw(st.sampled_from(LEFT_OUT))(found[at])
    found += draw(st.lists(st.sampled_from(OTHERS), max_size=2))
    return draw(st.permutations(found)) if draw(st.booleans()) else found


def violated(folder: Path, entries: list[Any], cut: int = 0) -> set[str]:
    path = folder / "traffic.har"
    text = har(entries)
    path.write_text(text[: len(text) - cut], "utf-8")
    result = judge_recording(path, CONTRACTS, Options())
    return {v.clause.id for j in result.judgements() for v in j.verdicts if v.word == "violated"}


@pytest.mark.slow
@FUZZ
@given(st.data(), conforming() | at_once())
def test_a_conforming_server_is_never_blamed(
    tmp_path: Path, data: st.DataObject, entries: list[Entry]
) -> None:
    assert violated(tmp_path, entries) == set()
    assert violated(tmp_path, data.draw(worse(entries))) == set()


@pytest.mark.slow
@FUZZ
@given(st.data(), faulty())
def test_nothing_is_said_that_the_whole_recording_does_not_say(
    tmp_path: Path, data: st.DataObject, entries: list[Entry]
) -> None:
    part = data.draw(worse(entries))
    assert violated(tmp_path, part) <= violated(tmp_path, entries)
