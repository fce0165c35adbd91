"""What a whole run tells of callers: one is named alike, none is told of another. Pure.

Each is a function (context, exchanges, argument) -> {index: Finding}, as in overall.py.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from cancel_contracts.contract.form import FORM
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import RECORDED, Exchange, Received
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.entity import returned_entity, sent_object
from cancel_contracts.judge.facets import SHOWN_BYTES, Finding, answer
from cancel_contracts.needs import Gap
from cancel_contracts.parse import json_value

Findings = dict[int, Finding | Gap]
Overall = Callable[[Context, Sequence[Exchange], Any], Findings]


def named(context: Context, exchanges: Sequence[Exchange], _: Any) -> Findings:
    """Whoever cancelled is named alike wherever they did: the rarer name is the deviation. Who it
    was no recording of others tells.
    """
    name = context.contract.lifecycle.caller
    rows: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for i, x in enumerate(exchanges):
        told = x.succeeded and x.identity != RECORDED
        entity = returned_entity(context, x) if told else None
        if name and entity and isinstance(value := entity.get(name), str):
            rows[x.identity].append((i, value))
    found: Findings = {}
    for row in rows.values():
        usual, count = Counter(value for _, value in row).most_common(1)[0]
        expected = f"{name} {usual!r}, as {count} of {len(row)} for that caller"
        found |= {i: Finding(value == usual, expected, f"{value!r}") for i, value in row}
    return found


UNIQUE = re.compile(r"\b\d+-\d+-\d+\b")  # in a text that no other call carries
UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


def private(context: Context, exchanges: Sequence[Exchange], __: Any) -> Findings:
    """No answer holds what another call sent, or the id of another resource, or a token."""
    owners: dict[str, set[str]] = defaultdict(set)
    for x in exchanges:
        for text in _canaries(context.contract, x):
            owners[text].add(x.resource)
    found: Findings = {}
    for i, x in enumerate(exchanges):
        if x.received is None or "body" in x.sent.unrecorded:
            continue
        if x.echoed:
            found[i] = Finding(False, "no credentials in an answer", f"{answer(x)}, the token")
            continue
        sent = _sent(context.contract, x)
        other = next(
            (
                text
                for text in _told(x.received)
                if (of := owners.get(text)) and x.resource not in of and text not in sent
            ),
            None,
        )
        expected = "nothing that belongs to another call or resource"
        actual = f"{answer(x)}, {other!r:.{SHOWN_BYTES}} of another" if other else "nothing"
        found[i] = Finding(other is None, expected, actual)
    return found


def _sent(contract: Contract, exchange: Exchange) -> str:
    """Return what a call says itself, in the spellings in which it may be told of: an odd id holds
    that of another resource.
    """
    url, once = exchange.sent.url, unquote(exchange.sent.url)
    texts = [exchange.sent.body.decode("utf-8", "replace"), url, once, unquote(once)]
    texts += [str(sent_object(contract, exchange))] if contract.media == FORM else []
    said = "\n".join(texts)
    return f"{said}\n{said.lower()}"


def _canaries(contract: Contract, exchange: Exchange) -> set[str]:
    """Return what belongs to one call or its resource alone."""
    said = sent_object(contract, exchange).values()
    found = {v for v in said if isinstance(v, str) and UNIQUE.search(v)}
    if UUID.fullmatch(exchange.resource):
        found.add(exchange.resource.lower())
    ids = (v for k, v in exchange.sent.headers if k.lower() == "client-request-id")
    return found | {v.lower() for v in ids}


def _told(received: Received) -> Iterator[str]:
    """Yield the texts of an answer that may be somebody's: UUIDs anywhere, and JSON strings."""
    body = received.body.decode("utf-8", "replace")
    lines = "\n".join(value for _, value in received.headers)
    for match in UUID.finditer(f"{lines}\n{body}"):
        yield match.group().lower()
    pending = [json_value(received.body)]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, (dict, list)):
            inside = value.values() if isinstance(value, dict) else value
            pending += [v for v in inside if v and isinstance(v, (str, dict, list))]


CALLERS: dict[str, Overall] = {"named": named, "private": private}
