"""A defect in a sentence, and as data: what every report shows of it. Pure.

The sentence says who called what, what came and what was expected; what a call did goes before how
it was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cancel_contracts.contract.given import listed
from cancel_contracts.contract.links import links
from cancel_contracts.contract.model import Contract, Source
from cancel_contracts.defects import Defect
from cancel_contracts.errors import clip
from cancel_contracts.report import scenario
from cancel_contracts.report.text import count

SHOWN_SITUATIONS = 20
ELSEWHERE_CHARS = 400
WHO_CHARS, SAID_CHARS = 140, 70  # a sentence fits where each report has room: 300 in all


def finding(
    defect: Defect, evidence: dict[str, Any], clean: Callable[[str], str]
) -> dict[str, Any]:
    """Return a defect as data. `evidence` is the entry of its lead, free of secrets; `clean` masks
    them in a text.
    """
    situations = _situations(defect)
    clauses = [
        {"contract": b.contract.name, "id": b.verdict.clause.id, "level": b.verdict.clause.level}
        for b in defect.breaches
    ]
    return {
        "level": defect.level,
        "newer": defect.newer,
        "sentence": _sentence(defect, evidence, clean),
        "says": defect.lead.verdict.clause.says,
        "where": str(defect.lead.verdict.clause.source),
        "source": source(defect.lead.contract, defect.lead.verdict.clause.source),
        "clauses": clauses,
        "situations": [clean(text) for text in list(situations)[:SHOWN_SITUATIONS]],
        "in_all": len(situations),
        "evidence": evidence,
    }


def source(contract: Contract, where: Source) -> dict[str, Any]:
    """Return where a promise stands, as data: page, section, and the addresses of both."""
    found = [{"text": link.text, "url": link.url} for link in links(contract, where)]
    return {"page": where.page, "section": where.section, "links": found}


def _sentence(defect: Defect, evidence: Mapping[str, Any], clean: Callable[[str], str]) -> str:
    """Return who is answered how, and what was expected: of the facts only those that every call
    has which deviates so, whichever contract it is of.
    """
    lead = defect.lead
    effect, facets = "", lead.lead.facets
    if "status" in facets and "effect" in facets:
        wanted = listed(lead.verdict.clause.expect.get("effect", "none"))
        effect = " and takes effect" if wanted == ["none"] else " and takes no effect"
    alike = [b for b in defect.breaches if (b.way, b.unusual) == (lead.way, lead.unusual)]
    calls = [e.exchange for b in alike for e in (b.lead, *b.verdict.violations)]
    actual, expected = (clip(evidence[key], SAID_CHARS) for key in ("actual", "expected"))
    who = clip(clean(scenario.common(calls, lead.contract.method)), WHO_CHARS)
    return f"{who}: {actual}{effect}; expected {expected}"


def _situations(defect: Defect) -> dict[str, None]:
    """Return where a defect shows, the lead's situation first, each once."""
    found: dict[str, None] = {}
    for breach in defect.breaches:
        for evidence in (breach.lead, *breach.verdict.violations):
            found[scenario.words(evidence.exchange, breach.contract.method)] = None
    return found


def level(row: Mapping[str, Any]) -> str:
    """Return the level of a finding, and that nothing of it is held against the target."""
    return f"{row['level']}{', newer than the edition' * bool(row.get('newer'))}"


def breaks(row: Mapping[str, Any], most: int | None = None) -> str:
    """Return which clauses a finding breaks, the most telling first; `most` of them by name."""
    first, *others = (clause["id"] for clause in row["clauses"])
    left = len(others[most:]) if most is not None else 0
    more = f" and {left} more" if left else ""
    return f"{first}; also {', '.join(others[:most])}{more}" if others else first


def elsewhere(row: Mapping[str, Any], chars: int = ELSEWHERE_CHARS) -> str:
    """Return where else a finding shows, some of these in whole; empty where it shows in one
    situation.
    """
    others = row["in_all"] - 1
    if not others:
        return ""
    told, found = f"in {count(others, 'more situation')}", list[str]()
    for situation in row["situations"][1:]:
        if len(told) + sum(map(len, found)) + len(situation) > chars:
            break
        found.append(situation)
    such = ", such as" if len(found) < others else ""
    return f"{told}{such}: {'; '.join(found)}" if found else told


def of(
    record: Mapping[str, Any], contract: str, clause: str
) -> tuple[int, Mapping[str, Any]] | None:
    """Return the finding that a violated clause belongs to, after its number."""
    for number, row in enumerate(record["defects"], 1):
        if any((c["contract"], c["id"]) == (contract, clause) for c in row["clauses"]):
            return number, row
    return None


def named(record: Mapping[str, Any], contract: str, clause: str) -> str | None:
    """Return the number and the sentence of the finding that a violated clause belongs to."""
    found = of(record, contract, clause)
    return f"{found[0]}. {found[1]['sentence']}" if found else None
