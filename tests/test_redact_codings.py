"""No eight characters of a secret survive, however a target codes, parts, packs and cuts it.

The reader of the test knows what the target did, and undoes it step by step with means of its own
on whatever the masks have left.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import json
import re
import string
import zlib
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import pytest
from cancel_contracts.har import Settings, write
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.accumulator import Evidence
from cancel_contracts.judge.facets import quote as quoted
from cancel_contracts.judge.judge import Verdict
from cancel_contracts.redact.scrub import Scrubber
from cancel_contracts.redact.secrets import MASK, WINDOW, Redactor, learn_proxies
from cancel_contracts.report.record import record
from cancel_contracts.transport.wire import read
from hypothesis import given, settings
from hypothesis import strategies as st
from report_sample import CLAUSES, CONTRACT, exchange, outcome_of, result_of, screen
from sampling import EVERY

pytestmark = pytest.mark.slow

SECRET = "Z9s3cret/admin+Token_x-77q==.Kk0Lm1"
SECRETS = st.text("abcdefghjkQRSTUVWXYZ0123456789-_+/=.~", min_size=16, max_size=40)
LINES = ("\n", "\r\n", "\r\n ")


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def trimmed(text: str, read: Callable[[str], str]) -> str:
    """Return what can be read of a text whose ends may be torn."""
    for width in range(8):
        for begin in range(width + 1):
            try:
                return read(text[begin : len(text) - (width - begin)])
            except ValueError:
                continue
    return ""


def of_base64(text: str) -> Iterator[str]:
    digits = re.sub(r"\s", "", text).replace("-", "+").replace("_", "/").rstrip("=")
    for run in re.findall(r"[A-Za-z0-9+/]+", digits):
        for shift in range(4):
            whole = run[shift:][: (len(run) - shift) // 4 * 4]
            rest = run[shift + len(whole) :]
            rest = rest + "=" * (-len(rest) % 4) if len(rest) > 1 else ""
            yield binascii.a2b_base64(whole + rest).decode("latin-1")


def of_hexadecimal(text: str) -> Iterator[str]:
    digits = re.sub(r"0x|[^0-9a-fA-F]", "", text)
    for shift in (0, 1):
        yield bytes.fromhex(digits[shift:][: (len(digits) - shift) // 2 * 2]).decode("latin-1")


def of_json(text: str) -> Iterator[str]:
    yield trimmed(text, lambda part: str(json.loads(f'"{part}"', strict=False)))


class Coding(NamedTuple):
    name: str
    codes: Callable[[str], str]
    reads: Callable[[str], Iterator[str]]


def one(read: Callable[[str], str]) -> Callable[[str], Iterator[str]]:
    def reads(text: str) -> Iterator[str]:
        yield read(text)

    return reads


def lines(end: str) -> Coding:
    def codes(text: str) -> str:
        return end.join(pieces(base64.b64encode(text.encode()).decode(), 20))

    return Coding(f"base64 in lines of {end!r}", codes, of_base64)


CODINGS = [
    Coding("upper case", str.upper, one(str)),
    Coding("lower case", str.lower, one(str)),
    Coding("base64", lambda t: base64.b64encode(t.encode()).decode(), of_base64),
    Coding("base64url", lambda t: base64.urlsafe_b64encode(b"x" + t.encode()).decode(), of_base64),
    *(lines(line) for line in LINES),
    Coding("hexadecimal", lambda t: "a" + t.encode().hex(), of_hexadecimal),
    Coding("hexadecimal, dots", lambda t: t.encode().hex("."), of_hexadecimal),
    Coding("hexadecimal, colons", lambda t: t.encode().hex(":").upper(), of_hexadecimal),
    Coding("hexadecimal, C", lambda t: ", ".join(f"0x{c:02x}" for c in t.encode()), of_hexadecimal),
    Coding("a URL", lambda t: quote(t, safe=""), one(unquote)),
    Coding("JSON", lambda t: json.dumps(t)[1:-1].replace("/", "\\/"), of_json),
    Coding("JSON, all", lambda t: "".join(f"\\u{ord(c):04x}" for c in t), of_json),
    Coding("HTML", lambda t: html.escape(t).replace("/", "&#47;"), one(html.unescape)),
    Coding("HTML, names", lambda t: t.replace("&", "&amp;").replace("+", "&plus;"),
           one(html.unescape)),
    Coding("UTF-16", lambda t: t.encode("utf-16-le").decode("latin-1"),
           one(lambda t: t.replace("\0", ""))),
]  # fmt: skip
NAMED = {coding.name: coding for coding in CODINGS}
CHAINS = st.lists(st.sampled_from(CODINGS), max_size=3).filter(
    lambda chain: [c.name for c in chain].count("UTF-16") < 2
)


def survives(secret: str, text: str, chain: list[Coding]) -> str | None:
    """Return eight characters of a secret that whoever knows the codings reads in a text."""
    secret = secret.lower()
    windows = {secret[at : at + WINDOW] for at in range(len(secret) - WINDOW + 1)}
    texts = re.split(re.escape(MASK), text)
    for coding in reversed([None, *chain]):
        for seen in texts:
            low = seen.lower()
            found = [low[i : i + WINDOW] for i in range(len(low)) if low[i : i + WINDOW] in windows]
            if found:
                return found[0]
        if coding is not None:
            texts = [plain for seen in texts for plain in coding.reads(seen)]
    return None


# It lends no digit to a code that is cut: read across the blank, that would make up a window.
AROUND = st.text(
    st.characters(exclude_characters=string.ascii_letters + string.digits), max_size=20
)


@given(SECRETS, CHAINS, AROUND, st.data())
@settings(max_examples=300, deadline=None)
def test_no_window_survives_codings_and_cuts(
    secret: str, chain: list[Coding], around: str, data: st.DataObject
) -> None:
    redactor = Redactor()
    redactor.learn(secret)
    said = secret
    for coding in chain:
        said = coding.codes(said)
    begin, end = data.draw(st.integers(0, len(said))), data.draw(st.integers(0, len(said)))
    text = f"{around} {said[min(begin, end) : max(begin, end)]}"
    assert survives(secret, redactor.text(text), chain) is None
    octets = redactor.bytes(text.encode("utf-8", "replace"))
    assert survives(secret, octets.decode("latin-1"), chain) is None


@pytest.mark.parametrize("coding", CODINGS, ids=lambda c: c.name)
@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_each_coding_is_undone_again_and_again(coding: Coding, times: int) -> None:
    if coding.name == "UTF-16" and times > 1:
        times = 1
    redactor = Redactor()
    redactor.learn(SECRET)
    said = SECRET
    for _ in range(times):
        said = coding.codes(said)
    clean = redactor.text(f"before, {said}; after")
    assert MASK in clean
    assert clean.startswith("before, ")
    assert clean.endswith("; after")
    assert survives(SECRET, clean, [coding] * times) is None


@pytest.mark.parametrize("outer", CODINGS, ids=lambda c: c.name)
def test_each_coding_is_undone_within_each(outer: Coding) -> None:
    redactor = Redactor()
    redactor.learn(SECRET)
    for inner in CODINGS:
        clean = redactor.text(f"before, {outer.codes(inner.codes(SECRET))}; after")
        lost = "case" in outer.name and "base64" in inner.name  # nobody can read that again
        assert lost or MASK in clean, inner.name
        assert survives(SECRET, clean, [inner, outer]) is None, inner.name


def test_what_is_coded_deeper_than_we_read_is_left_out() -> None:
    redactor = Redactor()
    redactor.learn(SECRET)
    url = NAMED["a URL"]
    for coding in (NAMED["base64"], url):
        said = "".join(f"%{ord(c):02x}" for c in SECRET)
        for _ in range(11):
            said = coding.codes(said)
        clean = redactor.text(f"before, {said}; after")
        assert clean.startswith("before, ")
        assert survives(SECRET, clean, [url, *[coding] * 11]) is None


@given(st.text(max_size=80), st.lists(st.sampled_from(CODINGS), max_size=2))
@settings(max_examples=200, deadline=None)
def test_a_text_without_the_secret_is_unchanged(text: str, chain: list[Coding]) -> None:
    redactor = Redactor()
    redactor.learn(SECRET)
    redactor.learn("hunt3r2")
    said = text.encode("utf-8", "replace").decode()
    for coding in chain:
        said = coding.codes(said)
    assert redactor.text(said) == said
    octets = said.encode()
    assert redactor.bytes(octets) == octets


@pytest.mark.parametrize("said", ["hUnT", "Hunt3R2", "HUNT3R2", "aHVudDNyMg==", "68756e74337232"])
def test_a_short_secret_is_known_in_any_case_but_whole_alone(said: str) -> None:
    redactor = Redactor()
    redactor.learn("hunt3r2")
    redactor.learn("hunt")
    clean = redactor.text(f"a {said} b")
    assert MASK in clean
    assert said.lower() not in clean.lower()


def test_eight_characters_that_a_secret_shares_with_a_text_are_masked_and_seven_are_not() -> None:
    redactor = Redactor()
    redactor.learn("hunter2-of-machine")
    assert redactor.text("all machines, of machin") == "all machines, of machin"
    assert redactor.text("all-machines, of-machin") == f"all{MASK}s, {MASK}"


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("http://bob:pr0xy-Passw0rd@proxy:3128", "pr0xy-Passw0rd"),
        ("http://bob:pr0xy%2FPassw0rd@proxy:3128", "pr0xy/Passw0rd"),
        ("bob:pr0xy-Passw0rd@proxy:3128", "pr0xy-Passw0rd"),
    ],
)
def test_a_proxys_password_is_a_secret(url: str, password: str) -> None:
    redactor = Redactor()
    learn_proxies(redactor, {"HTTPS_PROXY": url, "NO_PROXY": "localhost", "HTTP_PROXY": "p:1"})
    basic = base64.b64encode(f"bob:{password}".encode()).decode()
    for said in (password, quote(password, safe=""), f"Basic {basic}"):
        clean = redactor.text(f"the proxy says {said}")
        assert MASK in clean
        assert survives(password, clean, [NAMED["base64"]]) is None


class Counted(Redactor):
    """Counts the characters that it reads: time, on a machine that has no noise."""

    read = 0

    def _spans(self, text: str, depth: int, left: list[int]) -> list[tuple[int, int]]:
        self.read += len(text)
        return super()._spans(text, depth, left)


UNITS = ["x", "\0", "%25", "&amp;", "\\", "\\u0041", "Mz", "zM", "33", "VQAJ", "12:", "0x41,", "a\n", "[],",
         "aGVsbG8gd29ybGQg", "&#0000000000", "\\u{00000000", "A" + " " * 30]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_the_time_to_mask_grows_as_the_text_does(unit: str) -> None:
    """Most is read of what is base64 from each digit on, and again."""
    for size in (4_000, 40_000):
        redactor = Counted()
        redactor.learn(SECRET)
        text = unit * (size // len(unit))
        redactor.spans(text)
        assert redactor.read <= 16 * len(text)


def test_many_interim_responses_are_passed_over_in_one_go() -> None:
    wire = b"HTTP/1.1 100 Continue\r\n\r\n" * 40_000 + b"HTTP/1.1 200 OK\r\n\r\nx"
    received = read("POST", wire, eof=True)
    assert received is not None
    redactor = Redactor()
    redactor.learn(SECRET)
    # Copying what is left after each of them would be forty thousand times a megabyte.
    assert Scrubber(redactor).wire(received) == (wire, None)


# --- in HTTP -----------------------------------------------------------------------------------


def parted(body: bytes, sizes: list[int], zeros: int, extension: bytes) -> bytes:
    """Return a body in chunks of some sizes, over and over."""
    out, at = b"", 0
    for size in cycle(sizes):
        piece, at = body[at : at + size], at + size
        if not piece:
            return out + b"0\r\n\r\n"
        out += b"0" * zeros + b"%x%b\r\n%b\r\n" % (len(piece), extension, piece)
    raise AssertionError("no sizes")


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "gzip, stored": lambda data: gzip.compress(data, 0),
    "deflate, stored": lambda data: zlib.compress(data, 0),
}
TOLD = {
    "as a content coding": b"Content-Encoding: %b\r\n",
    "as a transfer coding": b"Transfer-Encoding: %b\r\n",
    "as another": b"Content-Encoding: br, x%b\r\n",
    "nowhere": b"%.0b",
}
WAYS = [("", ""), *((packing, told) for packing in PACKINGS for told in TOLD)]


@st.composite
def wires(draw: st.DrawFn, text: str, packing: str, told: str) -> bytes:
    """Draw the bytes of a response that holds a text, whole or cut."""
    body, head = text.encode(), b"HTTP/1.1 404 Not Found\r\n"
    if packing:
        body = PACKINGS[packing](body)
        head += TOLD[told] % packing.split(",")[0].encode()
    if draw(st.booleans()):
        sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
        extension = draw(st.sampled_from([b"", b";a=b", b" ;x"]))
        head += b"Transfer-Encoding: chunked\r\n"
        rest = parted(body, sizes, draw(st.sampled_from([0, 1, 9, 30])), extension)
    else:
        size = draw(st.sampled_from([len(body), len(body) // 2, len(body) + 9]))
        head += b"Content-Length: %d\r\n" % size
        rest = body
    whole = head + b"\r\n" + rest
    cut = draw(st.integers(0, len(rest))) if draw(st.booleans()) else 0
    return whole[: len(whole) - cut]


def outputs(wire: bytes, redactor: Redactor, path: Any) -> tuple[str, str, str]:
    """Return the JSON report, the HAR file and the screen of a run that got one response."""
    received = read("POST", wire, eof=True)
    assert received is not None
    call = exchange(received)
    actual = f"{received.status}: {quoted(received.body)}"
    verdict = Verdict(CLAUSES[0], "violated", 1, (Evidence(call, "200", actual),))
    journal = Journal("thing", Exchanges([call]))
    result = result_of([(CONTRACT, journal, [verdict])], redactor=redactor)
    told = record(result, outcome_of(result))
    settings = Settings("http://127.0.0.1", "gate", 0, 0.0, result.started.isoformat())
    write(path, [journal], settings, "1", redactor)
    return json.dumps(told), path.read_text("utf-8"), screen(told)


def readings(output: str) -> Iterator[str]:
    """Return what a reader finds in an output: the text, what is base64 in it, chunks joined,
    packed data unpacked as far as that goes.
    """
    yield output
    for run in re.findall(r'"([A-Za-z0-9+/]{12,}={0,2})"', output):
        octets = base64.b64decode(run) if len(run) % 4 == 0 else b""
        tail = octets.partition(b"\r\n\r\n")[2] or octets
        joined = re.sub(rb"\r\n[0-9a-f]+ ?(;[^\r\n]*)?\r\n", b"", b"\r\n" + tail)
        for data in (octets, tail, joined, joined + octets):
            yield data.decode("latin-1")
            for bits in (31, 15):
                try:
                    yield zlib.decompressobj(bits).decompress(data).decode("latin-1")
                except zlib.error:
                    continue


@pytest.mark.parametrize(("packing", "told"), WAYS)
@given(SECRETS, st.lists(st.sampled_from(CODINGS[:-1]), max_size=1), st.data())
@settings(max_examples=15 if EVERY else 8, deadline=None)
def test_no_window_survives_in_any_output(
    tmp_path_factory: pytest.TempPathFactory,
    packing: str,
    told: str,
    secret: str,
    chain: list[Coding],
    data: st.DataObject,
) -> None:
    said = secret
    for coding in chain:
        said = coding.codes(said)
    text = f'{{"error": {{"code": "{said}", "message": "no"}}}}'
    wire = data.draw(wires(text, packing, told))
    redactor = Redactor()
    redactor.learn(secret)
    path = tmp_path_factory.getbasetemp() / "one.har"
    for name, output in zip(("json", "har", "screen"), outputs(wire, redactor, path), strict=True):
        for text in readings(output):
            assert survives(secret, text, [*chain, NAMED["JSON"]]) is None, (name, text)


@pytest.mark.parametrize(("packing", "told"), WAYS)
@given(st.data())
@settings(max_examples=3, deadline=None)
def test_outputs_without_the_secret_are_as_they_are_where_none_is_known(
    tmp_path_factory: pytest.TempPathFactory, packing: str, told: str, data: st.DataObject
) -> None:
    wire = data.draw(wires('{"error": {"code": "Nothing-Of-The-Kind"}}', packing, told))
    redactor = Redactor()
    redactor.learn(SECRET)
    path = tmp_path_factory.getbasetemp() / "one.har"
    assert outputs(wire, redactor, path) == outputs(wire, Redactor(), path)
