"""Faults of other spellings of the route: what a router takes for it, and what it lets through."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Change, Fault, always, breaks
from cancel_contracts.mock.kit import Reads

# name -> what it is, how such a path is read
SPELLINGS: dict[str, tuple[str, Reads]] = {
    "trailing-slash": ("a slash at its end", lambda path: path.rstrip(b"/")),
    "doubled-slash": ("a doubled slash", lambda path: re.sub(rb"/{2,}", b"/", path)),
    "dot-segment": ("a dot segment", lambda path: re.sub(rb"(?i)/(\.|%2e)(?=/|$)", b"", path)),
    "parameter": ("a parameter after a semicolon", lambda path: re.sub(rb";[^/]*", b"", path)),
    "encoded-letters": (
        "encoded letters",
        lambda path: re.sub(
            rb"(?i)%(4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])",
            lambda m: unquote_to_bytes(m[0]),
            path,
        ),
    ),
    "up-and-down": ("a step up", lambda path: re.sub(rb"/[^/.]+/\.\.(?=/)", b"", path)),
    "matrix-extension": ("a suffix", lambda path: re.sub(rb"\.(json|xml|html)$", b"", path)),
}  # fmt: skip


def respelled(desk: Desk, call: Call) -> bool:
    """The path was not written as the template has it."""
    path = re.sub(rb"(?i)^https?://[^/]*", b"", call.target.partition(b"?")[0])
    return bool(desk.reroute(path) != path)


def to_the_anonymous(reads: Reads) -> Change:
    """Take such a path for the route, and for one that needs no token."""

    def change(desk: Desk) -> None:
        kit.read_as(reads)(desk)
        kit.forgive("anonymous", when=respelled)(desk)

    return change


def failing(reads: Reads) -> Change:
    """Take such a path for the route, and fail at it."""

    def change(desk: Desk) -> None:
        kit.read_as(reads)(desk)
        kit.refuse("method", respelled, 500)(desk)

    return change


def any_case(desk: Desk) -> None:
    """Compare the path without case, and ask for a token only where it is as documented."""
    to_the_anonymous(kit.any_case(desk.contract.path))(desk)


def fault(name: str, says: str, change: Change, facets: str, applies: Applies) -> Fault:
    broken = (breaks(facets, identity="anonymous"),)
    return Fault(name, "paths", says, broken, applies, change)


FAULTS: tuple[Fault, ...] = (
    *(fault(f"path-with-{name}-needs-no-token", f"A path with {what} needs no token.",
            to_the_anonymous(reads), "status effect", entry.tokens)
      for name, (what, reads) in SPELLINGS.items()),
    *(fault(f"path-with-{name}-answered-500", f"A path with {what} is answered 500.",
            failing(reads), "status", always)
      for name, (what, reads) in SPELLINGS.items() if name in ("trailing-slash", "parameter")),
    fault("path-in-another-case-needs-no-token", "A path in capitals needs no token.", any_case,
          "status effect", entry.tokens),
)  # fmt: skip
