"""Faults of what stands on no list: texts, bodies and ids that only a draw happens upon."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, always, breaks
from cancel_contracts.mock.faults.entity import kept_as
from cancel_contracts.mock.faults.kinds import said

ASTRAL = 0x20000  # ideographs that are seldom met


def rewritten(pattern: str, by: str) -> Change:
    return kept_as(lambda desk, text: re.sub(pattern, by, text))


def without_astral(desk: Desk, text: str) -> str:
    return "".join(c for c in text if ord(c) < ASTRAL)


def odd_name(desk: Desk, call: Call) -> bool:
    """A name of the body is not of letters."""
    value = said(desk, call)
    return isinstance(value, dict) and any(re.search(r"[^\w@.]", name) for name in value)


def ill_encoded(desk: Desk, call: Call) -> bool:
    """The octets of an id are no UTF-8, and not a few."""
    octets = unquote_to_bytes(call.raw_id)
    return len(octets) > 4 and octets.decode("utf-8", "ignore").encode() != octets


def fault(
    name: str, says: str, broken: Breaks, change: Change, applies: Applies = entry.records
) -> Fault:
    return Fault(name, "drawn", says, (broken,), applies, change)


TEXT = breaks("entity", "recorded", body="text valid")
FAULTS: tuple[Fault, ...] = (
    fault("drawn-latin-extended-lost", "Letters such as Ĥ and ŧ become question marks.", TEXT,
          rewritten("[\u0100-\u017f]", "?")),
    fault("drawn-latin-1-signs-lost", "Signs such as § and ¬ are taken out of a text.", TEXT,
          rewritten("[\u00a1-\u00bf]", "")),
    fault("drawn-seldom-ideographs-lost", "Ideographs that are seldom met are lost.", TEXT,
          kept_as(without_astral)),
    fault("drawn-caret-or-bar-answered-500", "A text with a caret or a bar is answered 500.",
          breaks("status effect", body="text valid"),
          kit.refuse("effect", lambda d, c: re.search(rb"[\^|]", c.body) is not None, 500)),
    fault("drawn-name-of-no-letters-answered-500", "An odd name in the body is answered 500.",
          breaks("status effect", body="valid invalid"), kit.refuse("find", odd_name, 500)),
    fault("drawn-id-of-many-odd-octets-answered-500",
          "Many octets that are no UTF-8, for an id, are answered 500.",
          breaks("status", resource="odd", id="raw"), kit.refuse("find", ill_encoded, 500), always),
)  # fmt: skip
