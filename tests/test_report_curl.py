"""The curl line, pasted into a shell, sends the bytes that the suite sent."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest
from cancel_contracts.exchange import Headers, Sent
from cancel_contracts.report import curl
from rawserver import RawServer, answer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BODIES = {
    "json": b'{"Comment": "it\'s \\"quoted\\" $HOME `x` !"}',
    "empty": b"",
    "unicode": "größe 取消 🛑".encode(),
    "not UTF-8": b'{"key": "\xff\xfe\xc3"}',
    "NUL and controls": b"\x00\x01\n\r\t\x7f",
    "an @ first": b"@/etc/hostname",
    "a dash first": b"-n \x00",
    "percent and backslash": b"100%\\n\x00%s\\047",
    "digits after an escape": b"\x0012345",
    "deep": b"[" * 10_000 + b"]" * 10_000,
}

pytestmark = pytest.mark.outside("curl")


def sent(line: str, **environ: str) -> bytes:
    """What arrives of a line that is run by a shell which knows these variables."""
    with RawServer(answer(OK)) as server:
        line = line.replace("http://target", server.url)
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            capture_output=True, timeout=20, check=False, env=os.environ | environ,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
    (request,) = server.requests
    return request


def head(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in lines)}


def line_of(method: str, path: str, headers: Headers, body: bytes) -> str:
    full = (("Host", "target"), ("Content-Length", str(len(body))), *headers)
    return curl.line(Sent(method, f"http://target{path}", full, body))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_body_arrives_byte_for_byte(body: bytes) -> None:
    line = line_of("POST", "/x", (("Content-Type", "application/json"),), body)

    request = sent(line)

    assert "\n" not in line
    assert request.partition(b"\r\n\r\n")[2] == body
    assert head(request)["content-length"] == str(len(body))
    assert head(request)["content-type"] == "application/json"


def test_no_content_type_stays_none() -> None:
    assert "content-type" not in head(sent(line_of("POST", "/x", (), b"{}")))


def test_an_empty_body_has_its_length() -> None:
    request = sent(line_of("POST", "/x", (), b""))

    assert head(request)["content-length"] == "0"
    assert "content-type" not in head(request)


def test_the_token_is_filled_in_by_the_shell() -> None:
    line = line_of("POST", "/x", (("Authorization", "Bearer <admin>"),), b"")

    assert '"Authorization: Bearer $ADMIN_TOKEN"' in line
    assert head(sent(line, ADMIN_TOKEN="a-token"))["authorization"] == "Bearer a-token"


@pytest.mark.parametrize(
    ("value", "arrives"), [("", ""), ("Bearer", "Bearer"), ("Odd! <app>", "Odd! t"), ("<app>", "t")]
)
def test_forms_without_a_token(value: str, arrives: str) -> None:
    line = line_of("POST", "/x", (("Authorization", value),), b"")

    assert head(sent(line, APP_TOKEN="t"))["authorization"] == arrives


@pytest.mark.parametrize(
    "path", ["/a/../b/%2e%2e/%2F/%zz%/cancel", "/a'b\"c;--/$(id)/x", "/[1]/{a,b}", "/%20?x=1&y=2"]
)
def test_the_path_goes_out_as_it_is(path: str) -> None:
    assert sent(line_of("POST", path, (), b"")).split(b" ")[1] == path.encode()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POST"])
def test_the_method(method: str) -> None:
    line = curl.line(Sent(method, "http://target/x", (("Accept", "application/json"),)))

    assert sent(line).startswith(f"{method} /x HTTP/1.1\r\n".encode())


def test_chunks_stay_chunks() -> None:
    headers = (("Transfer-Encoding", "chunked"), ("Content-Type", "application/json"))
    line = curl.line(Sent("POST", "http://target/x", headers, b'{"a": 1}'))

    request = sent(line)

    assert b'\r\n8\r\n{"a": 1}\r\n0\r\n\r\n' in request
    assert "content-length" not in head(request)


def test_a_body_too_long_for_an_argument_is_a_file() -> None:
    line = line_of("POST", "/x", (), b"x" * 70_000)

    assert "--data-binary @body.bin" in line
    assert line.endswith("# body.bin: the 70000 bytes of the body")


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("admin", "ADMIN_TOKEN"),
        ("no-permission", "NO_PERMISSION_TOKEN"),
        ("garbage-token", "GARBAGE_TOKEN"),
        ("delegated:Machine.Scan", "DELEGATED_MACHINE_SCAN_TOKEN"),
        ("1st", "_1ST_TOKEN"),
        ("größe", "GR_E_TOKEN"),
        ("?", "UNNAMED_TOKEN"),
    ],
)
def test_an_identity_names_its_variable(identity: str, name: str) -> None:
    assert curl.variable(identity) == name


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ({"absolute": True}, "POST {url}/a/./x;y=1 HTTP/1.1"),
        ({"version": "1.0"}, "POST /a/./x;y=1 HTTP/1.0"),
        ({"absolute": True, "version": "1.0"}, "POST {url}/a/./x;y=1 HTTP/1.0"),
    ],
)
def test_the_request_line_goes_out_in_its_form(form: dict[str, Any], begins: str) -> None:
    with RawServer(answer(OK)) as server:
        line = curl.line(Sent("POST", f"{server.url}/a/./x;y=1", **form))
        subprocess.run(["/bin/sh", "-c", line], capture_output=True, timeout=20, check=True)
        (request,) = server.requests
        assert request.startswith(f"{begins.format(url=server.url)}\r\n".encode())


@pytest.mark.parametrize(
    ("headers", "without", "arrives"),
    [
        ((), ("User-Agent", "Accept"), {}),
        ((), ("client-request-id", "Accept"), {"user-agent": "curl"}),
        ((("User-Agent", "Mozilla/5.0"), ("Accept", "a/b")), (), {"user-agent": "Mozilla", "accept": "a/b"}),
    ],
)  # fmt: skip
def test_curl_adds_nothing_that_was_left_out(
    headers: Headers, without: tuple[str, ...], arrives: dict[str, str]
) -> None:
    line = curl.line(Sent("POST", "http://target/x", headers, without=without))
    fields = head(sent(line))
    assert {"user-agent", "accept"} & fields.keys() == arrives.keys()
    assert all(fields[name].startswith(value) for name, value in arrives.items())


def test_https_keeps_to_http_1_1() -> None:
    assert "--http1.1" in curl.line(Sent("POST", "https://example.com/x"))
