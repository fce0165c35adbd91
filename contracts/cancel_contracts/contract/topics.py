"""What a clause is about: one topic each, from the rows of the words it uses. Pure.

What it expects tells most; where it expects no more than a code and an effect, what it gives tells.
"""

from __future__ import annotations

from collections.abc import Mapping

from cancel_contracts.contract.expected import FACETS
from cancel_contracts.contract.given import listed
from cancel_contracts.contract.model import Clause
from cancel_contracts.contract.words import AXES

# A topic and what stands above its clauses, in the order in which reports have them.
TOPICS: Mapping[str, str] = {
    "status": "Which code a call is answered with",
    "lifecycle": "What a cancel does, by state and by its place among calls",
    "permission": "Who may call",
    "request": "What may be sent",
    "body": "What a success shows and the resource keeps",
    "error": "How a refusal is told",
    "quota": "How many calls there are",
    "wire": "HTTP itself",
}
# A body or an id that is out of the ordinary tells more than who sends it.
TELLING = ("id", "body", "content-type", "method", "extra", "identity", "owner", "transfer", "call")


def topic(clause: Clause) -> str:
    """Return the topic of a clause, a key of TOPICS."""
    given = clause.given
    expect = next(iter(clause.readings.values()), clause.expect)
    if given.get("answer") == 429:
        return "quota"
    for facet in expect:
        if found := FACETS[facet].topic:
            return found
    for key in TELLING:
        ordinary = (AXES[key].ordinary, "any")
        if any(word not in ordinary for word in listed(given.get(key, []))):
            return AXES[key].topic
    states = {*map(str, listed(given.get("resource", [])))} - {"cancellable", "unknown", "any"}
    effects = "effect" in expect and (states or "status" not in expect)
    return AXES["resource"].topic if effects else "status"
