"""What `--record` adds to a HAR file is of the types it was written with. Pure.

Whoever edits a recording, or makes one, is told by a ValueError; nothing of another type reaches
the judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from cancel_contracts.needs import Kind

KINDS = get_args(Kind)
NUMBER, TEXT, MAYBE = (int, float), (str,), (str, type(None))
SETTINGS: dict[str, tuple[type, ...]] = {
    "base_url": TEXT, "profile": TEXT, "seed": (int,), "seconds": NUMBER, "started": TEXT,
    "pinned": (dict,), "contracts": (dict,),
}  # fmt: skip
CONTRACT: dict[str, tuple[type, ...]] = {
    "base_url": TEXT, "clauses": (list,), "not_testable": (dict,), "seconds": NUMBER,
}  # fmt: skip
JOURNAL: dict[str, tuple[type, ...]] = {
    "contract": TEXT, "missing": (list,), "broken": (list,), "stopped": MAYBE,
    "single": (bool,), "minted": (bool,), "setups": (int,), "notes": (list,),
}  # fmt: skip
EXCHANGE: dict[str, tuple[type, ...]] = {
    "contract": TEXT, "scenario": (int,), "position": (int,), "kind": TEXT, "role": TEXT,
    "situation": (dict,), "identity": TEXT, "resource": TEXT, "failure": MAYBE, "reused": (bool,),
    "way_in": (bool,), "started": NUMBER, "body": TEXT, "received": (dict, type(None)),
}  # fmt: skip
RECEIVED: dict[str, tuple[type, ...]] = {
    "body": TEXT, "stray": TEXT, "wire": TEXT, "interim": (list,), "error": MAYBE, "version": TEXT,
}  # fmt: skip
WORDS = {
    "profile": ("smoke", "gate", "deep"),
    "kind": ("cancel", "observe"),
    "role": ("target", "neighbour"),
    "failure": (
        None, "refused", "unreachable", "tls", "proxy", "timeout", "reset", "closed", "too-large",
    ),
}  # fmt: skip


def _check(place: str, row: Any, types: Mapping[str, tuple[type, ...]], *, every: bool) -> None:
    if not isinstance(row, dict):
        raise ValueError(f"{place} is no object")
    for key, kinds in types.items():
        if key not in row:
            if every:
                raise ValueError(f"{place} has no {key}")
            continue
        value = row[key]
        wrong = not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
        if wrong or (key in WORDS and value not in WORDS[key]):
            raise ValueError(f"{key} of {place} is none")


def texts(place: str, row: Any) -> None:
    """Raise where an object holds anything but texts, or nothing, under its keys."""
    if not isinstance(row, dict) or not all(isinstance(v, MAYBE) for v in row.values()):
        raise ValueError(f"{place} is no object of texts")


def _all_texts(place: str, rows: Any) -> None:
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        raise ValueError(f"{place} is no list of texts")


def settings(row: Mapping[str, Any]) -> None:
    """Check what a run was made with."""
    _check("_contracts", row, SETTINGS, every=False)
    for name, pinned in row.get("pinned", {}).items():
        _all_texts(f"pinned/{name}", pinned)
    for name, own in row.get("contracts", {}).items():
        _check(f"contracts/{name}", own, CONTRACT, every=False)
        _all_texts(f"contracts/{name}/clauses", own.get("clauses", []))
        texts(f"contracts/{name}/not_testable", own.get("not_testable", {}))
    if started := row.get("started"):
        datetime.fromisoformat(started)


def journal(row: Mapping[str, Any]) -> None:
    """Check a journal apart from its exchanges."""
    _check("a journal", row, JOURNAL, every=True)
    _all_texts("notes", row["notes"])
    _all_texts("broken", [reason for _, reason in row["broken"]])
    _all_texts("missing", [reason for _, reason, _ in row["missing"]])
    for _, _, need in row["missing"]:
        if need is not None:
            kind, name = need
            _all_texts("a need", [kind, name])
            if kind not in KINDS:
                raise ValueError(f"a need is of no kind {kind!r}")


def exchange(entry: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    """Check an entry of ours, and what is added to it."""
    _check("request", entry["request"], {"method": TEXT, "url": TEXT}, every=True)
    _check("response", entry["response"], {"status": (int,), "statusText": TEXT}, every=True)
    _check("_contracts", row, EXCHANGE, every=True)
    if row["received"] is not None:
        _check("received", row["received"], RECEIVED, every=True)
        if not all(isinstance(x, int) for x in row["received"]["interim"]):
            raise ValueError("interim is no list of numbers")
