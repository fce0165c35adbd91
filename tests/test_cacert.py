"""`--cacert`: whom a run trusts, at every door; and a bad one is said before anything is sent."""

from __future__ import annotations

import datetime
import json
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import test_pytest_door
import trustme
from cancel_contracts.cli import main
from cancel_contracts.ledger import account
from servers.front import Written
from servers.service import Service
from servers.trial import conforming, contract_of, target_of
from test_provision import described, tenant

Capture = pytest.CaptureFixture[str]
YESTERDAY = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
ONE = ("--only", "MA-40", "--contract", "machine-action")  # a set-up, a look, a call, a look


@dataclass
class Secure(Written):
    """The written front behind TLS. A client that breaks off the handshake is nobody."""

    certificate: trustme.LeafCert | None = None
    clients: trustme.CA | None = None  # who vouches for clients, where they need a certificate

    def __enter__(self) -> Secure:
        super().__enter__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert self.certificate is not None
        self.certificate.configure_cert(context)
        if self.clients is not None:
            self.clients.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        plain = self.listener.get_request

        def accept() -> tuple[ssl.SSLSocket, object]:
            sock, address = plain()
            sock.settimeout(5)
            return context.wrap_socket(sock, server_side=True), address

        self.listener.get_request = accept
        return self

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def cacert(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def target_file(folder: Path, service: Service, url: str) -> Path:
    target = target_of(service, url)
    path = folder / "target.yaml"
    path.write_text(json.dumps({**target.raw, "base_url": target.base_url}), "utf-8")
    return path


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Secure]:
    service = conforming("MA")
    with Secure(service, certificate=authority.issue_cert("127.0.0.1")) as front:
        yield front
        service.stopped.set()


def test_a_target_and_its_handler_are_trusted_by_it(
    secure: Secure, cacert: Path, tmp_path: Path, capsys: Capture
) -> None:
    service = secure.service
    assert isinstance(service, Service)
    argv = ["verify", "--target", str(target_file(tmp_path, service, secure.url)), *ONE]
    assert main([*argv, "--cacert", str(cacert)]) == 0, capsys.readouterr().out
    assert service.calls == 1, "the handler was trusted too, or there would be no resource"
    capsys.readouterr()
    assert main(argv) == 4, "without it nobody vouches for the target"
    assert service.calls == 1


def test_create_calls_and_the_tear_down_are_trusted_by_it(
    authority: trustme.CA, cacert: Path, tmp_path: Path, capsys: Capture
) -> None:
    service = tenant("MA")
    ledger, file = tmp_path / "l.jsonl", tmp_path / "target.yaml"
    with Secure(service, certificate=authority.issue_cert("127.0.0.1")) as front:
        file.write_text(json.dumps(described(service, front.url)), "utf-8")
        argv = ["verify", "--target", str(file), *ONE, "--ledger", str(ledger)]
        assert main([*argv, "--cacert", str(cacert)]) == 0, capsys.readouterr().out
        assert service.creates
        made = account.read(ledger).set_ups[1]
        lines = ledger.read_bytes().split(b"\n")  # as a kill after the creation leaves it
        ledger.write_bytes(b"\n".join(lines[:3]) + b"\n")
        assert made.id is not None
        service.resources[made.id].state = "Pending"
        undo = ["ledger", str(ledger), "--tear-down", "--target", str(file)]
        assert main(undo) == 1
        assert service.resources[made.id].state == "Pending"
        assert main([*undo, "--cacert", str(cacert)]) == 0
        assert service.resources[made.id].state == "Cancelled"
        service.stopped.set()


@pytest.mark.slow
def test_the_pytest_door_takes_it(secure: Secure, cacert: Path, tmp_path: Path) -> None:
    service = secure.service
    assert isinstance(service, Service)
    item = f"{contract_of(service.page).path_of_file}::MA-40"
    argv = ("-q", item, "--contracts-target", str(target_file(tmp_path, service, secure.url)))
    assert test_pytest_door.run(*argv, "--contracts-cacert", str(cacert)).returncode == 0
    assert service.calls == 1
    done = test_pytest_door.run(*argv, "--contracts-cacert", "/nowhere/ca.pem")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--contracts-cacert: /nowhere/ca.pem does not exist; name a PEM file" in done.stderr
    assert service.calls == 1


@pytest.mark.parametrize("kind", ["self-signed", "expired", "another host"])
def test_a_target_that_cannot_be_trusted_is_inconclusive(
    kind: str, authority: trustme.CA, cacert: Path, tmp_path: Path, capsys: Capture
) -> None:
    certificate = {
        "self-signed": lambda: trustme.CA().issue_cert("127.0.0.1"),
        "expired": lambda: authority.issue_cert("127.0.0.1", not_after=YESTERDAY),
        "another host": lambda: authority.issue_cert("target.example"),
    }[kind]()
    service = conforming("MA")
    with Secure(service, certificate=certificate) as front:
        file, report = target_file(tmp_path, service, front.url), tmp_path / "r.json"
        argv = ["verify", "--target", str(file), *ONE, "--cacert", str(cacert)]
        code = main([*argv, "--report-json", str(report)])
        service.stopped.set()
    told = capsys.readouterr()
    assert (code, service.calls, service.resources) == (4, 0, {}), told.out
    assert "Traceback" not in told.err
    assert json.loads(report.read_text("utf-8"))["outcome"] == "inconclusive"
    why = " ".join(told.out.split())
    word = {"self-signed": "verify failed", "expired": "has expired", "another host": "127.0.0.1"}
    assert word[kind] in why, why


class Forwarder(BaseHTTPRequestHandler):
    """A proxy that really forwards: a tunnel for CONNECT, a request of its own for the rest. Every
    name leads to one port.
    """

    port = 0
    asked: ClassVar[list[str]] = []

    def do_CONNECT(self) -> None:
        self.asked.append(self.path)
        with socket.create_connection(("127.0.0.1", self.port)) as far:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ends = [self.connection, far]
            while readable := select.select(ends, [], [], 5)[0]:
                for end in readable:
                    data = end.recv(65536)
                    if not data:
                        return
                    (far if end is self.connection else self.connection).sendall(data)

    def forward(self) -> None:
        self.asked.append(self.path)
        path = "/" + self.path.split("/", 3)[3]
        headers = "".join(f"{k}: {v}\r\n" for k, v in self.headers.items())
        size = int(self.headers.get("Content-Length") or 0)
        with socket.create_connection(("127.0.0.1", self.port)) as far:
            far.sendall(f"{self.command} {path} HTTP/1.1\r\n{headers}\r\n".encode("latin-1"))
            far.sendall(self.rfile.read(size))
            while data := far.recv(65536):
                self.wfile.write(data)
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = forward

    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_run_through_a_proxy(
    scheme: str, authority: trustme.CA, cacert: Path, tmp_path: Path, capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    service = conforming("MA")
    front: Written = Written(service)
    if scheme == "https":
        front = Secure(service, certificate=authority.issue_cert("target.invalid"))
    with front:
        port = front.listener.server_address[1]
        kind = type("Own", (Forwarder,), {"port": port, "asked": []})
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), kind)
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{proxy.server_address[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        file = target_file(tmp_path, service, f"{scheme}://target.invalid")
        argv = ["verify", "--target", str(file), "--contract", "machine-action",
                "--profile", "smoke"]  # fmt: skip
        try:
            assert main([*argv, "--cacert", str(cacert)]) == 0, capsys.readouterr().out
        finally:
            proxy.shutdown()
            proxy.server_close()
            service.stopped.set()
    assert service.calls > 10
    assert len(kind.asked) >= service.calls  # type: ignore[attr-defined]
    assert all("target.invalid" in path for path in kind.asked)  # type: ignore[attr-defined]
