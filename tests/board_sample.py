"""Small reports for the board's tests: of today, and in the form that the first version of the suite wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EVIDENCE: dict[str, Any] = {
    "scenario": "the ordinary call",
    "identity": "admin",
    "state": "Open",
    "expected": "200",
    "actual": "500, 0 bytes",
    "observed": [],
    "request": {
        "method": "POST",
        "url": "http://127.0.0.1:8080/things/1/cancel",
        "headers": [],
        "body": "",
        "cut": None,
    },
    "response": None,
    "failure": None,
    "started": 0.1,
    "seconds": 0.1,
    "curl": "curl http://127.0.0.1:8080/things/1/cancel",
}
# The first version's keys and no others: no defects, no kept and covered, no name, version or hash, no described_by.
# Its evidence and lifecycle are cut down; what stands here is as it stood.
OF_BEFORE: dict[str, Any] = {
    "schema_version": 1,
    "tool": {"name": "cancel-contracts", "version": "0.0.9"},
    "started": "2026-11-01T08:00:00.000Z",
    "seconds": 4.2,
    "seed": 7,
    "profile": "gate",
    "strict": False,
    "target": {"base_url": "http://127.0.0.1:8080"},
    "outcome": "violated",
    "exit_code": 1,
    "sentence": "violated: EX-02",
    "requests": {"cancel": 3, "observe": 2, "provider_states": 0},
    "contracts": [
        {
            "name": "thing",
            "title": "Cancel thing",
            "file": "specs/thing.yaml",
            "method": "POST",
            "path": "/things/{id}/cancel",
            "base_url": "http://127.0.0.1:8080",
            "seconds": 4.1,
            "requests": {"cancel": 3, "observe": 2, "provider_states": 0},
            "dialect": "prose",
            "dialects": [{"of": "success", "name": "prose", "says": "answers 200"}],
            "unusable": None,
            "stopped": None,
            "clauses": [
                {
                    "id": f"EX-0{number}",
                    "level": level,
                    "says": f"Promise number {number} is kept.",
                    "source": {"page": "cancel-thing", "section": "Response"},
                    "asked": ["the ordinary call"],
                    "verdict": verdict,
                    "exercised": 1,
                    "requests": 1,
                    "reason": reason,
                    "excused": None,
                    "conditional": False,
                    "gap": False,
                    "violations": int(verdict == "violated"),
                    "evidence": [EVIDENCE] if verdict == "violated" else [],
                }
                for number, level, verdict, reason in (
                    (1, "must", "upheld", None),
                    (2, "must", "violated", None),
                    (3, "must", "accepted", "known since May."),
                    (4, "must", "not-exercised", "nothing can be set up."),
                    (5, "should", "upheld", None),
                )
            ],
            "not_testable": [],
            "lifecycle": {"cancellable": ["Open"], "final": [], "after": [], "states": []},
            "timeline": {"requests": [], "quotas": []},
        }
    ],
    "excuses": {},
    "warnings": [],
    "faults_of_the_run": [],
}
LEVELS = {"EX-01": "must", "EX-02": "must", "EX-03": "must", "EX-04": "should"}


def contract(
    verdicts: Mapping[str, str], name: str = "thing", sha256: str | None = "a" * 64, of: int = 3
) -> dict[str, Any]:
    """Return a contract's row of a report of today, as far as a board reads it.

    `of` is how many must-clauses the spec has.
    """
    musts = [word for id_, word in verdicts.items() if LEVELS[id_] == "must"]
    judged = [word for word in musts if word in ("upheld", "violated", "accepted")]
    return {
        "name": name,
        "spec_sha256": sha256,
        "selected": {"count": len(musts), "of": of},
        "kept": {"count": judged.count("upheld"), "of": len(judged)},
        "covered": {"count": len(judged), "of": len(musts)},
        "dialects": [{"of": "success", "name": "prose", "says": "answers 200"}],
        "clauses": [
            {"id": id_, "level": LEVELS[id_], "says": f"{id_} is kept.", "verdict": word,
             "reason": None, "excused": None, "gap": word in ("inconclusive", "not-exercised")}
            for id_, word in verdicts.items()
        ],
    }  # fmt: skip


def upheld(**others: str) -> dict[str, str]:
    """Return the verdicts of a whole run; `others` are those that are not upheld, such as EX_02."""
    return dict.fromkeys(LEVELS, "upheld") | {k.replace("_", "-"): v for k, v in others.items()}


def report(
    day: int, *contracts: dict[str, Any], name: str | None = "Mock", **changes: Any
) -> dict[str, Any]:
    """Return a report of a day in November; without contracts all is upheld."""
    rows = contracts or (contract(upheld()),)
    words = {c["verdict"] for row in rows for c in row["clauses"]}
    outcome = "violated" if "violated" in words else "conforms"
    url = changes.pop("url", "http://127.0.0.1:8080")
    version = changes.pop("version", None)
    return {
        "schema_version": 1,
        "tool": {"name": "cancel-contracts", "version": "0.1.0"},
        "started": f"2026-11-{day:02}T12:00:00.000Z",
        "seed": 0,
        "profile": "gate",
        "target": {"base_url": url, "name": name, "version": version},
        "outcome": outcome,
        "exit_code": int(outcome == "violated"),
        "contracts": list(rows),
        **changes,
    }


def saved(folder: Path, *reports: Any) -> list[Path]:
    """Write reports as files and return their paths."""
    paths = []
    for row in reports:
        path = folder / f"report-{len(list(folder.glob('report-*')))}.json"
        path.write_text(json.dumps(row), "utf-8")
        paths.append(path)
    return paths
