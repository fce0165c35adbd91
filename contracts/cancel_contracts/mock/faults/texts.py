"""Faults of texts and JSON that a dictionary holds: dates, meaningful words, sizes, forms."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, breaks
from cancel_contracts.mock.faults.entity import kept_as
from cancel_contracts.mock.faults.kinds import said, texts

COLUMN = 65_535  # octets that a text column holds


def only(pattern: str, make: Callable[[str], object]) -> Change:
    """Keep something else for texts in which a pattern is found."""
    return kept_as(lambda desk, text: make(text) if re.search(pattern, text) else text)


def cut_at_octets(text: str) -> str:
    return text.encode("utf-8", "surrogatepass")[:COLUMN].decode("utf-8", "ignore")


def long(desk: Desk, call: Call) -> bool:
    return any(len(text) > 500_000 for text in texts(said(desk, call)))


def surrogate(desk: Desk, call: Call) -> bool:
    return any(0xD800 <= ord(c) < 0xE000 for text in texts(said(desk, call)) for c in text)


def nul(desk: Desk, call: Call) -> bool:
    return any("\0" in text for text in texts(said(desk, call)))


def indented(desk: Desk, call: Call) -> bool:
    return b"\n" in call.body.strip()


def newline_after(desk: Desk, call: Call) -> bool:
    return call.body[-1:] == b"\n"


def escaped_name(desk: Desk, call: Call) -> bool:
    """A name of the body is written with an escape."""
    return re.search(rb'\\u00[0-9a-fA-F]{2}[^"]*"\s*:', call.body) is not None


def escaped_text(desk: Desk, call: Call) -> bool:
    return b"\\u" in call.body


def marked(desk: Desk, call: Call) -> bool:
    return call.body[:3] == b"\xef\xbb\xbf"


def doubled(desk: Desk, call: Call) -> bool:
    """A name comes twice."""
    found: list[bool] = []

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        found.append(len(dict(items)) < len(items))
        return dict(items)

    try:
        json.loads(call.body.decode("utf-8"), object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return False
    return any(found)


def reordered(desk: Desk, call: Call) -> bool:
    """The names come in another order than documented."""
    value = said(desk, call)
    documented = [list(body) for body in desk.contract.bodies.values() if isinstance(body, dict)]
    return isinstance(value, dict) and len(value) > 1 and (
        any(list(value) != names and set(value) == set(names) for names in documented))  # fmt: skip


def fault(
    name: str, says: str, broken: Breaks, change: Change, applies: Applies = entry.records
) -> Fault:
    return Fault(name, "texts", says, (broken,), applies, change)


TEXT = breaks("entity", "recorded", body="json valid")
SERVED = breaks("status effect", body="documented json valid")
FAULTS: tuple[Fault, ...] = (
    fault("text-like-a-date-rewritten", "A text that looks like a date is written as one.", TEXT,
          only(r"^\d{4}-\d\d-\d\d", lambda text: re.sub(r"T.*", "T00:00:00Z", text) + " ")),
    fault("text-zero-lost", "The text 0 is taken for nothing.", TEXT,
          only(r"^0$", lambda text: None)),
    fault("text-false-lost", "The text false is taken for nothing.", TEXT,
          only(r"^(false|False)$", lambda text: None)),
    fault("text-null-lost", "The text null is taken for nothing.", TEXT,
          only(r"^(null|None|undefined)$", lambda text: None)),
    fault("text-with-a-variable-expanded", "A text with a variable in braces is expanded.", TEXT,
          only(r"\$\{", lambda text: re.sub(r"\$\{.*?\}", "", text))),
    fault("text-with-a-template-expanded", "A text with a template in double braces is expanded.",
          TEXT, only(r"\{\{", lambda text: re.sub(r"\{\{.*?\}\}", "", text))),
    fault("text-with-a-percent-expanded", "A text with %s or %d is filled in.", TEXT,
          only(r"%[sd]", lambda text: re.sub(r"%[sd]", "0", text))),
    fault("text-cut-at-nul", "A text ends at a NUL.", breaks("entity", "recorded", body="nul"),
          only("\0", lambda text: text.partition("\0")[0])),
    fault("text-nul-answered-500", "A NUL in a text is answered 500.",
          breaks("status", body="nul"), kit.refuse("effect", nul, 500)),
    fault("text-lone-surrogate-answered-500", "A lone surrogate in a text is answered 500.",
          breaks("status", body="surrogate"), kit.refuse("effect", surrogate, 500)),
    fault("text-line-ends-changed", "CR LF in a text becomes LF.", TEXT,
          only("\r\n", lambda text: text.replace("\r\n", "\n"))),
    fault("text-cut-at-65535", "A text is cut at 65,535 octets.", TEXT,
          kept_as(lambda desk, text: cut_at_octets(text))),
    fault("text-of-a-million-answered-500", "A text of a million characters is answered 500.",
          SERVED, kit.refuse("effect", long, 500)),
    fault("text-marks-dropped", "Marks that show nothing are taken out of a text.", TEXT,
          only("[\u200b\u200e\u202e\ufeff]", lambda text: re.sub(
              "[\u200b\u200e\u202e\ufeff]", "", text))),
    fault("json-indented-refused", "JSON over several lines is refused.", SERVED,
          kit.refuse("body", indented, 400), entry.takes_body),
    fault("json-with-a-newline-after-refused", "JSON with a newline after it is refused.", SERVED,
          kit.refuse("body", newline_after, 400), entry.takes_body),
    fault("json-escaped-name-not-read", "A name with an escape is not read.",
          breaks("entity", "recorded", body="documented json valid"),
          kept_as(lambda desk, text: None, escaped_name)),
    fault("json-escaped-text-answered-500", "A text with an escape is answered 500.", SERVED,
          kit.refuse("body", escaped_text, 500), entry.takes_body),
    fault("json-reordered-refused", "Names in another order are refused.", SERVED,
          kit.refuse("body", reordered, 400), entry.owner_bodies),
    fault("json-with-a-mark-answered-500", "JSON after a byte order mark is answered 500.",
          breaks("status", body="marked"), kit.refuse("media", marked, 500),
          entry.takes_body),
    fault("json-with-a-name-twice-answered-500", "A name that comes twice is answered 500.",
          breaks("status", body="doubled"), kit.refuse("media", doubled, 500),
          entry.takes_body),
)  # fmt: skip
