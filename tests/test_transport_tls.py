"""TLS: what is recorded lies above it, and a target that cannot be trusted is nobody."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Sent
from cancel_contracts.transport.client import Timeouts, Transport
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from rawserver import Peer, RawServer, answer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1 and target.test, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("target.test")]
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, True, True, False, False),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_every_byte_above_tls_is_recorded(certificate: Path, context: ssl.SSLContext) -> None:
    response = b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"
    with (
        RawServer(answer(response), tls=context) as server,
        Transport(verify=str(certificate), environ={}) as transport,
    ):
        got = transport.send(Sent("POST", server.url + "/a/%zz", body=b"x"))

    assert server.requests[0].startswith(b"POST /a/%zz HTTP/1.1\r\n")
    assert got.failure is None
    assert got.received is not None
    assert (got.received.wire, got.received.stray) == (response, b"hello")


def test_two_requests_on_one_tls_connection(certificate: Path, context: ssl.SSLContext) -> None:
    with (
        RawServer(answer(OK, OK), tls=context) as server,
        Transport(verify=str(certificate), environ={}) as transport,
    ):
        first = transport.send(Sent("POST", server.url + "/"), keep_alive=True)
        second = transport.send(Sent("POST", server.url + "/"), keep_alive=True)

    assert (first.reused, second.reused, server.connections) == (False, True, 1)
    assert second.received is not None


def test_bytes_between_two_requests_on_tls(certificate: Path, context: ssl.SSLContext) -> None:
    read, sent = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        read.wait(5)
        peer.send(b"late\r\n\r\n")
        sent.set()
        peer.receive()
        peer.send(OK)

    with (
        RawServer(script, tls=context) as server,
        Transport(verify=str(certificate), environ={}) as transport,
    ):
        transport.send(Sent("POST", server.url + "/"), keep_alive=True)
        read.set()
        assert sent.wait(5)
        second = transport.send(Sent("POST", server.url + "/"), keep_alive=True)

    assert second.reused
    assert second.received is not None
    assert second.received.error == "illegal status line: b'late'"


def test_a_hang_above_tls_is_bounded(certificate: Path, context: ssl.SSLContext) -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        peer.wait()

    with (
        RawServer(script, tls=context) as server,
        Transport(Timeouts(read=1.0), verify=str(certificate), environ={}) as transport,
    ):
        got = transport.send(Sent("POST", server.url + "/"))

    assert (got.failure, got.received and got.received.body) == ("timeout", b"half")
    assert got.seconds < 4


def test_the_environment_names_the_certificates(certificate: Path, context: ssl.SSLContext) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        with (
            RawServer(answer(OK), tls=context) as server,
            Transport(environ={name: str(certificate)}) as transport,
        ):
            assert transport.send(Sent("GET", server.url + "/")).failure is None


def test_an_unknown_issuer(context: ssl.SSLContext) -> None:
    with RawServer(answer(OK), tls=context) as server, Transport(environ={}) as transport:
        got = transport.send(Sent("POST", server.url + "/", (("Authorization", "s3cret"),)))

    assert (got.failure, got.received) == ("tls", None)
    assert "certificate verify failed" in got.detail
    assert server.requests == []


def test_a_certificate_of_another_name(certificate: Path, context: ssl.SSLContext) -> None:
    with (
        RawServer(answer(OK), tls=context) as server,
        Transport(verify=str(certificate), environ={}) as transport,
    ):
        got = transport.send(Sent("POST", f"https://localhost:{server.port}/"))

    assert got.failure == "tls"
    assert "localhost" in got.detail


@pytest.mark.filterwarnings("error")
def test_verification_that_is_off_is_off_without_a_warning(context: ssl.SSLContext) -> None:
    with (
        RawServer(answer(OK), tls=context) as server,
        Transport(verify=False, environ={}) as transport,
    ):
        got = transport.send(Sent("POST", server.url + "/"))

    assert (got.failure, got.received and got.received.body) == (None, b"ok")


@pytest.fixture(params=["plain", "silent", "closing", "resetting"])
def no_tls(request: pytest.FixtureRequest) -> Iterator[RawServer]:
    def script(peer: Peer) -> None:
        if request.param == "silent":
            peer.wait()
        peer.sock.recv(10000)
        if request.param == "plain":
            peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        if request.param == "resetting":
            peer.reset()

    with RawServer(script) as server:
        yield server


def test_a_server_without_tls(no_tls: RawServer) -> None:
    with Transport(Timeouts(connect=0.5), environ={}) as transport:
        got = transport.send(Sent("POST", f"https://127.0.0.1:{no_tls.port}/"))

    assert (got.failure, got.received) == ("tls", None)
    assert got.detail
    assert got.seconds < 4


def test_a_client_certificate_that_we_do_not_have(
    certificate: Path, context: ssl.SSLContext
) -> None:
    # TLS 1.3 says so only after the handshake, where the answer should be.
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificate)
    with (
        RawServer(answer(OK), tls=context) as server,
        Transport(verify=str(certificate), environ={}) as transport,
    ):
        got = transport.send(Sent("POST", server.url + "/"))

    assert (got.failure, got.received) == ("tls", None)


@pytest.mark.parametrize("noise", [b"garbage, no record of TLS", bytes(64), b"\x15\x03\x03\0\2\2P"])
def test_what_breaks_once_the_request_was_read_is_no_refusal(
    noise: bytes, certificate: Path, context: ssl.SSLContext
) -> None:
    """Whoever has read it may have carried it out, whatever becomes of the connection."""

    def script(peer: Peer) -> None:
        peer.receive()
        socket.socket.send(peer.sock, noise)
        peer.wait(0.5)

    with (
        RawServer(script, tls=context) as server,
        Transport(verify=str(certificate), environ={}) as transport,
    ):
        got = transport.send(Sent("POST", server.url + "/"))

    assert (len(server.requests), got.failure, got.received) == (1, "reset", None)


def test_a_bundle_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="REQUESTS_CA_BUNDLE: /no/such does not exist"):
        Transport(environ={"REQUESTS_CA_BUNDLE": "/no/such"})
    with pytest.raises(UsageError, match="verify: /no/such does not exist"):
        Transport(verify="/no/such", environ={})


def test_a_target_behind_a_proxy_is_reached_through_a_tunnel(
    certificate: Path, context: ssl.SSLContext
) -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        peer.start_tls(context)
        for _ in range(2):
            peer.receive()
            peer.send(OK)

    with RawServer(script) as proxy:
        environ = {"HTTPS_PROXY": f"http://me:pr0xypass@127.0.0.1:{proxy.port}"}
        with Transport(verify=str(certificate), environ=environ) as transport:
            got = transport.send(
                Sent("POST", "https://target.test/a/%zz", (("Authorization", "s3cret"),)),
                keep_alive=True,
            )
            again = transport.send(Sent("GET", "https://target.test/b"), keep_alive=True)

    connect, first, second = proxy.requests
    assert connect.startswith(b"CONNECT target.test:443 HTTP/1.")
    assert b"s3cret" not in connect
    assert b"Proxy-Authorization: Basic " in connect
    assert first.startswith(b"POST /a/%zz HTTP/1.1\r\nHost: target.test\r\n")
    assert b"Proxy-" not in first + second
    assert (got.failure, got.reused, again.reused) == (None, False, True)


def test_nothing_is_sent_when_connecting_took_all_the_time(certificate: Path) -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.wait(0.8)
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        peer.wait()

    limits = Timeouts(connect=5.0, read=5.0, total=1.2)
    with RawServer(script) as proxy:
        environ = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
        with Transport(limits, verify=str(certificate), environ=environ) as transport:
            got = transport.send(Sent("POST", "https://target.test/"))

    assert (got.failure, got.detail) == ("unreachable", "the proxy: no connection in 1.2 s")
    assert [request.split(b" ")[0] for request in proxy.requests] == [b"CONNECT"]
