"""The JUnit report, in the subset that GitLab, Jenkins and GitHub's reporters read alike.

Derives from the record alone. The subset and its reasons are in research/anchors.md section 7.2:
one child per case, its text as element content (GitLab reads no attribute) and as `message`
(Jenkins' overview), the contract as `classname` (GitLab's suite). What is not known is an error or
skipped, so that it never reads as passed:

- failure: violated, where that fails the run
- error: what leaves the run inconclusive
- skipped: violated but only reported (a should-clause without --strict, or one that is newer than
  the edition of the target file), accepted, not exercised otherwise
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from cancel_contracts.report import files, findings, story
from cancel_contracts.report.text import line

# What at least one case must show where a run does not conform.
SHOWN_BY = {"violated": "failure", "inconclusive": "error", "nothing-selected": "error"}
OUTCOME = "outcome"


def child(record: dict[str, Any], clause: dict[str, Any]) -> str | None:
    """Return the name of the element that says how a case ended, or None where it passed."""
    if clause["verdict"] == "upheld":
        return None
    if story.fails(record, clause):
        return "failure"
    unknown = clause["verdict"] == "inconclusive" and not clause.get("newer")
    return "error" if clause["gap"] or unknown else "skipped"


def write_junit(record: dict[str, Any], path: Path) -> None:
    """Write the report. Raises UsageError where the path cannot be written."""
    root = tree(record)
    ET.indent(root)
    files.write(
        path, '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"
    )


def tree(record: dict[str, Any]) -> ET.Element:
    root = ET.Element("testsuites", name=record["tool"]["name"], time=f"{record['seconds']:.3f}")
    root.extend(_suite(record, contract) for contract in record["contracts"])
    wanted = SHOWN_BY.get(record["outcome"])
    if wanted is not None and root.find(f".//{wanted}") is None:
        root.append(_outcome(record, wanted))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    return root


def _suite(record: dict[str, Any], contract: dict[str, Any]) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        name=line(contract["name"]),
        timestamp=record["started"][:19],
        time=f"{contract['seconds']:.3f}",
    )
    told = {
        "seed": record["seed"],
        "profile": record["profile"],
        "target": story.named(record) or "not told",
        "base_url": contract["base_url"],
        "spec_sha256": contract["spec_sha256"] or "not told",
        "dialect": contract["dialect"] or "none seen",
        "outcome": record["outcome"],
        **({"edition": contract["edition"]} if contract.get("edition") else {}),
        **dict(story.figures(contract)),
    }
    _properties(suite, told)
    children: Counter[str] = Counter()
    for clause in contract["clauses"]:
        case = _case(contract, clause)
        if finding := findings.named(record, contract["name"], clause["id"]):
            group = case.find("properties")
            assert group is not None
            ET.SubElement(group, "property", name="defect", value=line(finding))
        if (kind := child(record, clause)) is not None:
            children[kind] += 1
            _ending(case, kind, contract, clause, finding)
        suite.append(case)
    suite.set("tests", str(len(contract["clauses"])))
    suite.set("failures", str(children["failure"]))
    suite.set("errors", str(children["error"]))
    suite.set("skipped", str(children["skipped"]))
    faults = [f for f in record["faults_of_the_run"] if f.startswith(f"{contract['name']}: ")]
    if faults:
        ET.SubElement(suite, "system-err").text = "\n".join(map(line, faults))
    return suite


def _properties(parent: ET.Element, told: dict[str, Any]) -> None:
    group = ET.SubElement(parent, "properties")
    for name, value in told.items():
        ET.SubElement(group, "property", name=name, value=line(value))


def _case(contract: dict[str, Any], clause: dict[str, Any]) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=line(contract["name"]),
        name=line(clause["id"]),
        file=line(contract["file"]),
        time=f"{sum(piece['seconds'] for piece in clause['evidence']):.3f}",
    )
    told = {"verdict": clause["verdict"], "level": clause["level"], "says": clause["says"]}
    _properties(case, told | {"exercised": clause["exercised"]})
    return case


def _ending(
    case: ET.Element,
    kind: str,
    contract: dict[str, Any],
    clause: dict[str, Any],
    finding: str | None,
) -> None:
    head = line(f"{clause['id']} {clause['verdict']} ({clause['level']})")
    message = f"{head}: {line(clause['says'])} {line(story.summary(clause))}"
    pairs = [("finding", finding)] * bool(finding) + story.whole(contract, clause)
    rows = [head, *(f"{label}: {line(text)}" for label, text in pairs)]
    ending = ET.SubElement(case, kind, message=line(message))
    if kind != "skipped":
        ending.set("type", clause["verdict"])
    ending.text = "\n".join(rows)


def _outcome(record: dict[str, Any], kind: str) -> ET.Element:
    """Return a suite for an outcome that no case shows, such as a stale entry of the baseline.

    Without it the file would read as if all were well.
    """
    name, told = record["tool"]["name"], line(record["sentence"])
    suite = ET.Element("testsuite", name=name, tests="1", failures="0", errors="0", skipped="0")
    suite.set("failures" if kind == "failure" else "errors", "1")
    case = ET.SubElement(suite, "testcase", classname=name, name=OUTCOME)
    ET.SubElement(case, kind, message=told, type=record["outcome"]).text = told
    return suite
