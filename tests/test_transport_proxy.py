"""Proxies of the environment: used for every host but this one, and told no more than needed."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from pathlib import Path

import pytest
from cancel_contracts.cli import main
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Received, Sent
from cancel_contracts.provider_states.lost import got_nowhere
from cancel_contracts.transport.client import Timeouts, Transport
from cancel_contracts.transport.proxies import answered_by_proxy
from hypothesis import given, settings
from hypothesis import strategies as st
from rawserver import Peer, RawServer, Script, answer
from servers.hostile import Hostile, says
from servers.trial import conforming, target_of

pytestmark = pytest.mark.slow

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SHORT = Timeouts(read=0.5)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_an_http_target_behind_a_proxy(variable: str) -> None:
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nSTRAY"
    with (
        RawServer(answer(response)) as proxy,
        Transport(environ={variable: f"http://127.0.0.1:{proxy.port}"}) as transport,
    ):
        got = transport.send(Sent("POST", "http://target.test/a/%zz/..%2f?b='"))

    assert proxy.requests == [
        b"POST http://target.test/a/%zz/..%2f?b=' HTTP/1.1\r\n"
        b"Host: target.test\r\n"
        b"User-Agent: cancel-contracts\r\n"
        b"Accept-Encoding: identity\r\n"
        b"Connection: close\r\n"
        b"Content-Length: 0\r\n"
        b"\r\n"
    ]
    assert got.received is not None
    assert got.received.stray == b"STRAY"


def test_a_proxy_gets_its_credential_and_no_report_does() -> None:
    with RawServer(answer(OK)) as proxy:
        environ = {"HTTP_PROXY": f"http://me:pr0xypass@127.0.0.1:{proxy.port}"}
        with Transport(environ=environ) as transport:
            got = transport.send(Sent("POST", "http://target.test/"))

    assert b"Proxy-Authorization: Basic bWU6cHIweHlwYXNz\r\n" in proxy.requests[0]
    assert "proxy" not in str(got.sent).lower()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://127.9.9.9:{}/"]
)
def test_this_host_is_never_asked_through_a_proxy(url: str) -> None:
    with (
        RawServer(answer(OK)) as proxy,
        Transport(SHORT, environ={"HTTP_PROXY": proxy.url}) as transport,
        RawServer(answer(OK)) as server,
    ):
        transport.send(Sent("GET", url.format(server.port)))

    assert proxy.connections == 0


@pytest.mark.parametrize("exempt", ["target.invalid", ".invalid", "x,target.invalid:80"])
def test_no_proxy(exempt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "left.alone")
    before = dict(os.environ)
    with RawServer(answer(OK)) as proxy:
        environ = {"HTTP_PROXY": proxy.url, "NO_PROXY": exempt}
        with Transport(SHORT, environ=environ) as transport:
            got = transport.send(Sent("GET", "http://target.invalid:80/"))

    assert (got.failure, proxy.connections) == ("unreachable", 0)
    assert dict(os.environ) == before


def test_the_environment_given_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(answer(OK)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with Transport(SHORT, environ={}) as transport:
            assert transport.send(Sent("GET", "http://target.invalid/")).failure == "unreachable"
        assert proxy.connections == 0

        monkeypatch.setenv("no_proxy", "")
        monkeypatch.delenv("NO_PROXY", raising=False)
        with Transport(SHORT) as transport:
            assert transport.send(Sent("GET", "http://target.invalid/")).failure is None
        assert proxy.connections == 1


def test_a_proxy_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        proxy = f"http://me:pr0xypass@127.0.0.1:{free.getsockname()[1]}"
    with Transport(SHORT, environ={"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}) as transport:
        for scheme in ("http", "https"):
            got = transport.send(Sent("POST", f"{scheme}://target.test/"))

            assert (got.failure, got.detail) == ("unreachable", "the proxy: Connection refused")


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", b"", b"noise\r\n\r\n"]
)
def test_a_proxy_that_makes_no_tunnel(reply: bytes) -> None:
    with (
        RawServer(answer(reply)) as proxy,
        Transport(SHORT, environ={"HTTPS_PROXY": proxy.url}) as transport,
    ):
        got = transport.send(Sent("POST", "https://target.test/"))

    assert got.failure == "unreachable", got
    assert got.detail.startswith("the proxy: ")


PROXYS_OWN = {
    "407": b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n",
    "407 alone": b"HTTP/1.1 407 X\r\n",
    "a gateway's": b"HTTP/1.1 504 Gateway Timeout\r\nVia: 1.1 squid\r\n",
    "said so": b"HTTP/1.1 502 X\r\nProxy-Status: p; error=connection_refused\r\n",
}
TARGETS_OWN = {
    "401": b"HTTP/1.1 401 X\r\nVia: 1.1 p\r\n",
    "500": b"HTTP/1.1 500 X\r\nVia: 1.1 p\r\n",
    "200": b"HTTP/1.1 200 OK\r\nProxy-Status: p\r\n",
}


@pytest.mark.parametrize("what", PROXYS_OWN)
def test_what_a_forwarding_proxy_says_for_itself_is_no_answer_of_the_target(what: str) -> None:
    reply = PROXYS_OWN[what] + b"Content-Length: 0\r\n\r\n"
    with RawServer(answer(reply)) as proxy:
        with Transport(SHORT, environ={"HTTP_PROXY": proxy.url}) as transport:
            got = transport.send(Sent("POST", "http://target.test/"))

    assert (got.received, got.failure) == (None, "proxy")
    assert got.detail.startswith("a proxy between answered: ")
    # A gateway may have passed the call on before it gave up: nobody knows what was done.
    assert got_nowhere(got) is what.startswith("407")


@pytest.mark.parametrize("what", TARGETS_OWN)
def test_what_a_forwarding_proxy_passes_on_is_the_target_s(what: str) -> None:
    reply = TARGETS_OWN[what] + b"Content-Length: 0\r\n\r\n"
    with (
        RawServer(answer(reply)) as proxy,
        Transport(SHORT, environ={"HTTP_PROXY": proxy.url}) as transport,
    ):
        got = transport.send(Sent("POST", "http://target.test/"))

    assert (got.failure, got.received and got.received.status) == (None, int(what))


def test_a_proxy_that_wants_a_password_leaves_a_run_inconclusive(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = PROXYS_OWN["407"] + b"Content-Length: 0\r\n\r\n"
    with RawServer(answer(reply)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        code = main(["verify", "http://target.test", "--contract", "machine-action"])
    told = " ".join(capsys.readouterr().out.split())
    assert code == 4
    assert "a proxy between answered: 407" in told


# --- The answer to CONNECT ----------------------------------------------------------------------

GUARD_SECONDS = 20  # many times what the bounds below add up to


def _hangs(peer: Peer) -> None:
    peer.receive()
    peer.wait()


def _says_without_end(head: bytes, piece: bytes, pause: float = 0.0) -> Script:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(head)
        while not peer.wait(pause):
            peer.send(piece)

    return script


ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n"
WITHOUT_END: dict[str, Script] = {
    "silence": _hangs,
    "a dripped status line": _says_without_end(b"HTTP/1.1 200 ", b"O", 0.05),
    "dripped headers": _says_without_end(ESTABLISHED, b"X: y\r\n", 0.05),
    "headers": _says_without_end(ESTABLISHED, b"X: y\r\n" * 1000),
    "one header": _says_without_end(ESTABLISHED + b"X: ", b"y" * 1000),
    "interim answers": _says_without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
    "a dripped handshake": _says_without_end(ESTABLISHED + b"\r\n\x16\x03\x03\x40\x00", b"x", 0.05),
}


@pytest.mark.parametrize("kind", WITHOUT_END)
def test_an_answer_to_connect_that_does_not_end_is_given_up(kind: str) -> None:
    limits = Timeouts(connect=1.0, read=1.0, total=2.0)
    began = time.monotonic()
    with (
        RawServer(WITHOUT_END[kind]) as proxy,
        Transport(limits, environ={"HTTPS_PROXY": proxy.url}) as transport,
    ):
        got = transport.send(Sent("POST", "https://target.test/"))

    assert time.monotonic() - began < GUARD_SECONDS
    assert got.failure in ("unreachable", "tls"), got
    assert got.received is None


@given(
    st.binary(max_size=200)
    | st.from_regex(rb"HTTP/1\.[01] [0-9]{3}[^\n]{0,20}(\r?\n[^\n]{0,30}){0,5}", fullmatch=True)
    | st.just(b"X: y\r\n" * 200).map(lambda fields: ESTABLISHED + fields)
)
@settings(max_examples=40, deadline=None)
def test_no_answer_to_connect_raises(reply: bytes) -> None:
    with (
        RawServer(answer(reply)) as proxy,
        Transport(SHORT, environ={"HTTPS_PROXY": proxy.url}) as transport,
    ):
        got = transport.send(Sent("POST", "https://target.test/"))

    assert got.failure in ("unreachable", "tls"), got


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "http://", "http://me:pr0xypass@:x"])
def test_a_proxy_that_we_cannot_use_is_said_and_not_gone_round(proxy: str) -> None:
    with (
        Transport(SHORT, environ={"HTTP_PROXY": proxy}) as transport,
        pytest.raises(UsageError) as refused,
    ):
        transport.send(Sent("POST", "http://target.test/"))

    assert "proxy" in str(refused.value)
    assert "pr0xypass" not in str(refused.value)


BY_PROXY = {
    "407": b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    "502 with Via": b"HTTP/1.1 502 Bad Gateway\r\nVia: 1.1 corp\r\nContent-Length: 2\r\n\r\nno",
    "503 of squid": b"HTTP/1.1 503 No\r\nX-Squid-Error: ERR 0\r\nContent-Length: 0\r\n\r\n",
    "500 of Dev Proxy": (
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 77\r\n\r\n"
        b'{"error": {"code": "x", "message": "Some error was generated by the proxy."}}'
    ),
    "403 with Proxy-Status": (
        b"HTTP/1.1 403 No\r\nProxy-Status: p; error=http_request_denied\r\nContent-Length: 0\r\n\r\n"
    ),
}
BY_TARGET = {
    "502 alone": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "400 with Via": b"HTTP/1.1 400 Bad\r\nVia: 1.1 corp\r\nContent-Length: 0\r\n\r\n",
    "200 with Via": b"HTTP/1.1 200 OK\r\nVia: 1.1 corp\r\nContent-Length: 0\r\n\r\n",
    "503 with Via that says when": (
        b"HTTP/1.1 503 No\r\nVia: 1.1 edge\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    ),
    "503 with Proxy-Status": (
        b"HTTP/1.1 503 No\r\nProxy-Status: p; received-status=503\r\nContent-Length: 0\r\n\r\n"
    ),
}


@pytest.mark.parametrize("name", BY_PROXY)
def test_what_a_proxy_answers_is_no_answer_of_the_target(name: str) -> None:
    with RawServer(answer(BY_PROXY[name])) as proxy, Transport(environ={}) as transport:
        got = transport.send(Sent("POST", f"{proxy.url}/x"))
    assert got.failure == "proxy"
    assert got.received is None
    assert got.detail.startswith("a proxy between answered: ")


@pytest.mark.parametrize("name", BY_TARGET)
def test_what_a_target_answers_through_a_proxy_is_its_own(name: str) -> None:
    with RawServer(answer(BY_TARGET[name])) as proxy, Transport(environ={}) as transport:
        got = transport.send(Sent("POST", f"{proxy.url}/x"))
    assert got.failure is None
    assert got.received is not None


def head(status: int, **fields: str) -> Received:
    return Received(status, headers=tuple((k.replace("_", "-"), v) for k, v in fields.items()))


SIGNED = {
    "502 with the Via of all": (head(502, Via="1.1 edge"), ["1.1 edge"], False),
    "504 with another Via": (head(504, Via="1.1 corp"), ["1.1 edge"], True),
    "503 with the Server of all": (head(503, Server="squid/6.1"), ["squid/6.1"], False),
    "503 of another Server": (head(503, Server="squid/6.1"), ["nginx"], True),
    "502 that says that the next hop failed": (
        head(502, Via="1.1 edge", Proxy_Status="edge; error=connection_refused"),
        ["1.1 edge"],
        True,
    ),
    "503 of squid that says when": (head(503, X_Squid_Error="ERR 0", Retry_After="2"), [], False),
    "502 that says when": (head(502, Via="1.1 edge", Retry_After="2"), [], True),
    "407": (head(407, Via="1.1 edge"), ["1.1 edge"], True),
}


@pytest.mark.parametrize("what", SIGNED)
def test_a_gateway_that_stands_before_all_of_a_target_is_part_of_it(what: str) -> None:
    received, usual, by_proxy = SIGNED[what]
    assert (answered_by_proxy(received, usual) is not None) is by_proxy


@pytest.mark.parametrize("through", [False, True], ids=["asked directly", "over a proxy"])
def test_what_signs_good_answers_is_the_target_s_gateway_where_no_proxy_is_named(
    through: bool,
) -> None:
    via, length = b"Via: 1.1 edge\r\n", b"Content-Length: 0\r\n\r\n"
    replies = iter([b"HTTP/1.1 404 No\r\n", b"HTTP/1.1 502 Bad\r\n"])

    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(next(replies) + via + length)

    with RawServer(script) as server:
        environ = {"HTTP_PROXY": server.url} if through else {}
        url = "http://target.test/" if through else f"{server.url}/x"
        with Transport(SHORT, environ=environ) as transport:
            first, second = (transport.send(Sent("POST", url)) for _ in range(2))
    assert first.failure is None
    assert second.failure == ("proxy" if through else None)


@pytest.mark.parametrize("place", ["cancel", "look"])
def test_a_proxy_that_answers_from_some_call_on_is_named_and_nobody_is_blamed(
    place: str, tmp_path: Path
) -> None:
    served, report, target = conforming("MA"), tmp_path / "r.json", tmp_path / "target.yaml"
    misdeed, at = says(BY_PROXY["502 with Via"]), frozenset(range(1, 99))
    with Hostile(served, verb="cancel", place=place, at=at, misdeed=misdeed) as front:
        raw = {**target_of(served, front.url).raw, "base_url": front.url}
        target.write_text(json.dumps(raw), "utf-8")
        argv = ["verify", "--contract", "machine-action", "--only", "MA-07", "--only", "MA-34"]
        code = main([*argv, "--target", str(target), "--report-json", str(report)])
        served.stopped.set()
    found = json.loads(report.read_text("utf-8"))
    assert code == 4
    assert found["outcome"] == "inconclusive"
    verdicts = {c["id"]: c["verdict"] for c in found["contracts"][0]["clauses"]}
    assert "violated" not in verdicts.values()
    assert verdicts["MA-34"] != "upheld"  # its call was never answered
    (told,) = (text for text in found["warnings"] if "proxy" in text)
    assert re.fullmatch(
        r"machine-action: a proxy between .*: 502, Via 1.1 corp \(\d+ calls\)", told
    )


@pytest.mark.parametrize("name", BY_PROXY)
def test_a_run_that_a_proxy_refuses_ends_4_and_names_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target.yaml"
    with RawServer(answer(BY_PROXY[name])) as proxy:
        raw = {"base_url": proxy.url, "identities": {"admin": {"token": "a.b.c"}}}
        target.write_text(json.dumps(raw), "utf-8")
        argv = ["verify", "--contract", "security-action", "--target", str(target)]
        assert main(argv) == 4
    told = " ".join(capsys.readouterr().out.split())
    assert "a proxy between answered" in told
    assert "violated:" not in told
