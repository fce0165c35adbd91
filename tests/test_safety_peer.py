"""Whoever is at the other end counts, not what its name was taken for: names that move, proxies,
handlers elsewhere, and an id of nothing that names something.

127.0.0.2 plays a machine that is not local: it is left out of the local addresses. All traffic
stays on loopback.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts import hosts
from cancel_contracts.cli import main
from cancel_contracts.exchange import Sent
from cancel_contracts.ledger import account
from cancel_contracts.targets import safety
from cancel_contracts.transport.client import Timeouts, Transport
from rawserver import Peer, RawServer, answer
from servers.front import Written
from servers.provider import PROVIDER
from servers.service import Service
from servers.trial import conforming

Capture = pytest.CaptureFixture[str]
NAME = "lab.internal"
FAR = "127.0.0.2"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
CLAUSES = ("--only", "MA-07", "--only", "MA-34", "--only", "MA-39")
SHORT = Timeouts(connect=1.0, read=1.0, total=2.0)


class Resolver:
    """A resolver of the tests: `where` says for a name what it leads to at this moment, to whoever
    is about to connect (`connecting`) or to judge.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.where: dict[str, Callable[[], str]] = {}
        self.connecting = False
        own = socket.getaddrinfo

        def resolve(host: str, port: Any, *args: Any, **kwargs: Any) -> Any:
            self.connecting = port is not None
            if host not in self.where:
                return own(host, port, *args, **kwargs)
            address = self.where[host]()
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    monkeypatch.setattr(hosts, "_LOCAL", (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8")))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return Resolver(monkeypatch)


class Far(RawServer):
    """A machine that is not local, at a port of the near one. `heard` is all that it was sent."""

    def __init__(self, port: int) -> None:
        pieces: list[bytes] = []
        self._pieces = pieces

        # Connections are served side by side: each appends, none writes over another's.
        def listen(peer: Peer) -> None:
            pieces.append(peer.sock.recv(65536))

        super().__init__(listen, address=(FAR, port))

    @property
    def heard(self) -> bytes:
        return b"".join(self._pieces)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_byte_goes_to_a_peer_that_is_not_local(scheme: str, resolver: Resolver) -> None:
    with (
        RawServer(answer(OK)) as near,
        Far(near.port) as far,
        Transport(SHORT, environ={}, local_only=True) as local,
    ):
        resolver.where[NAME] = lambda: FAR
        url = f"{scheme}://{NAME}:{near.port}/"
        for target in (url, url.replace(NAME, FAR), url.replace(NAME, f"[::ffff:{FAR}]")):
            got = local.send(Sent("POST", target))
            assert got.failure == "unreachable", got
            assert FAR in got.detail
            assert "which is not local" in got.detail
        assert far.heard == b""
        # Whoever has not asked for it is served: the test can tell the difference.
        with Transport(SHORT, environ={}) as anywhere:
            anywhere.send(Sent("POST", url))
        deadline = time.monotonic() + 5
        while not far.heard and time.monotonic() < deadline:
            time.sleep(0.01)
        assert far.heard


def test_a_name_that_moves_back_is_served_again(resolver: Resolver) -> None:
    turns = iter(["127.0.0.1", FAR, "127.0.0.1", FAR])
    resolver.where[NAME] = lambda: next(turns)
    with (
        RawServer(answer(OK)) as near,
        Far(near.port) as far,
        Transport(SHORT, environ={}, local_only=True) as local,
    ):
        url = f"http://{NAME}:{near.port}/"
        got = [local.send(Sent("POST", url)).failure for _ in range(4)]
    assert got == [None, "unreachable", None, "unreachable"]
    assert far.heard == b""


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_byte_goes_over_a_proxy(scheme: str, resolver: Resolver) -> None:
    resolver.where[NAME] = lambda: "127.0.0.1"
    with RawServer(answer(OK)) as proxy:
        environ = {"ALL_PROXY": proxy.url}
        with Transport(SHORT, environ=environ, local_only=True) as local:
            got = local.send(Sent("POST", f"{scheme}://{NAME}/"))
    assert (got.failure, proxy.connections) == ("unreachable", 0)
    assert "a proxy stands in between" in got.detail


def described(service: Service, folder: Path, base: str, **more: Any) -> Path:
    """Write the target file of a service under another URL, and return it."""
    file = folder / "target.yaml"
    raw = {
        "base_url": base + service.page.prefix,
        "provider_states": base + PROVIDER,
        **service.tokens.target(),
        **more,
    }
    file.write_text(json.dumps(raw), "utf-8")
    return file


def argv(file: Path, *more: str) -> list[str]:
    contract = ("--contract", "machine-action")
    return ["verify", "--target", str(file), *contract, *CLAUSES, "--timeout", "2", *more]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.chdir(tmp_path)
    found = conforming("MA")
    yield found
    found.stopped.set()


@pytest.mark.parametrize("flag", [(), ("--allow-destructive",)])
@pytest.mark.parametrize("moves_after", [0, 1, 3])
def test_a_target_whose_name_moves_during_the_run_is_left_alone(
    moves_after: int, flag: tuple[str, ...], service: Service, tmp_path: Path,
    resolver: Resolver, capsys: Capture,
) -> None:  # fmt: skip
    with Written(service) as running:
        port = int(running.url.rpartition(":")[2])

        def where() -> str:
            moved = resolver.connecting and service.calls >= moves_after
            return FAR if moved else "127.0.0.1"

        resolver.where[NAME] = where
        file = described(service, tmp_path, f"http://{NAME}:{port}")
        with Far(port) as far:
            code = main(argv(file, *flag))
        service.stopped.set()
    assert code == 4
    assert far.heard == b""
    out = " ".join(capsys.readouterr().out.split())
    assert f"its name leads to {FAR} now, which is not local" in out
    assert service.calls >= moves_after


def test_a_handler_whose_name_moves_sets_nothing_up_elsewhere(
    service: Service, tmp_path: Path, resolver: Resolver, capsys: Capture
) -> None:
    with Written(service) as running:
        port = int(running.url.rpartition(":")[2])
        resolver.where[NAME] = lambda: FAR if service.calls else "127.0.0.1"
        states = {"provider_states": f"http://{NAME}:{port}{PROVIDER}"}
        file = described(service, tmp_path, running.url, **states)
        with Far(port) as far:
            assert main(argv(file)) == 4
        service.stopped.set()
    assert far.heard == b""
    out = " ".join(capsys.readouterr().out.split())
    assert f"tear-down of {next(iter(service.resources))} failed (unreachable: its name" in out


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_private_name_behind_a_proxy_is_not_local(
    variable: str, service: Service, tmp_path: Path, resolver: Resolver,
    monkeypatch: pytest.MonkeyPatch, capsys: Capture,
) -> None:  # fmt: skip
    resolver.where[NAME] = lambda: "10.0.0.1"
    file = described(service, tmp_path, f"http://{NAME}")
    assert safety.why_not_local(f"http://{NAME}") is None
    with RawServer(answer(NOT_FOUND)) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        assert safety.why_not_local(f"http://{NAME}") is not None
        assert not safety.is_loopback(f"http://{NAME}")
        assert main(argv(file)) in (1, 4)
    told = " ".join(capsys.readouterr().out.split())
    assert "is reached through a proxy, which resolves names for itself" in told
    lines = [request.split(b"\r\n")[0].decode() for request in proxy.requests]
    assert lines
    assert not any(PROVIDER in line for line in lines), "nothing was set up"
    monkeypatch.setenv("NO_PROXY", f"x,{NAME}")
    assert safety.why_not_local(f"http://{NAME}") is None


def test_this_machine_is_not_asked_over_a_proxy_and_stays_local(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    for host in ("127.0.0.1", "localhost"):
        assert safety.why_not_local(f"http://{host}:1") is None
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("ALL_PROXY")
    resolver.where[NAME] = lambda: "127.0.0.1"
    assert safety.why_not_local(f"http://{NAME}") is None, "the proxy is that of another scheme"
    assert safety.why_not_local(f"https://{NAME}") is not None


@pytest.mark.parametrize("place", ["for all", "for one contract"])
def test_a_handler_elsewhere_takes_the_flag_and_the_ledger(
    place: str, service: Service, tmp_path: Path, resolver: Resolver, capsys: Capture
) -> None:
    with Written(service) as running:
        port = running.url.rpartition(":")[2]
        # Far for the judge, near for the connection: nothing leaves loopback.
        resolver.where[NAME] = lambda: "127.0.0.1" if resolver.connecting else FAR
        states = {"provider_states": f"http://{NAME}:{port}{PROVIDER}"}
        own = {"contracts": {"machine-action": states}} if place != "for all" else states
        file = described(service, tmp_path, running.url, **own)
        main(argv(file))
        out = " ".join(capsys.readouterr().out.split())
        told = f"has a provider-state handler on {NAME}, which is neither loopback nor private"
        assert told in out
        assert service.resources == {}
        assert list(tmp_path.glob("*.jsonl")) == []
        assert service.calls, "what can cancel nothing is called"
        assert main(argv(file, "--allow-destructive")) == 0
        assert "only calls that can cancel nothing" not in capsys.readouterr().out
        service.stopped.set()
    (path,) = tmp_path.glob("cancel-contracts-ledger-*.jsonl")
    assert account.read(path).torn_down > 0


def unknown_is(id_: str) -> dict[str, Any]:
    return {"contracts": {"machine-action": {"unknown_id": id_}}}


@pytest.mark.parametrize("state", ["Pending", "Succeeded"])
def test_an_unknown_id_that_names_something_is_not_cancelled(
    state: str, service: Service, tmp_path: Path, capsys: Capture
) -> None:
    id_ = "11111111-1111-4111-8111-111111111111"
    service.resources[id_] = service.make(state, "admin")
    with Written(service) as running:
        file = described(service, tmp_path, running.url, **unknown_is(id_))
        report = tmp_path / "r.json"
        code = main([*argv(file)[:5], "--only", "MA-34", "--report-json", str(report)])
        service.stopped.set()
    assert code == 4
    assert service.calls == 0
    assert service.resources[id_].state == state
    told = f"machine-action: unknown_id: {id_} names a resource that exists; give an id of nothing"
    assert json.loads(report.read_text("utf-8"))["warnings"] == [told]
    assert " ".join(capsys.readouterr().out.split()).count(told) == 1


def test_an_unknown_id_that_names_nothing_is_called(
    service: Service, tmp_path: Path, capsys: Capture
) -> None:
    with Written(service) as running:
        file = described(service, tmp_path, running.url, **unknown_is("2" * 36))
        command = [*argv(file)[:5], "--only", "MA-34"]
        assert main([*command, "--plan"]) == 0
        planned = capsys.readouterr().out
        report = tmp_path / "r.json"
        assert main([*command, "--report-json", str(report)]) == 0
        service.stopped.set()
    sent = json.loads(report.read_text("utf-8"))["requests"]
    assert service.calls == sent["cancel"] > 0
    row = next(line for line in planned.splitlines() if "machine-action" in line)
    assert [int(word) for word in row.split() if word.isdigit()][1:] == [
        sent["cancel"], sent["observe"], sent["provider_states"],
    ]  # fmt: skip


@pytest.mark.parametrize("far", [False, True])
def test_an_unknown_id_that_no_get_shows_is_called_on_a_local_target_alone(
    far: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    service = conforming("MA")
    if far:
        monkeypatch.setattr(safety, "why_not_local", lambda *args: "is far away")
    with Written(service) as running:
        more = unknown_is("2" * 36) | {"not_testable": {"observe": "it has no GET"}}
        file = described(service, tmp_path, running.url, **more)
        main([*argv(file)[:5], "--only", "MA-34"])
        service.stopped.set()
    assert bool(service.calls) is not far
    out = " ".join(capsys.readouterr().out.split())
    assert ("no GET tells that" in out) is far
