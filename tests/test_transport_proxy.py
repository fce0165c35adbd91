"""Proxies of the environment: used for every host but this one, and told no more than needed."""

from __future__ import annotations

import os
import socket

import pytest
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Sent
from cancel_contracts.transport.client import Timeouts, Transport
from rawserver import RawServer, answer

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
        b"Accept: */*\r\n"
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


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "http://", "http://me:pr0xypass@:x"])
def test_a_proxy_that_we_cannot_use_is_said_and_not_gone_round(proxy: str) -> None:
    with (
        Transport(SHORT, environ={"HTTP_PROXY": proxy}) as transport,
        pytest.raises(UsageError) as refused,
    ):
        transport.send(Sent("POST", "http://target.test/"))

    assert "proxy" in str(refused.value)
    assert "pr0xypass" not in str(refused.value)
