"""The statement of a bundle: an in-toto Statement v1 whose predicate is a test result (v0.1), so
that what signs attestations can sign it. Pure.

Its subjects are the other files of the bundle, each by its SHA-256. Names of tests are those of the
items under pytest: contract, two colons, clause.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from cancel_contracts.bundle.parts import BASELINE, SPEC, STATEMENT, TARGET
from cancel_contracts.errors import UsageError

TYPE = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
SHA256 = re.compile(r"[0-9a-f]{64}")


def statement(
    report: Mapping[str, Any], digests: Mapping[str, str], fails: Callable[[Any], bool]
) -> dict[str, Any]:
    """Return the statement for a report and the digests of the other files by name. `fails` says of
    a clause of the report whether it is violated and that makes the run fail.
    """
    tests: dict[str, list[str]] = {"passed": [], "warned": [], "failed": []}
    for contract in report["contracts"]:
        for clause in contract["clauses"]:
            if word := _word(clause, fails):
                tests[word].append(f"{contract['name']}::{clause['id']}")
    kept = report["outcome"] == "conforms" and not tests["failed"]
    warned = bool(tests["warned"] or report["warnings"])
    result = ("WARNED" if warned else "PASSED") if kept else "FAILED"
    configuration = [n for n in digests if SPEC.fullmatch(n) or n in (TARGET, BASELINE)]
    return {
        "_type": TYPE,
        "subject": [_descriptor(name, digests) for name in digests],
        "predicateType": PREDICATE,
        "predicate": {
            "result": result,
            "configuration": [_descriptor(name, digests) for name in configuration],
            **{f"{word}Tests": names for word, names in tests.items()},
        },
    }


def _descriptor(name: str, digests: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": digests[name]}}


def _word(clause: Mapping[str, Any], fails: Callable[[Any], bool]) -> str:
    """Return what became of a clause as a test; empty where it was not asked, or excused."""
    if fails(clause) or clause["gap"]:
        return "failed"
    if clause["verdict"] == "upheld":
        return "passed"
    return "warned" if clause["verdict"] in ("violated", "accepted") else ""


def digests_in(place: str, data: bytes) -> dict[str, str]:
    """Return the digests that a statement gives, by name. Raises UsageError where it is none."""
    try:
        found = json.loads(data)
        if (found["_type"], found["predicateType"]) != (TYPE, PREDICATE):
            raise ValueError
        digests = {row["name"]: row["digest"]["sha256"] for row in found["subject"]}
        if not all(isinstance(name, str) and SHA256.fullmatch(digests[name]) for name in digests):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        problem = f"{STATEMENT} is no in-toto statement of a test result"
        raise UsageError(place, problem, "name a file that `verify --bundle` wrote") from None
    return digests
