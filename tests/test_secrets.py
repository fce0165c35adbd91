"""No token in any output, whatever the target sends back of it."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.redact.secrets import MASK, Redactor
from cancel_contracts.report.text import line
from hypothesis import given, settings
from hypothesis import strategies as st
from rawserver import Peer, RawServer

TOKENS = {
    "admin": "s3cret/admin+token==",
    "user": "s3cret.user.token-0123456789abcdef",
    "app": "s3cret-app-token",
}


KEPT_BYTES = 2**14  # of a message, here: less than a run keeps, and cut as well
KEY = "the-key-that-the-target-trusts/0123456789+abcdef"


def spoken(token: str) -> dict[str, str]:
    """Return the forms in which a text may hold a token."""
    data, quoted = token.encode(), quote(token, safe="")
    every = "".join(f"%{byte:02x}" for byte in data)
    return {
        "as it is": token,
        "upper case": token.upper(),
        "lower case": token.lower(),
        "percent-encoded": quoted,
        "with lower hex": re.sub("%..", lambda found: found[0].lower(), quoted),
        "a URL's query": quote(token),
        "every byte percent-encoded": every,
        "percent-encoded twice": quote(quoted, safe=""),
        "percent-encoded thrice": quote(quote(quote(token, safe=""), safe=""), safe=""),
        **{
            f"base64 at {shift}": base64.b64encode(b"x" * shift + data + b"y").decode()
            for shift in range(3)
        },
        **{
            f"base64url at {shift}": base64.urlsafe_b64encode(b"x" * shift + data).decode()
            for shift in range(3)
        },
        "base64 in a URL": quote(base64.b64encode(data).decode(), safe=""),
        "hexadecimal": data.hex(),
        "upper hexadecimal": data.hex().upper(),
        "JSON": token.replace("/", "\\/"),
        "JSON of .NET": token.replace("+", "\\u002B"),
        "JSON, every character": "".join(f"\\u{ord(c):04x}" for c in token),
        "JSON in JSON": json.dumps("".join(f"\\u{ord(c):04X}" for c in token))[1:-1],
        "C": "".join(f"\\x{ord(c):02x}" for c in token),
        "HTML": "".join(f"&#{ord(c)};" for c in token),
        "HTML in hexadecimal": "".join(f"&#x{ord(c):X};" for c in token),
        "HTML by name": token.replace("/", "&sol;").replace("+", "&plus;").replace("=", "&equals;"),
        "HTML in a URL": quote("".join(f"&#{ord(c)};" for c in token), safe=""),
    }


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def whole(body: bytes, fields: bytes = b"", line: bytes = b"HTTP/1.1 404 Not Found") -> bytes:
    return line + b"\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(body) + body


def answers(token: str) -> dict[str, bytes]:
    """Return answers of a target that sends a token back wherever HTTP has room for it."""
    data, forms = token.encode(), " ".join(spoken(token).values()).encode()
    name = data if re.fullmatch(rb"[-+.0-9A-Za-z]+", data) else b"Echo"  # RFC 9110 5.1
    middle = len(data) // 2
    head = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n"
    envelope = json.dumps({"error": {"code": "x", "message": " ".join(spoken(token).values())}})
    packed = gzip.compress(forms)
    return {
        "a body": whole(envelope.encode(), b"Content-Type: application/json\r\n"),
        "a text": whole(forms, b"Content-Type: text/html; name=" + data + b"\r\n"),
        "header values": whole(
            b"", b"".join(b"X-Echo: %b\r\n" % form.encode() for form in spoken(token).values())
        ),
        "telling headers": whole(
            b"",
            b'WWW-Authenticate: Bearer error="%b"\r\nLocation: http://127.0.0.1:1/?t=%b\r\n'
            b"Set-Cookie: t=%b\r\nContent-Type: %b/x\r\nRetry-After: %b\r\n"
            % (data, quote(token).encode(), data, data, data),
        ),
        "a header name": whole(b"", b"X-%b: y\r\n" % name),
        "a reason phrase": whole(b"", b"", b"HTTP/1.1 404 " + data + b" " + forms),
        "an early head": b"HTTP/1.1 103 %b\r\nLink: %b\r\n\r\n" % (data, data) + whole(data),
        "parted by chunks": head + b"\r\n" + chunked(data[:middle], data[middle:]),
        "parted, and whole beside it": head
        + b"X-Echo: %b\r\n\r\n" % data
        + chunked(data[:middle], data[middle:]),
        "a trailer": head + b"\r\n" + b"0\r\nX-Trailer: %b\r\n\r\n" % data,
        "gzip": whole(packed, b"Content-Encoding: gzip\r\nX-Echo: %b\r\n" % data),
        "broken gzip": whole(packed[:-9], b"Content-Encoding: gzip\r\n"),
        "after the message": whole(b"") + data,
        "a status line that is none": b"HTTP/1.1 nothing " + b"x" * 150 + data + b"\r\n\r\n",
        "cut short": whole(b"x" * 99 + data)[: -len(data) // 2],
        "cut by us": whole(b"x" * (KEPT_BYTES - 80 - middle) + data + b"x" * 2**20),
        "a line cut by us": b"HTTP/1.1 404 Not Found\r\nX-Long: " + (data + b" ") * 2**14,
        "UTF-16": whole(token.encode("utf-16")),
        "nothing of HTTP": data,
    }


KINDS = list(answers("a-token"))


class Echo:
    """Answers each call in another way, and sends back the token that it came with, and the key."""

    def __init__(self) -> None:
        self.calls = 0
        self.tokens: set[str] = set()
        self.sent: set[str] = set()

    def script(self, peer: Peer) -> None:
        request = peer.receive().decode("latin-1")
        found = re.search(r"^authorization: \S+ (\S+)\r$", request, re.MULTILINE | re.IGNORECASE)
        token = found[1] if found else KEY
        if "/states" in request.partition("\r\n")[0]:
            action = json.loads(request.partition("\r\n\r\n")[2])["action"]
            made = json.dumps({"id": f"made-{self.calls}", "note": KEY}).encode()
            peer.send(whole(made, line=b"HTTP/1.1 200 OK") if action == "setup" else whole(b""))
            return
        if "not-a-token-of-anybody" not in token and "dXNlcjpwYXNzd29yZA" not in token:
            self.tokens.add(token)
        kind = KINDS[self.calls % len(KINDS)]
        secret = KEY if self.calls // len(KINDS) % 3 == 2 else token
        self.calls += 1
        self.sent.add(kind)
        peer.send(answers(secret)[kind])


def readings(data: bytes) -> Iterator[bytes]:
    """Return what a curious reader makes of some bytes: escapes undone, whatever their order."""
    text, seen = data.decode("utf-8", "replace"), set[str]()
    yield data.lower()
    yield data.replace(b"\0", b"").lower()
    for _ in range(4):
        seen.add(text)
        text = re.sub(r"\\+(?:u00|x)([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), text)
        text = html.unescape(unquote(text)).replace("\\", "")
        if text in seen:
            return
        yield text.lower().encode()


def octets(data: bytes) -> Iterator[bytes]:
    """Return an output, and what its runs of base64 hold, unpacked and put together again."""
    yield data
    for run in re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", data):
        if len(run) % 4:
            continue
        coded = base64.b64decode(run)
        yield coded
        _, _, body = coded.partition(b"\r\n\r\n")
        joined = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", b"\r\n" + body)
        yield joined
        if body[:2] == b"\x1f\x8b":
            yield zlib.decompressobj(31).decompress(body)


@lru_cache(1)
def read(data: bytes) -> list[tuple[bytes, list[bytes]]]:
    """Return the pieces of an output, each with its readings: one output has many secrets."""
    return [(piece, list(readings(piece))) for piece in octets(data)]


@cache
def hidden(secret: str) -> list[bytes]:
    """Return the forms of a secret that no reading undoes, without their ends, which may differ."""
    forms = {v for k, v in spoken(secret).items() if "base64" in k or "hexadecimal" == k}
    return sorted({form.encode()[4:-4] for form in forms})


def found_in(data: bytes, secret: str) -> list[str]:
    """Return the forms of a secret that an output holds: its beginning, with more or without."""
    begins, forms = secret.encode().lower()[:12], hidden(secret)
    found = []
    for piece, low in read(data):
        found += [begins.decode("utf-8", "replace") for text in low if begins in text]
        found += [form.decode() for form in forms if form in piece]
    return found


@pytest.mark.slow
def test_no_secret_stands_in_any_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    echo, out = Echo(), tmp_path / "out"
    security = next(path for path in shipped() if path.stem == "security-action")
    out.mkdir()
    monkeypatch.setattr("cancel_contracts.transport.record.KEPT_BYTES", KEPT_BYTES)
    monkeypatch.setattr("cancel_contracts.transport.coding.DECODED_KEPT_BYTES", KEPT_BYTES)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(out / "summary"))
    with RawServer(echo.script) as server:
        target = {
            "base_url": server.url,
            "provider_states": f"{server.url}/states",
            "mint": {"algorithm": "HS256", "key": KEY},
            "identities": {name: {"token": token} for name, token in TOKENS.items()},
        }
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(target), "utf-8")
        code = main(
            ["verify", "--target", str(file), "--contract", "security-action",
             *(f"--only={clause.id}" for clause in load(security).clauses[2::3]),
             "--report-json", str(out / "r.json"), "--report-junit", str(out / "r.xml"),
             "--report-html", str(out / "r.html"), "--report-markdown", str(out / "r.md"),
             "--record", str(out / "r.har"), "--bundle", str(tmp_path / "b.zip"), "--ledger", str(out / "l.jsonl"), "--debug"]
        )  # fmt: skip
    assert code == 1
    told = capsys.readouterr()
    (out / "terminal").write_text(told.out + told.err, "utf-8")
    assert echo.sent == set(KINDS), "every kind of answer was given"
    assert set(TOKENS.values()) & echo.tokens
    assert len(echo.tokens) > len(TOKENS), "minted ones too"
    assert echo.calls >= 3 * len(KINDS), "each with a token twice, and once with the key"
    assert len(list(out.iterdir())) == 8
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:  # packed, a secret would not be seen
        for row in archive.infolist():
            (out / f"bundled {row.filename.replace('/', ' ')}").write_bytes(archive.read(row))
    assert len(list(out.iterdir())) == 15
    secrets = {KEY, *TOKENS.values(), *sorted(echo.tokens, key=len)[:12]}
    for path in out.iterdir():
        data = path.read_bytes()
        for secret in secrets:
            assert found_in(data, secret) == [], (path.name, secret)
    assert main(["judge", str(out / "r.har")]) == 1, "the recording is still one"
    assert main(["recheck", str(tmp_path / "b.zip")]) == 0, "and comes to the same verdicts"


@pytest.mark.parametrize("form", spoken("x"))
@pytest.mark.parametrize("secret", [KEY, TOKENS["admin"], "eyJhbGciOi.J9LmV5SnpkV0.sIm4-_x"])
def test_each_form_is_known_wherever_it_stands(secret: str, form: str) -> None:
    redactor = Redactor()
    redactor.learn(secret)
    said = spoken(secret)[form]
    for text in (said, f"before {said} after", f"{said}{said}", f'"{said}"'):
        for clean in (redactor.text(text), redactor.bytes(text.encode()).decode()):
            assert MASK in clean
            assert found_in(clean.encode(), secret) == []


def test_a_secret_beyond_ascii_is_known_in_texts_and_in_bytes() -> None:
    redactor = Redactor()
    redactor.learn("pässword/中/1")
    assert redactor.text("a pässword/中/1 b") == "a [redacted] b"
    assert redactor.bytes("a pässword/中/1 b".encode()) == b"a [redacted] b"


@given(st.text(max_size=60), st.text("%\\&u0123456789abcdefx;#", max_size=30), st.integers(8, 40))
@settings(max_examples=200, deadline=None)
def test_a_mask_takes_nothing_else_along(around: str, noise: str, size: int) -> None:
    redactor = Redactor()
    secret = redactor.learn("Q7-zebra/quagga+okapi==" + "k" * size)
    text = f"{around}{noise} {secret} {noise}{around}"
    assert redactor.text(text) == f"{around}{noise} {MASK} {noise}{around}"
    assert redactor.text(around + noise) == around + noise
    assert redactor.text(f"{around} {secret[:-1]}") == f"{around} {MASK}"


@pytest.mark.slow
def test_a_traceback_of_the_suite_is_redacted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(f"met {TOKENS['admin']} on the way")

    monkeypatch.setattr("cancel_contracts.run.calls.cancel_request", fails)
    file = tmp_path / "target.yaml"
    target = {"base_url": "http://127.0.0.1:1", "identities": {"admin": {"token": TOKENS["admin"]}}}
    file.write_text(json.dumps(target), "utf-8")
    argv = ["verify", "--target", str(file), "--only", "SA-20"]
    assert main(argv) == 3
    plain = capsys.readouterr()
    assert "Traceback" not in plain.err
    assert "the suite itself failed: RuntimeError at " in line(plain.out)
    assert main([*argv, "--debug"]) == 3
    told = capsys.readouterr()
    assert "Traceback" in told.err
    assert "RuntimeError: met [redacted] on the way" in told.err
    everything = plain.out + plain.err + told.out + told.err
    assert found_in(everything.encode(), TOKENS["admin"]) == []


def test_debug_tells_each_exchange(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "r.json"
    assert main(["verify", "--only", "SA-20", "--debug", "--report-json", str(report)]) == 0
    lines = [x for x in capsys.readouterr().err.splitlines() if x.startswith("debug: ")]
    sent = json.loads(report.read_text("utf-8"))["requests"]
    assert len(lines) == sent["cancel"] + sent["observe"], lines
    assert any("POST http://127.0.0.1:" in x and " as admin: 404, " in x for x in lines)
