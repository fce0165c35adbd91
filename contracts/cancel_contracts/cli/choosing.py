"""What the flags of several commands choose: clauses, and readings of contradictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cancel_contracts.errors import UsageError

if TYPE_CHECKING:
    from cancel_contracts.contract.model import Contract


def chosen(
    contracts: Sequence[Contract], flags: dict[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Take what selects clauses out of a command's flags: return what to keep to (none: all), and
    what to leave out.
    """
    from cancel_contracts.contract.choice import Choice, selected

    return selected(contracts, Choice(**{f: flags.pop(f) for f in Choice.__dataclass_fields__}))


def pinned_dialects(
    contracts: Sequence[Contract], values: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return the dialects pinned by `--dialect CONTRACT=DIALECT`, by contract."""
    from cancel_contracts.contract.edition import times

    pinned: dict[str, tuple[str, ...]] = {}
    for value in values:
        name, _, dialect = value.partition("=")
        contract = next((c for c in contracts if c.name == name), None)
        if contract is None:
            names = ", ".join(c.name for c in contracts)
            raise UsageError(
                "--dialect",
                f"no contract is named {name!r}",
                f"write CONTRACT=DIALECT with one of {names}",
            )
        known = {d.name: d.of for d in contract.dialects}
        if dialect not in known:
            fix = f"use one of {', '.join(known)}" if known else "it has no dialects"
            if told := next((times(d) for d in contract.whole.dialects if d.name == dialect), ""):
                fix = f"it is of editions {told}: see --edition"
            raise UsageError("--dialect", f"{name} has no dialect {dialect!r}", fix)
        if any(
            known[other] == known[dialect] and other != dialect for other in pinned.get(name, ())
        ):
            raise UsageError(
                "--dialect", f"{dialect} excludes another one pinned", "pin one of them"
            )
        pinned[name] = (*pinned.get(name, ()), dialect)
    return pinned
