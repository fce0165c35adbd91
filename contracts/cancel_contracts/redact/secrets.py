"""Secrets, kept out of everything that is written.

`Redactor` is told each secret as it is read and is asked by every writer. It knows the forms in
which a target may send a secret back: as it is, in either case, in base64 and hexadecimal, escaped
as in URLs, JSON and HTML, once or twice, and cut short at the end.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

MASK = "[redacted]"
Spans = list[tuple[int, int]]
FOLDED_CHARS = 8  # from this length on a secret is known in any case
KNOWN_CHARS, KNOWN_TEXTS = 4096, 4096  # of texts that need not be searched again
CUT_CHARS = 8  # of a secret that was cut short; less of it is there by accident
ESCAPED_TIMES = 3  # %252541, \\u005cu0041: an escape may be escaped in turn
LOWER = {ord(c): c.lower() for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
MARKS = ("%", "\\", "&")
NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "sol": "/", "plus": "+"}
NAMED |= {"equals": "=", "period": ".", "lowbar": "_", "hyphen": "-", "dash": "-"}
# As URLs (%2F), JSON (\\u002f, \\/), C (\\x2f) and HTML (&#47; &#x2f; &sol;) escape a character.
ESCAPE = re.compile(
    r"%(?P<url>[0-9a-f]{2})|\\u(?P<uni>[0-9a-f]{4})|\\x(?P<oct>[0-9a-f]{2})|\\(?P<bare>[^ux\s\w])"
    rf"|&#(?P<ten>\d{{1,7}});|&#x(?P<web>[0-9a-f]{{1,6}});|&(?P<name>{'|'.join(NAMED)});",
    re.IGNORECASE,
)


class Redactor:
    """Replaces every known secret by a mask. Shorter ones than four characters would tear words
    apart, and those of less than eight are known in their own case only.
    """

    def __init__(self) -> None:
        self._exact: dict[str, None] = {}
        self._folded: dict[str, None] = {}  # in lower case
        self._shortest = 2**31  # characters of the shortest form: most texts are shorter
        self._done: dict[str, str] = {}  # short texts come again and again

    def learn(self, secret: str) -> str:
        """Take note of a secret and return it."""
        if len(secret) < 4:
            return secret
        lines = [line for line in secret.splitlines() if not line.startswith("-----")]
        parts = [*secret.split("."), *lines]  # of a JWT, of a key in PEM
        exact: set[str] = set()
        folded: set[str] = set()
        for word in {secret, *(part for part in parts if len(part) >= 16)}:
            # As bytes are searched as Latin-1, a secret beyond ASCII has two faces.
            for face in {word, word.encode().decode("latin-1")}:
                (folded if len(face) >= FOLDED_CHARS else exact).add(face)
        exact.add("\0".join(secret))  # UTF-16
        folded.add(secret.encode().hex())
        for shift in range(3):
            # Inside a longer text base64 shifts by its place: leave out the characters that
            # neighbours change.
            coded = base64.b64encode(b"\0" * shift + secret.encode()).decode().rstrip("=")
            coded = coded[(0, 2, 3)[shift] : -1]
            exact |= {coded, coded.replace("+", "-").replace("/", "_")}
        # New ones each time: another thread may be searching the old.
        self._exact = self._exact | dict.fromkeys(sorted(form for form in exact if len(form) >= 4))
        self._folded = self._folded | dict.fromkeys(
            sorted(_lower(form) for form in folded if len(form) >= 4)
        )
        self._shortest = min(map(len, (*self._exact, *self._folded)))
        self._done = {}
        return secret

    def text(self, text: str) -> str:
        """Return a text with every secret masked, also one that its end cuts short."""
        if len(text) < min(self._shortest, CUT_CHARS):
            return text
        done = self._done
        if (known := done.get(text)) is not None:
            return known
        spans = self._spans(text)
        if any(mark in text for mark in MARKS):
            spans += _found_escaped(text, self._spans)
        clean = _masked(text, spans) if spans else text
        if len(text) <= KNOWN_CHARS and len(done) < KNOWN_TEXTS:
            done[text] = clean
        return clean

    def bytes(self, data: bytes) -> bytes:
        text = data.decode("latin-1")
        clean = self.text(text)
        return data if clean is text else clean.encode("latin-1")

    def _spans(self, text: str) -> Spans:
        """Return where secrets stand, unescaped."""
        spans: Spans = []
        for forms, where in ((self._exact, text), (self._folded, _lower(text))):
            for form in forms:
                if form[:CUT_CHARS] not in where:
                    continue
                at = where.find(form)
                while at >= 0:
                    spans.append((at, at + len(form)))
                    at = where.find(form, at + len(form))
                if cut := _cut_short(form, where):
                    spans.append((len(where) - cut, len(where)))
        return spans


def _lower(text: str) -> str:
    """Return a text in lower case and of the same length."""
    return text.lower() if text.isascii() else text.translate(LOWER)


def _cut_short(form: str, text: str) -> int:
    """Return how many characters of a secret stand at the end of a text that was cut there."""
    begins = form[:CUT_CHARS]
    if len(form) <= CUT_CHARS or begins not in text[-len(form) :]:
        return 0
    longest = min(len(form) - 1, len(text))
    sizes = range(longest, CUT_CHARS - 1, -1)
    return next((size for size in sizes if text.endswith(form[:size])), 0)


def _plain(found: re.Match[str]) -> str:
    """Return the character that an escape stands for."""
    kind, said = found.lastgroup, found.group(found.lastgroup or 0)
    if kind == "bare":
        return said
    if kind == "name":
        return NAMED[said.lower()]
    code = int(said, 10 if kind == "ten" else 16)
    return chr(code) if code < 0x110000 else "\0"


def _found_escaped(text: str, spans: Callable[[str], Spans]) -> Spans:
    """Return where secrets stand once escapes are undone, each of whatever kind, up to thrice."""
    found: Spans = []
    rounds = [text]
    while len(rounds) <= ESCAPED_TIMES and (plain := ESCAPE.sub(_plain, rounds[-1])) != rounds[-1]:
        if seen := spans(plain):
            starts = None
            for escaped in rounds:
                starts = _starts(escaped, starts)
            assert starts is not None
            found += [(starts[begin], starts[end]) for begin, end in seen]
        rounds.append(plain)
    return found


def _starts(text: str, before: list[int] | None) -> list[int]:
    """Return for each character of a text without its escapes where it began, and the end."""
    starts: list[int] = []
    at = 0
    for match in ESCAPE.finditer(text):
        starts += range(at, match.start() + 1)
        at = match.end()
    starts += range(at, len(text) + 1)
    return starts if before is None else [before[start] for start in starts]


def _masked(text: str, spans: Spans) -> str:
    pieces, at = [], 0
    for begin, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if begin >= at:
            pieces += [text[at:begin], MASK]
        at = max(at, end)
    return "".join((*pieces, text[at:]))
