"""Faults of ids that are nearly right: cut, longer, written in another way."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from cancel_contracts.mock import kit
from cancel_contracts.mock.call import Call, Refusal
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Change, Fault, always, breaks
from cancel_contracts.mock.store import Resource


def found_by(alike: Callable[[str, str], bool]) -> Change:
    """Find a resource by an id that is like its own."""

    def change(desk: Desk) -> None:
        exact = desk.lookup

        def lookup(call: Call) -> Resource:
            try:
                return exact(call)
            except Refusal as refusal:
                asked = unquote_to_bytes(call.raw_id).decode("utf-8", "replace")
                near = [r for r in desk.store if asked and alike(asked, r.id)]
                if not near or refusal.why not in ("unknown", "odd-id"):
                    raise
                return near[-1]

        desk.lookup = lookup  # type: ignore[method-assign]

    return change


def no_utf8(desk: Desk, call: Call) -> bool:
    return re.search(rb"(?i)%(ff|fe|c0|80)", call.raw_id) is not None


def fault(name: str, says: str, change: Change) -> Fault:
    return Fault(name, "nearly right", says, ID, always, change)


# Whoever finds a resource by another id answers as done, and strikes what no call names.
ID = (breaks("status", resource="odd unknown"), breaks("neighbour"))
FAULTS: tuple[Fault, ...] = (
    *(fault(f"id-{name}-accepted", f"An id that is {what} finds the resource.",
            found_by(alike))
      for name, what, alike in (
          ("cut", "cut off", lambda asked, id_: len(asked) > 7 and id_.startswith(asked)),
          ("longer", "longer than its own", lambda asked, id_: asked.startswith(id_)),
          ("of-a-like-beginning", "alike in all but its last digits", lambda asked, id_: (
              len(asked) == len(id_) > 8 and asked[:-6] == id_[:-6])),
          ("as-a-pattern", "a pattern", lambda asked, id_: "*" in asked and (
              id_.startswith(asked.partition("*")[0]))),
          ("encoded-twice", "encoded twice", lambda asked, id_: (
              "%" in asked and unquote_to_bytes(asked).decode("latin-1") == id_)),
          ("with-a-nul", "followed by a NUL", lambda asked, id_: (
              "\0" in asked and asked.partition("\0")[0] == id_)))),
    fault("id-that-is-no-utf-8-answered-500", "Octets that are no UTF-8 are answered 500.",
          kit.refuse("method", no_utf8, 500)),
)  # fmt: skip
