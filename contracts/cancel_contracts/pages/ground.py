"""What of a contract rests on which section of a page. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cancel_contracts.contract.model import Contract, NotTestable, Source
from cancel_contracts.contract.page import folded, headings

NOT_TESTABLE, PROVISION = "not testable", "provision"


@dataclass(frozen=True)
class Promise:
    """What rests on a section: a clause of either party, a promise that cannot be tested, or a
    documented call that creates a resource.
    """

    id: str
    level: str  # must | should | info | not testable | provision
    says: str
    source: Source

    def rests_on(self, page: str, heading: str) -> bool:
        named = headings(self.source.section)
        return self.source.page == page and folded(heading) in map(folded, named)


def promises(contract: Contract) -> tuple[Promise, ...]:
    """Return all that a contract takes from pages."""
    found = []
    for row in contract.promises:
        level = NOT_TESTABLE if isinstance(row, NotTestable) else row.level
        found.append(Promise(row.id, level, row.says, row.source))
    for made in contract.provisions:
        found.append(Promise(f"x-provision/{made.state}", PROVISION, made.does, made.source))
    return tuple(found)


def unwatched(contracts: Sequence[Contract]) -> dict[str, int]:
    """Return how many promises rest on what nobody watches, by page: pages without hashes, what is
    no page, and what stands in brackets, which is no section of its page.
    """
    found: Counter[str] = Counter()
    for contract in contracts:
        for promise in promises(contract):
            source = promise.source
            page = contract.pages.get(source.page)
            if page is None or not page.sections:
                found[source.page] += 1
            elif not headings(source.section):
                found[str(source)] += 1
    return dict(found)
