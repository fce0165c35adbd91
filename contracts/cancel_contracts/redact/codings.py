"""What a text says once a coding is undone: escapes, base64, hexadecimal. Pure.

A `View` is the text so read, and knows where each stretch of it stood in the coded text. Whoever
searches a text for a secret searches its views too, and the views of these. Must not know what is
searched for.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from html.entities import html5
from typing import NamedTuple

Span = tuple[int, int]

# As URLs (%2F), JSON and C (\u002f, \/, \x2f, \057, \u{2f}) and HTML (&#47; &#x2f; &sol;) escape a
# character. A NUL is what UTF-16 puts beside each character of ASCII.
# All begin with a MARK, and the expression says so first: what is none is then passed over fast.
ESCAPE = re.compile(
    r"[%\\&\0](?:"
    r"(?<=%)(?:(?P<url>[0-9a-f]{2})|u(?P<percent>[0-9a-f]{4}))"
    r"|(?<=\\)(?:(?-i:U)(?P<wide>[0-9a-f]{8})|u(?P<uni>[0-9a-f]{4})"
    r"|u\{0{0,8}(?P<brace>[0-9a-f]{1,6})\}|x(?P<oct>[0-9a-f]{2})|(?P<digits>[0-7]{3})"
    r"|(?P<line>[nrt])|(?P<bare>[^ux\s\w\0]))"
    r"|(?<=&)(?:#0{0,8}(?P<ten>\d{1,7});?|#x0{0,8}(?P<web>[0-9a-f]{1,6});?|(?P<name>[a-z]{2,31});)"
    r"|(?<=\0)(?P<nul>))",
    re.IGNORECASE,
)
BASE = {"ten": 10, "digits": 8}
MARKS = ("%", "\\", "&", "\0")
# Between the digits of two octets: 73:65, 73 65, 0x73, 0x65.
BETWEEN = r"(?:[ \t\r\n:,;._|-]{0,4}(?:0x)?)"
NO_DIGIT = re.compile(r"(?<![0-9a-f])0x|[^0-9a-f]", re.IGNORECASE)
# Octets that a text may hold: printable ASCII and white space, the NUL of UTF-16; and UTF-8's.
NARROW = bytes(ord("t") if c in b"\0\t\n\r" or 32 <= c < 127 else ord("-") for c in range(256))
WIDE = bytes(ord("t") if 128 <= c < 245 else NARROW[c] for c in range(256))
# What runs of base64 and of hexadecimal consist of. An expression looks for a run that begins in
# each place; whether there is one at all is told many times as fast.
IN_BASE64 = bytes(
    ord("t") if (chr(c).isalnum() and c < 128) or c in b"+/-_ \t\r\n" else 0 for c in range(256)
)
IN_HEXADECIMAL = bytes(
    ord("t") if c in b"0123456789abcdefABCDEFxX \t\r\n:,;._|-" else 0 for c in range(256)
)
TO_STANDARD = str.maketrans("-_", "+/")  # base64url (RFC 4648 5)


@dataclass(frozen=True)
class View:
    """A text without its coding. `place` tells where a stretch of it stood in the coded text."""

    text: str
    place: Callable[[Span], Span]


class Sought(NamedTuple):
    """What is searched for: so many characters at `least`; where `wide`, also beyond ASCII."""

    least: int
    wide: bool = False


def views(text: str, sought: Sought) -> Iterator[View]:
    """Yield what a text says in each coding in which what is sought may stand.

    Most of what base64 can be read from are words that are none. Of what comes out the stretches
    that are text are yielded, each for itself.
    """
    if any(mark in text for mark in MARKS) and (found := unescaped(text)):
        yield found
    octets = text.encode("latin-1", "replace")  # a character beyond is in no run
    if b"t" * _digits(sought.least) in octets.translate(IN_BASE64):
        for run in _base64(sought.least).finditer(text):
            yield from _from_base64(text, run.span(), sought)
    if b"t" * (2 * sought.least) in octets.translate(IN_HEXADECIMAL):
        for run in _hexadecimal(sought.least).finditer(text):
            yield from _from_hexadecimal(text, run.span(), sought)


def coded(text: str, sought: Sought) -> list[Span]:
    """Return the stretches of a text that `views` would read in another way."""
    runs = (ESCAPE, _base64(sought.least), _hexadecimal(sought.least))
    return [found.span() for run in runs for found in run.finditer(text)]


def unescaped(text: str) -> View | None:
    """Return a text with its escapes undone, once; None where it has none."""
    plain = ESCAPE.sub(_plain, text)
    if plain == text:
        return None
    # Where each escape begins in the plain text, how much it is there, and where it stood.
    escapes: list[tuple[int, int, int, int]] = []

    def place(span: Span) -> Span:
        if not escapes:
            at = end = 0
            for found in ESCAPE.finditer(text):
                at += found.start() - end
                end, size = found.end(), len(_plain(found))
                escapes.append((at, size, found.start(), end))
                at += size
        return _stood(escapes, span[0])[0], _stood(escapes, span[1] - 1)[1]

    return View(plain, place)


def _stood(escapes: list[tuple[int, int, int, int]], at: int) -> Span:
    """Return where the character at a place of the plain text stood."""
    index = bisect_right(escapes, at, key=lambda escape: escape[0]) - 1
    if index < 0:
        return at, at + 1
    start, size, begin, end = escapes[index]
    if at < start + size:
        return begin, end
    return end + at - start - size, end + at - start - size + 1


def _plain(found: re.Match[str]) -> str:
    """Return what an escape stands for."""
    kind = found.lastgroup or ""
    said = found[kind]
    if kind == "bare":
        return said
    if kind == "line":
        return "\n"
    if kind == "nul":
        return ""
    if kind == "name":
        return html5.get(f"{said};") or html5.get(f"{said.lower()};") or found[0]
    code = int(said, BASE.get(kind, 16))
    return chr(code) if code < 0x110000 else "\0"


def _digits(octets: int) -> int:
    """Return how many digits of base64 so many octets take."""
    return (octets * 8 + 5) // 6


@lru_cache
def _base64(least: int) -> re.Pattern[str]:
    """Return what matches base64 of `least` octets or more, over several lines too."""
    inner = _digits(least) - 2
    return re.compile(rf"[A-Za-z0-9+/_-][A-Za-z0-9+/_\- \t\r\n]{{{inner},}}[A-Za-z0-9+/_-]")


def _from_base64(text: str, run: Span, sought: Sought) -> Iterator[View]:
    """Yield what a run says, read from its first, second, third and fourth digit on."""
    begin, end = run
    digits = text[begin:end]
    parted = any(c in digits for c in " \t\r\n")
    packed = "".join(digits.split()) if parted else digits
    packed = packed.translate(TO_STANDARD)
    for shift in range(4):
        size = len(packed) - shift
        size -= size % 4 == 1  # six bits are no octet
        octets = binascii.a2b_base64(packed[shift : shift + size] + "=" * (-size % 4))

        def place(span: Span, shift: int = shift) -> Span:
            first, last = span[0], span[1] - 1
            low = shift + first // 3 * 4 + first % 3
            high = shift + last // 3 * 4 + last % 3 + 1
            if parted:
                places = [at for at, digit in enumerate(digits) if not digit.isspace()]
                low, high = places[low], places[high]
            return begin + low, begin + high + 1

        yield from _stretches(octets, sought, place)


@lru_cache
def _hexadecimal(least: int) -> re.Pattern[str]:
    octet = "[0-9a-f]{2}"
    return re.compile(rf"{octet}(?:{BETWEEN}{octet}){{{least - 1},}}[0-9a-f]?", re.IGNORECASE)


def _from_hexadecimal(text: str, run: Span, sought: Sought) -> Iterator[View]:
    """Yield what a run says, read from its first and from its second digit on."""
    begin, end = run
    written = text[begin:end]
    digits = NO_DIGIT.sub("", written)
    for shift in range(2):
        size = (len(digits) - shift) // 2 * 2
        octets = bytes.fromhex(digits[shift : shift + size])

        def place(span: Span, shift: int = shift) -> Span:
            low, high = shift + 2 * span[0], shift + 2 * span[1] - 1
            if digits != written:
                blank = NO_DIGIT.sub(lambda found: " " * len(found[0]), written)
                places = [at for at, digit in enumerate(blank) if digit != " "]
                low, high = places[low], places[high]
            return begin + low, begin + high + 1

        yield from _stretches(octets, sought, place)


def _stretches(octets: bytes, sought: Sought, place: Callable[[Span], Span]) -> Iterator[View]:
    """Yield what of some octets is text."""
    marks = octets.translate(WIDE if sought.wide else NARROW)
    if b"t" * sought.least not in marks:
        return
    for found in re.finditer(b"t{%d,}" % sought.least, marks):
        start, end = found.span()

        def inner(span: Span, start: int = start) -> Span:
            return place((start + span[0], start + span[1]))

        yield View(octets[start:end].decode("latin-1"), inner)
