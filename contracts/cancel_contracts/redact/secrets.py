"""Secrets, kept out of everything that is written.

`Redactor` is told each secret as it is read and is asked by every writer. It masks whatever eight
characters in a row are a secret's, in either case: so a secret that somebody has cut short or
parted is masked as far as it stands. It looks into each coding that `codings` undoes, and into what
is coded within, to a depth at which the coded stretch is masked whole.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from cancel_contracts.redact.codings import Sought, Span, coded, views

MASK = "[redacted]"
WINDOW = 8  # characters of a secret in a row; fewer are told by accident
# A text is searched for the first characters of windows, at each fourth place alone: of any eight
# characters in a row five begin at such a place.
STEP, SAMPLE = 4, 5
# A text of octets is first asked, many times as fast, whether one of its blocks of STEP is theirs
# at all: of any eight characters in a row one such block is whole.
SHORTEST = 4  # a shorter secret would tear words apart
DEEPEST = 8  # codings within one another
# What is read of all views of a text, in characters of the text: base64 can be read from four
# places on, and each of these again.
READ_TIMES, READ_CHARS = 64, 8192
KNOWN_CHARS, KNOWN_TEXTS = 4096, 4096  # of texts that need not be searched again
LOWER = {ord(c): c.lower() for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


class Redactor:
    """Replaces every known secret by a mask, those of fewer than eight characters where they stand
    whole, of fewer than four not at all.
    """

    def __init__(self) -> None:
        self._windows: set[str] = set()  # in lower case, as all here
        self._samples: set[str] = set()
        self._blocks: set[int] = set()
        self._short: tuple[str, ...] = ()
        self._sought = Sought(WINDOW)
        self._done: dict[str, str] = {}  # short texts come again and again
        self._heard: list[str] = []  # secrets that are still to be taken apart
        self._lock = threading.Lock()

    def learn(self, secret: str) -> str:
        """Take note of a secret and return it. It is taken apart when somebody asks next: runs mint
        a hundred tokens, and not every run writes.
        """
        with self._lock:
            self._heard.append(secret)
            self._done = {}
        return secret

    def _take_in(self) -> None:
        while self._heard:
            with self._lock:
                for secret in self._heard:
                    self._take(secret)
                self._heard = []  # only now: until then everybody waits

    def _take(self, secret: str) -> None:
        # The first and last line of a key in PEM are no secret.
        lines = [x.strip() for x in secret.splitlines() if not x.startswith("-----")]
        word = "".join(lines)
        # As bytes are searched as Latin-1, a secret beyond ASCII has two faces.
        for face in {_lower(word), _lower(word.encode("utf-8", "replace").decode("latin-1"))}:
            if SHORTEST <= len(face) < WINDOW and face not in self._short:
                self._short = (*self._short, face)
                self._sought = self._sought._replace(least=min(map(len, self._short)))
            self._windows.update(face[i : i + WINDOW] for i in range(len(face) - WINDOW + 1))
            self._samples.update(face[i : i + SAMPLE] for i in range(len(face) - SAMPLE + 1))
            for at in range(STEP):
                self._blocks.update(_blocks(face[at:].encode("latin-1", "replace")))
        if not word.isascii():
            self._sought = self._sought._replace(wide=True)

    def text(self, text: str) -> str:
        """Return a text with every secret masked."""
        self._take_in()
        if len(text) < self._sought.least:
            return text
        done = self._done
        if (known := done.get(text)) is not None:
            return known
        spans = self.spans(text)
        clean = _masked(text, spans) if spans else text
        if len(text) <= KNOWN_CHARS and len(done) < KNOWN_TEXTS:
            done[text] = clean
        return clean

    def bytes(self, data: bytes) -> bytes:
        text = data.decode("latin-1")
        clean = self.text(text)
        return data if clean is text else clean.encode("latin-1")

    def data(self, value: Any) -> Any:
        """Return JSON data with every secret masked in its texts and names."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(name)): self.data(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(item) for item in value]
        return value

    def spans(self, text: str) -> list[Span]:
        """Return where secrets stand, in order and apart from one another."""
        self._take_in()
        if not self._windows and not self._short:
            return []
        return _apart(self._spans(text, 0, [READ_CHARS + READ_TIMES * len(text)]))

    def _spans(self, text: str, depth: int, left: list[int]) -> list[Span]:
        """Return where secrets stand in a text and its views. `left` characters are to be read."""
        left[0] -= len(text)
        spans = self._plain(text)
        if depth == DEEPEST or left[0] < 0:
            return spans + coded(text, self._sought)
        for view in views(text, self._sought):
            spans += map(view.place, _apart(self._spans(view.text, depth + 1, left)))
        return spans

    def _plain(self, text: str) -> list[Span]:
        """Return where secrets stand as they are."""
        low = _lower(text)
        try:
            candidate = not self._blocks.isdisjoint(_blocks(low.encode("latin-1")))
        except UnicodeEncodeError:
            candidate = True
        spans = self._windows_of(low) if candidate else []
        for word in self._short:
            at = low.find(word)
            while at >= 0:
                spans.append((at, at + len(word)))
                at = low.find(word, at + len(word))
        return spans

    def _windows_of(self, low: str) -> list[Span]:
        windows, samples, last = self._windows, self._samples, len(low) - WINDOW
        return [
            (begin, begin + WINDOW)
            for at in range(0, len(low) - SAMPLE + 1, STEP)
            if low[at : at + SAMPLE] in samples
            for begin in range(max(at + SAMPLE - WINDOW, 0), min(at, last) + 1)
            if low[begin : begin + WINDOW] in windows
        ]


def learn_proxies(redactor: Redactor, environ: Mapping[str, str]) -> None:
    """Take note of the passwords of the proxies that an environment names."""
    for name, value in environ.items():
        if name.lower().endswith("_proxy"):
            user, _, _ = value.rpartition("@")
            password = user.rpartition("//")[2].partition(":")[2]
            for word in {password, unquote(password)}:
                redactor.learn(word)


def _blocks(octets: bytes) -> memoryview[int]:
    """Return octets as numbers of STEP octets each; what is left at the end is left out."""
    return memoryview(octets)[: len(octets) // STEP * STEP].cast("I")


def _lower(text: str) -> str:
    """Return a text in lower case and of the same length."""
    if text.isascii():
        return text.lower()
    try:
        return text.encode("latin-1").lower().decode("latin-1")
    except UnicodeEncodeError:
        return text.translate(LOWER)


def _apart(spans: list[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined


def _masked(text: str, spans: list[Span]) -> str:
    pieces, at = [], 0
    for begin, end in spans:
        pieces += [text[at:begin], MASK]
        at = end
    return "".join((*pieces, text[at:]))
