"""Recordings as people have them, kind by kind: each comes out as the server behind it deserves.

The servers keep the contract unless a test says otherwise. Ids of clauses: MA-48, SA-40 and AP-62
say that no call is answered with a server error.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.cli import main
from cancel_contracts.har.body import cleaned
from recordings import (
    AP,
    COMMENT,
    DEFENDER,
    GRAPH,
    ID,
    Entry,
    cancel,
    entry,
    error,
    har,
    judge,
    look,
    machine_action,
    moment,
    security_action,
)

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
CASES = Path(__file__).parent / "cases"
OTHER = "988cc94e-7a8f-4b28-ab65-54970c5d5018"

# --- The cases ------------------------------------------------------------------------------------

# file -> what is violated, what is told of what was left out
FILES: dict[str, tuple[list[str], str]] = {
    "blocked-by-client": ([], "1 that never left the client"),
    "defender-429-served-again": ([], ""),
    "devproxy-no-text": (["MA-48"], ""),
    "entry-of-others-without-response": ([], "1 on other hosts"),
    "graph-503-then-served": ([], "1 put off by a temporary server error"),
    "hsts-internal-redirect": ([], "1 redirected by the browser itself"),
    "newest-first": ([], ""),
    "odata-key-in-parentheses": (["AP-61", "AP-62"], ""),
    "preflight-before-cancel": ([], ""),
    "pw-full-400-first": ([], "1 on other hosts"),
    "pw-minimal-omit": ([], "1 on other hosts"),
    "sdk-namespace": (["SA-26", "SA-40"], ""),
    "throttled-429-then-cancelled": ([], ""),
}


@pytest.mark.parametrize("name", FILES)
def test_a_case(name: str, tmp_path: Path) -> None:
    violated, told = FILES[name]
    found = judge(tmp_path, CASES / "har" / f"{name}.har")
    assert sorted(found.violated) == violated
    assert found.exit_code == (1 if violated else 4)
    assert told in found.told


def test_every_case_has_its_row() -> None:
    assert {path.stem for path in (CASES / "har").glob("*.har")} == set(FILES)


# --- 1. Whose answer is it? -----------------------------------------------------------------------

STATUS_0: Entry = {"status": 0, "headers": [], "content": {"size": 0}}
# What is left out of an ordinary recording -> how it is counted. The answer in it, taken for the
# server's, would violate a clause.
NOT_THE_SERVERS: dict[str, tuple[Entry, str]] = {
    "status -1": (cancel(at=1, response={**STATUS_0, "status": -1}), "without an answer"),
    "offline": (
        cancel(at=1, response={**STATUS_0, "_error": "net::ERR_INTERNET_DISCONNECTED"}),
        "never left the client"),
    "no such name": (
        cancel(at=1, response={**STATUS_0, "_error": "net::ERR_NAME_NOT_RESOLVED"}),
        "never left the client"),
    "blocked, told beside the answer": (
        cancel(at=1, response=STATUS_0, _blockedReason="csp"), "never left the client"),
    "aborted after the status": (
        cancel(500, 1, response={"_error": "net::ERR_ABORTED"}), "without an answer"),
    "stopped by the test itself": (
        cancel(at=1, response=STATUS_0, _wasAborted=True), "never left the client"),
    "no such host, as BrowserMob tells it": (
        cancel(at=1, response={**STATUS_0, "_errorMessage": "Unable to resolve host: api"}),
        "never left the client"),
    "nobody there, as mitmproxy tells it": (
        cancel(at=1, response={**STATUS_0, "_error": "[Errno 111] Connect call failed"}),
        "never left the client"),
    "broken off, as Charles tells it": (
        cancel(at=1, response={"_charlesStatus": "EXCEPTION", "content": {"size": 2, "text": "{"}}),
        "without an answer"),
    "aborted, as Playwright tells it": (
        cancel(500, 1, response={"_failureText": "net::ERR_ABORTED"}), "without an answer"),
    "Firefox, broken off": (
        cancel(at=1, response={**STATUS_0, "statusText": ""}), "without an answer"),
    "no response at all": (cancel(at=1) | {"response": None}, "without an answer"),
    "the browser's redirect to https": (
        cancel(307, 1, headers={"Non-Authoritative-Reason": "HttpsUpgrades"}), "the browser itself"),
    "the browser's internal redirect": (
        cancel(307, 1, response={"statusText": "Internal Redirect"}), "the browser itself"),
    "from the disk cache": (
        entry("GET", f"{DEFENDER}/{ID}", 200, machine_action("Succeeded"), 1, _fromCache="disk"),
        "from a cache"),
    "from the memory cache": (
        entry("GET", f"{DEFENDER}/{ID}", 200, machine_action("Failed"), 1, _fromCache="memory"),
        "from a cache"),
    "from the memory cache, as Safari tells it": (
        entry("GET", f"{DEFENDER}/{ID}", 200, machine_action("Failed"), 1, _fetchType="Memory Cache"),
        "from a cache"),
    "a service worker's, as Safari tells it": (
        cancel(500, 1, _fetchType="Service Worker"), "by a service worker"),
    "overridden in Safari's inspector": (
        cancel(500, 1, _fetchType="Inspector Override"), "by the recorder"),
    "from a cache between": (
        entry("GET", f"{DEFENDER}/{ID}", 200, machine_action("Failed"), 1, headers={"Age": "7"}),
        "from a cache"),
    "made up by Dev Proxy": (
        cancel(500, 1, body={"error": {"code": "InternalServerError",
                                       "message": "Some error was generated by the proxy. "}}),
        "by a proxy (500, made up by Dev Proxy)"),
    "Fiddler's AutoResponder": (
        cancel(500, 1, response={"statusText": "Fiddler - AutoResponder"}), "500 of fiddler"),
    "not modified": (entry("GET", f"{DEFENDER}/{ID}", 304, None, 1), "from a cache"),
    "a service worker's own answer": (
        cancel(500, 1, _fetchedViaServiceWorker=True), "by a service worker"),
    "mocked by the test": (cancel(500, 1, _wasFulfilled=True), "by the recorder"),
    "a proxy asks for credentials": (cancel(407, 1), "a proxy (407)"),
    "a gateway that names itself": (
        cancel(502, 1, headers={"Via": "1.1 corp.example"}), "a proxy (502, Via 1.1 corp.example)"),
    "a gateway's time is over": (
        cancel(504, 1, headers={"Via": "1.1 squid"}), "a proxy (504, Via 1.1 squid)"),
    "a proxy that signs its page": (
        cancel(503, 1, headers={"X-Squid-Error": "ERR_CONNECT_FAIL 111"}), "X-Squid-Error"),
    "a proxy that refuses": (
        cancel(403, 1, headers={"Proxy-Status": "corp; error=http_request_denied"}), "Proxy-Status"),
    "Fiddler's own": (
        cancel(502, 1, response={"statusText": "Fiddler - Connection Failed"}), "502 of fiddler"),
    "mitmproxy's own": (cancel(502, 1, headers={"Server": "mitmproxy 11.0.2"}), "of mitmproxy"),
    "a gateway without its headers": (
        cancel(502, 1, response={"headers": []}),
        "of a gateway whose headers were not recorded",
    ),
    "early hints": (cancel(103, 1), "interim"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_THE_SERVERS)
def test_what_the_server_did_not_answer_is_left_out_and_counted(name: str, tmp_path: Path) -> None:
    left, word = NOT_THE_SERVERS[name]
    found = judge(tmp_path, [look("Pending"), left, cancel(), look("Cancelled", 9)])
    assert found.violated == []
    assert found.exit_code == 4
    assert found.told.startswith("recorded and not judged: 1 ")
    assert word in found.told
    assert "MA-30" in found.upheld  # the rest is judged


def test_what_a_gateway_without_a_name_answers_is_the_servers(tmp_path: Path) -> None:
    found = judge(tmp_path, [look("Pending"), cancel(502)])
    assert found.violated == ["MA-48"]


def test_what_may_have_acted_is_no_first_cancel_of_the_next(tmp_path: Path) -> None:
    """A call that broke off may have cancelled, with its own comment: the next finds it so."""
    broken = cancel(at=1, sent={"Comment": "the first"}, response=STATUS_0)
    kept = machine_action("Cancelled", comment="the first")
    looked = entry("GET", f"{DEFENDER}/{ID}", 200, kept, 9)
    found = judge(tmp_path, [look("Pending"), broken, cancel(at=2, body=kept), looked])
    assert found.violated == []


def worker(**page: Any) -> list[Entry]:
    """The same call, by the page and by its service worker."""
    inner = cancel(at=2.002, time=20, headers={"request-id": "r1"})
    return [look("Pending"), cancel(at=2, time=30, headers={"request-id": "r1"}, **page), inner]


TWICE: dict[str, list[Entry]] = {
    "page and service worker": worker(),
    "the page's entry is marked": worker(_fetchedViaServiceWorker=True),
    "the page's answer is opaque": worker(response={"headers": [], "content": {"size": -1}}),
    "two recordings that were joined": [look("Pending"), cancel(), cancel()],
}


@pytest.mark.parametrize("name", TWICE)
def test_a_call_that_is_recorded_twice_counts_once(name: str, tmp_path: Path) -> None:
    found = judge(tmp_path, [*TWICE[name], look("Cancelled", 9)])
    assert found.violated == []
    assert "1 recorded twice" in found.told
    assert found.report["requests"]["cancel"] == 1
    assert "MA-30" in found.upheld


BROKEN_OFF = [
    "net::ERR_ABORTED",
    "net::ERR_BLOCKED_BY_RESPONSE",
    "Client disconnected.",
    "net::ERR_FAILED",
    "x",
]


@pytest.mark.parametrize("trouble", BROKEN_OFF)
def test_what_broke_off_may_have_cancelled(trouble: str, tmp_path: Path) -> None:
    """The action keeps the comment of the call that broke off."""
    kept = machine_action("Cancelled", comment="the first")
    broken = cancel(at=1, sent={"Comment": "the first"}, response={"_error": trouble})
    rest = [cancel(at=2, body=kept), entry("GET", f"{DEFENDER}/{ID}", 200, kept, 9)]
    found = judge(tmp_path, [look("Pending"), broken, *rest])
    assert found.violated == []
    assert "without an answer" in found.told


def test_two_answers_are_two_calls(tmp_path: Path) -> None:
    calls = [cancel(at=2, time=30, headers={"request-id": x}) for x in ("r1", "r2")]
    found = judge(tmp_path, [look("Pending"), *calls])
    assert found.report["requests"]["cancel"] == 2
    assert "twice" not in found.told


# --- 2. In what order? ----------------------------------------------------------------------------

ROW = [look("Pending"), cancel(), look("Cancelled", 9)]


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_entries_are_read_in_the_order_of_time(order: tuple[int, ...], tmp_path: Path) -> None:
    found = judge(tmp_path, [ROW[at] for at in order])
    assert found.violated == []
    assert "MA-33" in found.upheld


def test_moments_are_compared_across_zones_and_with_any_fraction(tmp_path: Path) -> None:
    early = look("Pending") | {"startedDateTime": "2024-05-01T12:00:00.1234567+02:00"}
    late = look("Cancelled", 9) | {"startedDateTime": "2024-05-01T10:00:09"}
    found = judge(tmp_path, [late, cancel(), early])
    assert found.violated == []
    assert "MA-33" in found.upheld


@pytest.mark.parametrize("early", [1714557600000, 1714557600, "Wed, 01 May 2024 10:00:00 GMT"])
def test_moments_are_read_in_other_forms_as_well(early: Any, tmp_path: Path) -> None:
    found = judge(tmp_path, [look("Cancelled", 9), cancel(), ROW[0] | {"startedDateTime": early}])
    assert found.violated == []
    assert {"MA-33", "MA-64"} <= set(found.upheld)


def test_ties_stay_in_their_order(tmp_path: Path) -> None:
    found = judge(tmp_path, [x | {"startedDateTime": moment(1), "time": 0} for x in ROW])
    assert found.violated == []
    assert "MA-33" in found.upheld


OVERLAPPING: dict[str, list[Entry]] = {
    "both are served": [
        cancel(at=2, time=900, headers={"request-id": "a"}),
        cancel(at=2.1, time=900, headers={"request-id": "b"}, sent={"Comment": "stop it"}),
    ],
    "one is refused by the limit": [
        cancel(429, 2, time=900, headers={"Retry-After": "1"}), cancel(at=2.1, time=900),
    ],
    "three at once": [
        cancel(at=2, time=900, headers={"request-id": "a"}),
        cancel(400, 2.1, time=900),
        cancel(400, 2.2, time=900),
    ],
    "a look while it is under way": [
        cancel(at=2, time=900), look("Pending", 2.5),
    ],
    "a look that is answered after it": [
        look("Cancelled", 1.9, time=2000), cancel(at=2, time=900),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", OVERLAPPING)
def test_what_overlaps_is_not_in_a_row(name: str, tmp_path: Path) -> None:
    found = judge(tmp_path, [look("Pending"), *OVERLAPPING[name], look("Cancelled", 9)])
    assert found.violated == []
    assert "MA-39" not in found.upheld


@pytest.mark.parametrize("time", [None, -1])
def test_how_long_a_call_took_is_told_by_its_parts_as_well(time: Any, tmp_path: Path) -> None:
    parts = {
        "blocked": 1,
        "dns": -1,
        "connect": -1,
        "ssl": -1,
        "send": 1,
        "wait": 890,
        "receive": 8,
    }
    under_way = [cancel(at=2, time=time, timings=parts), look("Pending", 2.5)]
    found = judge(tmp_path, [look("Pending"), *under_way, look("Cancelled", 9)])
    assert found.violated == []
    assert "1 looked while a cancel was under way" in found.told


def test_two_cancels_whose_length_is_not_told_may_be_at_once(tmp_path: Path) -> None:
    """Dev Proxy tells of each the moment of its answer: the second was done first."""
    kept = machine_action("Cancelled", comment="two")
    pair = [
        cancel(
            at=2 + n / 10, time=0, sent={"Comment": said}, body=kept, headers={"request-id": said}
        )
        for n, said in enumerate(["one", "two"])
    ]
    looked = entry("GET", f"{DEFENDER}/{ID}", 200, kept, 9)
    assert judge(tmp_path, [look("Pending"), *pair, looked]).violated == []


def test_what_a_refused_call_says_of_two_at_once_is_nothing(tmp_path: Path) -> None:
    """Nobody tells why it was refused: not for being a second one, perhaps."""
    pair = [cancel(at=2 + n / 10, time=900, headers={"request-id": f"{n}"}) for n in (0, 1)]
    rest = [look("Cancelled", 9), cancel(400, 12, sent={}), look("Cancelled", 20)]
    found = judge(tmp_path, [look("Pending"), *pair, *rest])
    assert found.violated == []
    assert "MA-53" in found.upheld


def test_two_at_once_that_contradict_each_other_are_seen(tmp_path: Path) -> None:
    """Each says that its own comment was kept: no order of the two has that."""
    at_once = [
        cancel(at=2, time=900, sent={"Comment": c}, body=machine_action("Cancelled", comment=c))
        for c in ("one", "two")
    ]
    found = judge(tmp_path, [look("Pending"), *at_once])
    assert "MA-53" in found.violated


# --- 3. What was recorded? ------------------------------------------------------------------------


def answer(**response: Any) -> list[Entry]:
    return [look("Pending"), cancel(response=response), look("Cancelled", 9)]


TEXT = json.dumps(machine_action("Cancelled"))
JSON_HEAD = [{"name": "Content-Type", "value": "application/json"}]
LENGTH = {"name": "Content-Length", "value": str(len(TEXT))}
UNRECORDED: dict[str, Entry] = {
    "size -1": {"content": {"size": -1}},
    "size 0 and a length": {"content": {"size": 0, "text": ""}, "headers": [*JSON_HEAD, LENGTH]},
    "size told and no text": {"content": {"size": len(TEXT)}},
    "size told and an empty text": {"content": {"size": len(TEXT), "text": ""}},
    "no content": {"content": None},
    "content without members": {"content": {}, "headers": JSON_HEAD},
    "nothing but chunks": {
        "content": {"size": 0}, "headers": [{"name": "Transfer-Encoding", "value": "chunked"}],
        "bodySize": -1},
    "a file that is not there": {"content": {"size": 0, "_file": "gone.json"}},
    "cut short": {"content": {"size": len(TEXT), "text": TEXT[:90]}},
    "headers left out": {"headers": [], "content": {"size": 0}},
    "chunks that streamed by": {
        "content": {"size": 0, "text": ""}, "bodySize": 0,
        "headers": [*JSON_HEAD, {"name": "Transfer-Encoding", "value": "chunked"}]},
    "struck out": {"content": {"size": 10, "text": "[redacted]"}},
    "struck out, with its kind": {"content": {"size": 27, "text": "[application/json redacted]"}},
    "a value struck out": {"content": {"size": 40, "text": TEXT.replace(ID, "[redacted]")}},
    "a value in stars": {"content": {"size": 40, "text": TEXT.replace("stop it", "*****")}},
    "a coding that cannot be undone": {
        "headers": [*JSON_HEAD, {"name": "Content-Encoding", "value": "br"}],
        "content": {"size": 9, "text": base64.b64encode(b"\x1b\x0f\xff").decode(), "encoding": "base64"}},
}  # fmt: skip


@pytest.mark.parametrize("name", UNRECORDED)
def test_a_body_that_was_not_recorded_is_unknown(name: str, tmp_path: Path) -> None:
    found = judge(tmp_path, answer(**UNRECORDED[name]))
    assert found.violated == []
    assert found.reasons["MA-30"].startswith("not recorded")
    assert "MA-01" in found.upheld  # status and effect are judged


def test_the_status_is_judged_without_a_body(tmp_path: Path) -> None:
    found = judge(tmp_path, [look("Pending"), cancel(500, response={"content": {"size": -1}})])
    assert found.violated == ["MA-48"]
    assert found.reasons["MA-52"].startswith("not recorded")


SELECTED = ["$select=id", "api-version=1&%24select=id,status", "$Select=cancellationComment"]


@pytest.mark.parametrize("query", SELECTED)
def test_a_look_at_a_part_tells_nothing_of_the_rest(query: str, tmp_path: Path) -> None:
    shown = {key: value for key, value in machine_action("Cancelled").items() if key in query}
    part = entry("GET", f"{DEFENDER}/{ID}?{query}", 200, shown, 30)
    calls = [look("Pending"), cancel(), part, cancel(at=40), look("Cancelled", 50)]
    found = judge(tmp_path, calls)
    assert found.violated == []
    assert "1 looked at a part of the resource" in found.told


def test_a_look_without_its_body_tells_nothing(tmp_path: Path) -> None:
    """The action had ended meanwhile, which only the look without its body could say."""
    unread = look("Succeeded", 1, response={"content": {"size": -1}})
    found = judge(tmp_path, [look("Pending"), unread, cancel(400), look("Succeeded", 9)])
    assert found.violated == []


@pytest.mark.parametrize("headers", [[], None, "left out"])
def test_headers_that_were_not_recorded_are_unknown(headers: Any, tmp_path: Path) -> None:
    refused = cancel(401, response={"headers": headers})
    if headers == "left out":
        del refused["response"]["headers"]
    found = judge(tmp_path, [look("Pending"), refused])
    assert found.violated == []
    assert found.reasons["MA-50"].startswith("not recorded")


def test_headers_that_were_recorded_count(tmp_path: Path) -> None:
    found = judge(tmp_path, [look("Pending"), cancel(401)])
    assert "MA-50" in found.violated


B64 = base64.b64encode(TEXT.encode()).decode()
MEANT: dict[str, Entry] = {
    "an object": {"content": {"size": len(TEXT), "text": machine_action("Cancelled"), "mimeType": "application/json"}},
    "base64": {"content": {"size": len(TEXT), "text": B64, "encoding": "base64"}},
    "base64 in lines, without its end": {
        "content": {"size": len(TEXT), "text": f"{B64[:76]}\n{B64[76:].rstrip('=')}", "encoding": "base64"}},
    "marked as base64 and plain": {"content": {"size": len(TEXT), "text": TEXT, "encoding": "base64"}},
    "base64 and not marked": {"content": {"size": len(TEXT), "text": B64, "mimeType": "application/json"}},
    "still gzipped": {
        "headers": [*JSON_HEAD, {"name": "Content-Encoding", "value": "gzip"}],
        "content": {"size": 9, "encoding": "base64", "text": base64.b64encode(gzip.compress(TEXT.encode())).decode()}},
    "gzip undone": {
        "headers": [*JSON_HEAD, {"name": "Content-Encoding", "value": "gzip"}],
        "content": {"size": len(TEXT), "text": TEXT}},
    "headers as an object": {"headers": {"Content-Type": "application/json"}},
    "headers as pairs": {"headers": [["Content-Type", "application/json"]]},
    "pseudo-headers": {"headers": [{"name": ":status", "value": "200"}, *JSON_HEAD]},
    "values in lines": {
        "headers": [*JSON_HEAD, {"name": "Vary", "value": "Accept\nOrigin"}]},
    "the status as a text": {"status": "200"},
}  # fmt: skip


@pytest.mark.parametrize("name", MEANT)
def test_what_recorders_write_is_read_as_meant(name: str, tmp_path: Path) -> None:
    found = judge(tmp_path, answer(**MEANT[name]))
    assert found.violated == []
    assert {"MA-30", "MA-31", "MA-33"} <= set(found.upheld)


def test_a_text_that_is_marked_as_base64_by_mistake_counts_as_it_stands(tmp_path: Path) -> None:
    """`null` is base64 as well; four bytes are told of, so the text is what came."""
    url = f"{GRAPH}/{ID}/cancelSecurityAction"
    content = {"size": 4, "text": "null", "encoding": "base64", "mimeType": "application/json"}
    found = judge(tmp_path, [entry("POST", url, 200, "null", response={"content": content})])
    assert found.violated == ["SA-18"]


STRUCK_OUT = ["[redacted]", "REDACTED", "***", "<id removed>"]


@pytest.mark.parametrize("id_", STRUCK_OUT)
def test_calls_whose_id_was_struck_out_are_left_out(id_: str, tmp_path: Path) -> None:
    """They may be on as many resources."""
    rows = [look("Succeeded", 20), cancel(at=21), cancel(400, 40), look("Failed", 50)]
    for row in rows:
        row["request"]["url"] = row["request"]["url"].replace(ID, id_)
    after = cancel(at=60, body=machine_action("Cancelled", comment="another's"))
    found = judge(tmp_path, [*ROW, *rows, after])
    assert found.violated == []
    assert "4 on a resource whose id was struck out" in found.told
    assert "MA-33" in found.upheld


def test_texts_without_end_are_read_in_no_time(tmp_path: Path) -> None:
    for text in ("." * 200_000, '": "' * 60_000, "-" * 99 + " x" * 99_999):
        assert judge(tmp_path, [cancel(500, body=text)]).violated == ["MA-48"]
        assert not cleaned(text)


def test_a_body_that_speaks_of_what_was_removed_is_one(tmp_path: Path) -> None:
    found = judge(
        tmp_path, [look("Pending"), cancel(400, body={"at": "/srv/app/main.py", "by": "removed"})]
    )
    assert found.violated == ["MA-52"]


@pytest.mark.parametrize("value", ["REDACTED", "[redacted]", "***", "[WWW-Authenticate redacted]"])
def test_a_challenge_that_the_recorder_keeps_secret_is_unknown(value: str, tmp_path: Path) -> None:
    found = judge(tmp_path, [look("Pending"), cancel(401, headers={"WWW-Authenticate": value})])
    assert "MA-61" not in found.violated
    assert found.reasons["MA-61"].startswith("not recorded")


def test_several_challenges_in_one_value_are_several(tmp_path: Path) -> None:
    headers = {"WWW-Authenticate": 'Negotiate\nBearer realm=""'}
    found = judge(tmp_path, [look("Pending"), cancel(401, headers=headers)])
    assert found.violated == []
    assert "MA-61" in found.upheld


def at_once(**request: Any) -> list[Entry]:
    """Two that were served at once, whose comments were recorded as `request` says."""
    kept = machine_action("Cancelled", comment="one")
    rows = [
        cancel(at=2 + n / 10, time=900, body=kept, headers={"request-id": f"{n}"}) for n in (0, 1)
    ]
    for row in rows:
        row["request"] |= request
    looked = entry("GET", f"{DEFENDER}/{ID}", 200, kept, 9)
    return [look("Pending"), *rows, looked]


UNTOLD: dict[str, Entry] = {
    "no text": {"postData": {"mimeType": "application/json"}},
    "nothing": {"postData": None},
    "struck out": {"postData": {"text": "[redacted]"}},
    "a value struck out": {"postData": {"text": '{"Comment": "[redacted]"}'}},
}


@pytest.mark.parametrize("name", UNTOLD)
def test_a_body_of_a_request_that_was_not_recorded_is_unknown(name: str, tmp_path: Path) -> None:
    assert judge(tmp_path, at_once(**UNTOLD[name])).violated == []


def test_a_comment_that_nobody_sent_is_seen_where_bodies_were_recorded(tmp_path: Path) -> None:
    assert "MA-53" in judge(tmp_path, at_once(postData={"text": '{"Comment": "x"}'})).violated


BAD: dict[str, Any] = {
    "a number": 5,
    "null": None,
    "a list": [],
    "nothing in it": {},
    "no URL": {**cancel(), "request": {"method": "POST"}},
    "no moment": {k: v for k, v in cancel().items() if k != "startedDateTime"},
    "a moment that is none": {**cancel(), "startedDateTime": "noon"},
    "a status that is a word": cancel(response={"status": "fine"}),
    "headers that are numbers": cancel(response={"headers": [1, 2]}),
    "a URL that is none": {**cancel(), "request": {"method": "POST", "url": "http://[::1"}},
    "a response that is a text": {**cancel(), "response": "none"},
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_entry_never_refuses_a_file(name: str, tmp_path: Path) -> None:
    other = [look("Pending", 20, OTHER), cancel(id_=OTHER, at=22), look("Cancelled", 29, OTHER)]
    found = judge(tmp_path, [look("Pending"), BAD[name], look("Cancelled", 9), *other])
    assert found.violated == []
    assert found.exit_code == 4
    assert "MA-30" in found.upheld
    assert (
        "damaged" in found.told or "without an answer" in found.told or "other hosts" in found.told
    )


def test_bytes_that_are_no_utf8_spoil_one_text_alone(tmp_path: Path) -> None:
    path = tmp_path / "latin.har"
    broken = entry("GET", "https://portal.example/ZZ", 200, "ZZ")
    path.write_bytes(har([broken, *ROW]).encode().replace(b"ZZ", b"\xe4\xff"))
    found = judge(tmp_path, path)
    assert found.violated == []
    assert "MA-33" in found.upheld


def test_a_recording_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "half.har"
    path.write_text(har([*ROW, look("Cancelled", 12)])[:-40], "utf-8")
    found = judge(tmp_path, path)
    assert found.violated == []
    assert "breaks off" in found.told
    assert "MA-30" in found.upheld


# --- 4. What is a first cancel? -------------------------------------------------------------------

ZEROTH: dict[str, list[Entry]] = {
    "two refusals": [cancel(400, 1, sent={}), cancel(415, 1.5)],
    "no token": [cancel(401, 1, headers={"WWW-Authenticate": "Bearer"})],
    "a limit, twice": [cancel(429, s, headers={"Retry-After": "1"}) for s in (1, 1.5)],
    "a preflight with the headers of one": [
        entry("OPTIONS", f"{DEFENDER}/{ID}/cancel", 200, None, 1,
              asked={"Access-Control-Request-Method": "POST", "Origin": "https://p.example"})],
    "a preflight that is refused": [entry("OPTIONS", f"{DEFENDER}/{ID}/cancel", 403, error(), 1)],
    "a redirect": [cancel(307, 1, headers={"Location": "/x"})],
}  # fmt: skip


@pytest.mark.parametrize("name", ZEROTH)
def test_what_was_refused_has_cancelled_nothing(name: str, tmp_path: Path) -> None:
    found = judge(tmp_path, [look("Pending"), *ZEROTH[name], cancel(), look("Cancelled", 9)])
    assert found.violated == []
    assert {"MA-33", "MA-64"} <= set(found.upheld)


SECOND: dict[str, tuple[str, list[str]]] = {
    "the first comment is kept": ("stop it", []),
    "the first comment is lost": ("again", ["MA-39"]),
}


@pytest.mark.parametrize("name", SECOND)
def test_a_second_call_is_compared_with_what_the_first_left(name: str, tmp_path: Path) -> None:
    kept, violated = SECOND[name]
    after = entry("GET", f"{DEFENDER}/{ID}", 200, machine_action("Cancelled", comment=kept), 29)
    again = cancel(at=20, sent={"Comment": "again"}, body=machine_action("Cancelled", comment=kept))
    refused = cancel(400, 1)
    found = judge(
        tmp_path, [look("Pending"), refused, cancel(), look("Cancelled", 9), again, after]
    )
    assert [x for x in found.violated if x != "MA-33"] == violated


AFTER_A_CANCEL: dict[str, list[Entry]] = {
    "nothing": [],
    "a refusal": [cancel(400, 10)],
    "a look that tells nothing, and a refusal": [entry("GET", f"{DEFENDER}/{ID}", 504, None, 8), cancel(400, 10)],
    "what nobody can read, and a refusal": [entry("POST", "http://[", 200, None, 8), cancel(400, 10)],
    "a refusal that another overlaps": [cancel(400, 10), cancel(400, 10.001, sent={"Comment": "2"})],
}  # fmt: skip


@pytest.mark.parametrize("name", AFTER_A_CANCEL)
@pytest.mark.parametrize(("body", "violated"), [("at /srv/main.py", True), (None, False)])
def test_a_second_call_stays_one_whatever_lies_between(
    name: str, body: str | None, violated: bool, tmp_path: Path
) -> None:
    last = cancel(at=20, body=body or machine_action("Cancelled"))
    found = judge(tmp_path, [look("Pending"), cancel(), *AFTER_A_CANCEL[name], last])
    assert ("MA-30" in found.violated) == violated, found.told


@pytest.mark.parametrize("seconds", [0.1, 3.9])
def test_an_early_look_with_which_it_ends_leaves_the_effect_open(
    seconds: float, tmp_path: Path
) -> None:
    found = judge(tmp_path, [look("Pending"), cancel(), look("Pending", 2.02 + seconds)])
    assert found.violated == []
    assert found.exit_code == 4
    assert "looked too soon" in found.told
    assert "MA-33" not in found.upheld


def test_a_late_look_that_shows_no_effect_violates(tmp_path: Path) -> None:
    found = judge(tmp_path, [look("Pending"), cancel(), look("Pending", 3), look("Pending", 30)])
    assert "MA-33" in found.violated


def test_a_late_look_without_its_body_may_have_shown_the_effect(tmp_path: Path) -> None:
    last = look("Cancelled", 60, response={"content": {"size": -1}})
    found = judge(tmp_path, [look("Pending"), cancel(), look("Pending", 30), last])
    assert found.violated == []


def test_a_second_call_after_an_early_look_is_no_violation(tmp_path: Path) -> None:
    calls = [look("Pending"), cancel(), look("Pending", 3), cancel(at=3.5), look("Cancelled", 9)]
    assert judge(tmp_path, calls).violated == []


LIMITS: dict[str, list[Entry]] = {
    "the minute's, at once": [cancel(at=1, id_=OTHER), cancel(429, 2, headers={"Retry-After": "9"})],
    "the hour's, for long": [
        cancel(at=1, id_=OTHER),
        *(cancel(429, 60 * n, headers={"Retry-After": "600"}) for n in range(1, 9)),
    ],
    "after a success of the same": [
        cancel(at=1), look("Cancelled", 9), cancel(429, 10, headers={"Retry-After": "9"}),
        look("Cancelled", 12), cancel(at=30), look("Cancelled", 40)],
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_that_others_may_share_is_no_violation(name: str, tmp_path: Path) -> None:
    found = judge(tmp_path, LIMITS[name])
    assert found.violated == []
    assert "MA-13" in found.upheld


TEMPORARY: dict[str, list[Entry]] = {
    "503, then another": [cancel(503, 1, headers={"Retry-After": "5"}), cancel(503, 7, headers={"Retry-After": "5"})],
    "503 without a time": [cancel(503, 1)],
    "504": [cancel(504, 1)],
    "509": [cancel(509, 1)],
}  # fmt: skip


@pytest.mark.parametrize("name", TEMPORARY)
def test_a_server_error_that_is_over_is_no_violation(name: str, tmp_path: Path) -> None:
    found = judge(
        tmp_path, [look("Pending"), *TEMPORARY[name], cancel(at=20), look("Cancelled", 29)]
    )
    assert found.violated == []
    assert "put off by a temporary server error" in found.told
    assert "MA-30" in found.upheld


def test_what_served_it_later_may_be_a_call_whose_url_is_damaged(tmp_path: Path) -> None:
    later = cancel(at=20)
    later["request"]["url"] = "https://[::1"
    found = judge(tmp_path, [look("Pending"), cancel(503, 1), later])
    assert found.violated == []
    assert "1 damaged" in found.told


@pytest.mark.parametrize(
    "calls", [[cancel(503)], [cancel(504), cancel(504, 9)], [cancel(500), cancel(at=9)]]
)
def test_a_server_error_that_stays_or_is_no_temporary_one_violates(
    calls: list[Entry], tmp_path: Path
) -> None:
    assert judge(tmp_path, [look("Pending"), *calls]).violated == ["MA-48"]


def test_a_404_of_a_get_that_is_not_there_makes_nothing_unknown(tmp_path: Path) -> None:
    missing = entry("GET", f"{DEFENDER}/{ID}", 404, error(), 0)
    assert judge(tmp_path, [missing, cancel()]).violated == []


def test_who_called_no_recording_tells(tmp_path: Path) -> None:
    """Two users, each with cancels of their own: neither name is the wrong one."""
    rows = []
    for n in range(5):
        id_, at = f"{n}{ID[1:]}", n * 20
        named = {"cancellationRequestor": "b@example.com"} if n > 3 else {}
        done = machine_action("Cancelled", id_) | named
        rows += [look("Pending", at, id_), cancel(at=at + 2, id_=id_, body=done)]
    found = judge(tmp_path, rows)
    assert found.violated == []
    assert "MA-30" in found.upheld


def test_an_id_that_stays_unknown_and_is_cancelled_is_seen(tmp_path: Path) -> None:
    there = look("Pending", 0, OTHER)
    gone = [entry("GET", f"{DEFENDER}/{ID}", 404, error(target=str(s)), s) for s in (1, 30)]
    found = judge(tmp_path, [there, gone[0], cancel(), gone[1]])
    assert "MA-34" in found.violated


def test_a_resource_that_ended_is_not_cancelled_again(tmp_path: Path) -> None:
    found = judge(tmp_path, [look("Succeeded"), cancel(), look("Succeeded", 9)])
    assert "MA-08" in found.violated


def test_two_hosts_have_a_resource_of_the_same_id_each(tmp_path: Path) -> None:
    staging = look("Succeeded", 1)
    staging["request"]["url"] = f"https://staging.example/api/machineactions/{ID}"
    found = judge(tmp_path, [look("Pending"), staging, cancel(), look("Cancelled", 9)])
    assert found.violated == []


# --- 5. Which route? ------------------------------------------------------------------------------

SPELLINGS = [
    f"https://graph.microsoft.com/beta/security/securityActions/{ID}/microsoft.graph.cancelSecurityAction",
    f"https://graph.microsoft.com/beta/security/securityActions/{ID}/graph.cancelSecurityAction()",
    f"https://graph.microsoft.com/beta/security/securityActions('{ID}')/cancelSecurityAction",
    f"https://graph.microsoft.com/beta/security/securityActions(%27{ID}%27)/cancelSecurityAction",
    f"https://graph.microsoft.com/beta/security/securityActions({ID})/microsoft.graph.cancelSecurityAction",
    f"https://graph.microsoft.com/beta/Security/SecurityActions/{ID}/CancelSecurityAction",
    f"https://mock.example/base/security/securityActions/{ID}/cancelSecurityAction?$select=id#x",
    f"https://api.security.microsoft.com/api/v1.0/machineactions/{ID}/cancel",
    f"https://api.security.microsoft.com/api/v2/MachineActions('{ID}')/Cancel?api-version=1",
    f"https://api.security.microsoft.com/api/machineactions(machineactionid={ID})/cancel",
    f"{AP}('{ID}')/microsoft.graph.cancel",
    f"{AP}/{ID}/Cancel".replace("/beta/", "/v1.0/"),
]


@pytest.mark.parametrize("url", SPELLINGS)
def test_a_route_is_known_however_it_is_spelled(url: str, tmp_path: Path) -> None:
    found = judge(tmp_path, [entry("POST", url, 500, error())])
    assert {"SA-40", "MA-48", "AP-62"} & set(found.violated)
    evidence = [
        c["evidence"] for c in found.report["contracts"][0]["clauses"] if c["verdict"] == "violated"
    ]
    assert ID in json.dumps(evidence)


OFF_THE_ROUTES = [
    f"https://graph.microsoft.com/beta/security/securityActions/{ID}/cancelSecurityActions",
    f"https://graph.microsoft.com/beta/security/securityActions/{ID}/x/cancelSecurityAction",
    f"https://graph.microsoft.com/beta/security/securityActions/{ID}/my-cancelSecurityAction",
    "https://graph.microsoft.com/beta/security/securityActions/cancelSecurityAction",
    f"https://graph.microsoft.com/beta/insecurity/securityActions/{ID}/cancelSecurityAction".replace(
        "/insecurity/securityActions", "/security/actions"),
    f"https://graph.microsoft.com/v1.0/identityGovernance/entitlementManagement/assignmentRequests/{ID}/cancel",
    f"https://api.security.microsoft.com/api/v1.0/machines/{ID}/cancel",
]  # fmt: skip


@pytest.mark.parametrize("url", OFF_THE_ROUTES)
def test_what_is_on_no_route_is_counted(url: str, tmp_path: Path) -> None:
    found = judge(tmp_path, [entry("POST", url, 500, error())])
    assert found.exit_code == 5
    assert found.sentence.startswith("no exchange on a route of the contracts; 1 on other routes")


def test_nothing_to_judge_says_why(tmp_path: Path, capsys: Capture) -> None:
    others = [entry("GET", f"https://portal.example/{n}", 200) for n in range(41)]
    found = judge(tmp_path, [*others, None], capsys=capsys)
    assert found.exit_code == 5
    assert (
        "no exchange on a route of the contracts; 1 damaged or not as HAR 1.2 has it; 41 on other hosts"
        in found.out
    )


def batch(requests: list[Any], responses: list[Any], **more: Any) -> Entry:
    url = "https://graph.microsoft.com/beta/$batch"
    return entry("POST", url, 200, {"responses": responses}, sent={"requests": requests}, **more)


INNER = {"id": "1", "method": "POST", "url": f"/security/securityActions/{ID}/cancelSecurityAction"}


def test_a_cancel_inside_a_batch_is_judged(tmp_path: Path) -> None:
    other = {"id": "2", "method": "GET", "url": "/me"}
    found = judge(
        tmp_path,
        [
            batch(
                [INNER, other],
                [{"id": "2", "status": 200, "body": {}}, {"id": "1", "status": 201, "headers": {}}],
            )
        ],
    )
    assert found.violated == ["SA-16"]
    assert "1 on other routes" in found.told


def test_calls_inside_a_batch_that_wait_for_each_other_are_in_order(tmp_path: Path) -> None:
    before = {"id": "0", "method": "GET", "url": f"/security/securityActions/{ID}"}
    rows = [before, INNER | {"dependsOn": ["0"]}]
    answers = [
        {"id": "1", "status": 200},
        {"id": "0", "status": 200, "body": security_action("Completed")},
    ]
    found = judge(tmp_path, [batch(rows, answers)])
    assert found.violated == [] or "SA" in found.violated[0]
    assert found.report["requests"] == {"cancel": 1, "observe": 1, "provider_states": 0}


BATCHES: dict[str, Entry] = {
    "no bodies": entry("POST", "https://graph.microsoft.com/beta/$batch", 200, response={"content": {"size": -1}}),
    "no JSON": entry("POST", "https://graph.microsoft.com/beta/%24batch", 200, "--batch_1", sent=5),
    "refused": batch([INNER], [{"id": "1", "status": 424}]),
}  # fmt: skip


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_that_tells_nothing_refuses_nothing(name: str, tmp_path: Path) -> None:
    found = judge(tmp_path, [BATCHES[name], *ROW])
    assert found.violated == []
    assert found.exit_code == 4


# --- 6. Where it lies -----------------------------------------------------------------------------


def zipped(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_gzipped_recording(tmp_path: Path) -> None:
    path = tmp_path / "traffic.har.gz"
    path.write_bytes(gzip.compress(har(ROW).encode()))
    assert "MA-33" in judge(tmp_path, path).upheld


ATTACHED = cancel(
    response={"content": {"size": -1, "_file": "body.json", "mimeType": "application/json"}}
)


def test_a_zipped_recording_with_bodies_beside_it(tmp_path: Path) -> None:
    entries = [ROW[0], ATTACHED, ROW[2]]
    path = zipped(tmp_path / "traffic.zip", {"har.har": har(entries), "body.json": TEXT})
    assert {"MA-30", "MA-33"} <= set(judge(tmp_path, path).upheld)


def test_bodies_in_the_folder_of_a_recording(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text(TEXT, "utf-8")
    assert "MA-30" in judge(tmp_path, [ROW[0], ATTACHED, ROW[2]]).upheld


@pytest.mark.parametrize("name", ["../body.json", "/etc/hostname", "sub/body.json", "..", ""])
def test_no_body_is_taken_from_elsewhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text("null", "utf-8")
    folder = tmp_path / "sub"
    folder.mkdir()
    (folder / "body.json").write_text("null", "utf-8")
    content = {"size": -1, "_file": name}
    found = judge(folder, [ROW[0], cancel(response={"content": content}), ROW[2]])
    assert found.violated == []
    assert found.reasons["MA-30"].startswith("not recorded")


def test_a_trace_of_playwright(tmp_path: Path) -> None:
    posted = json.loads(json.dumps(cancel()))
    posted["response"]["content"] = {
        "size": len(TEXT),
        "mimeType": "application/json",
        "_sha1": "a1.json",
    }
    lines = [
        {"type": "context-options"},
        *({"type": "resource-snapshot", "snapshot": x} for x in (ROW[0], posted, ROW[2])),
    ]
    text = "\n".join(map(json.dumps, lines))
    path = zipped(
        tmp_path / "trace.zip",
        {"trace.trace": "", "trace.network": text, "resources/a1.json": TEXT},
    )
    found = judge(tmp_path, path)
    assert found.violated == []
    assert {"MA-30", "MA-33"} <= set(found.upheld)


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_recording_that_a_shell_has_written(coding: str, tmp_path: Path) -> None:
    """PowerShell writes UTF-16 where its output is redirected."""
    path = tmp_path / "traffic.har"
    mark = b"\xff\xfe" if coding == "utf-16-le" else b""
    path.write_bytes(mark + har(ROW).encode(coding))
    assert "MA-33" in judge(tmp_path, path).upheld


@pytest.mark.parametrize("wrap", [lambda data: data, gzip.compress])
def test_standard_input(wrap: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(wrap(har(ROW).encode())))
    monkeypatch.setattr(sys, "stdin", stdin)
    found = judge(tmp_path, Path("-"))
    assert "MA-33" in found.upheld


BAD_SOURCES: dict[str, bytes] = {
    "a gzip that breaks off": gzip.compress(har(ROW).encode())[:60],
    "a gzip of nothing": gzip.compress(b""),
    "half a zip": b"PK\x03\x04 and no more",
    "half a flow": b"94:3:tag,",
}


@pytest.mark.parametrize("name", BAD_SOURCES)
def test_what_cannot_be_unpacked_is_one_line_and_exit_2(
    name: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "bad"
    path.write_bytes(BAD_SOURCES[name])
    assert main(["judge", str(path)]) == 2
    err = capsys.readouterr().err.strip()
    assert "\n" not in err
    assert str(path) in err


def test_a_zip_without_a_recording_is_told(tmp_path: Path, capsys: Capture) -> None:
    path = zipped(tmp_path / "x.zip", {"readme.txt": "x"})
    assert main(["judge", str(path)]) == 2
    assert "holds no .har file" in capsys.readouterr().err


# --- 7. What is said of it ------------------------------------------------------------------------

TOKENS = [
    "Bearer x1y2",
    "Bearer eyJhbGciOi.eyJzdWIi.c2ln",
    "Basic dXNlcjpwYXNz",
    "abcd",
    "Bearer a",
]


@pytest.mark.parametrize("token", TOKENS)
def test_no_credential_is_printed_a_short_one_neither(
    token: str, tmp_path: Path, capsys: Capture
) -> None:
    secret = token.rpartition(" ")[2]
    asked = {"Authorization": token, "Cookie": f"s={token}", "X-Api-Key": token, "X-Own": token}
    url = f"{DEFENDER}/{ID}/cancel?access_token={secret}"
    echo = error(code=secret if len(secret) > 3 else "x")
    refused = entry(
        "POST", url, 500, echo, sent=COMMENT, asked=asked, headers={"Set-Cookie": f"k={secret}"}
    )
    page, report = tmp_path / "r.html", tmp_path / "r.md"
    found = judge(
        tmp_path,
        [refused],
        "--report-html",
        str(page),
        "--report-markdown",
        str(report),
        capsys=capsys,
    )
    assert found.violated == ["MA-48"]
    written = (
        found.out,
        json.dumps(found.report),
        page.read_text("utf-8"),
        report.read_text("utf-8"),
    )
    for text in written:
        assert f"Bearer {secret}" not in text
        assert f"access_token={secret}" not in text
        assert len(secret) < 4 or secret not in text


def test_a_foreign_recording_was_not_sent_by_us(tmp_path: Path, capsys: Capture) -> None:
    page, report = tmp_path / "r.html", tmp_path / "r.md"
    found = judge(
        tmp_path, ROW, "--report-html", str(page), "--report-markdown", str(report), capsys=capsys
    )
    assert "sent:" not in found.out
    assert "judged from a recording: 1 cancel call, 2 looks at a resource" in found.out
    assert found.report["recorded"] is True
    assert "profile gate" not in report.read_text("utf-8")
