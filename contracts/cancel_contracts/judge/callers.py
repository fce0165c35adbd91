"""What a whole run tells of callers: one is named alike, none is told of another. Pure.

Each is a function (context, exchanges, argument) -> {index: Finding}, as in overall.py.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from cancel_contracts.contract.credentials import PLAIN_USERS
from cancel_contracts.contract.form import FORM
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.places import in_list
from cancel_contracts.exchange import RECORDED, Exchange, Received
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.entity import returned_entity, settled
from cancel_contracts.judge.facets import SHOWN_BYTES, Finding, answer
from cancel_contracts.judge.others import (
    UUID,
    another,
    is_application,
    kept_texts,
    own_words,
    primary_of,
    subject,
    texts_of,
)
from cancel_contracts.judge.sent import sent_object
from cancel_contracts.needs import Gap, choice
from cancel_contracts.sight.observation import Observation, observe

OF_LENT = choice("whether two tokens that are lent are of two callers is not told")
ALONE = choice("one call alone does not tell")
Findings = dict[int, Finding | Gap]
Overall = Callable[[Context, Sequence[Exchange], Any], Findings]


def named(context: Context, exchanges: Sequence[Exchange], wanted: str) -> Findings:
    """Whoever cancelled is named `alike` wherever they did, and `apart` from others."""
    name = context.contract.lifecycle.caller
    rows: dict[str, list[tuple[int, str]]] = defaultdict(list)
    nameless: dict[str, list[int]] = defaultdict(list)
    primary, of_others = primary_of(exchanges), _written_before(context, name)
    for i, x in enumerate(exchanges):
        if not name or not x.succeeded or x.identity == RECORDED:
            continue  # who it was no recording of others tells
        written = _written(context, x, name)
        for value in written:
            if value not in of_others:
                rows[x.identity if wanted == "alike" else subject(x, primary)].append((i, value))
        if not written and _left_out(context, x, name):
            nameless[x.identity if wanted == "alike" else subject(x, primary)].append(i)
    if wanted == "alike":
        return _named_alike(name, rows, nameless)
    return _named_apart(context, name, rows, nameless)


def _written_before(context: Context, name: str | None) -> frozenset[str]:
    """Return the names in a list that stood there before any call: others write into it too."""
    if name is None or in_list(name) is None:
        return frozenset()
    called: set[str] = set()
    found: set[str] = set()
    for x in context.journal.exchanges:
        if x.kind == "cancel":
            called.add(x.resource)
        elif x.resource not in called and (look := observe(x, context.contract.lifecycle)):
            found |= {*_listed_in(look.entity, name)}
    return frozenset(found)


def _listed_in(entity: Mapping[str, Any] | None, at: str) -> list[str]:
    """Return the texts at a place in the items of a list."""
    found = in_list(at)
    items = entity.get(found[0]) if found and entity else None
    rows = items if isinstance(items, list) else []
    texts = (row.get(found[1]) for row in rows if found and isinstance(row, Mapping))
    return [text for text in texts if isinstance(text, str)]


def _written(context: Context, exchange: Exchange, at: str) -> list[str]:
    """Return the texts that a success left at a place: as the answer shows it, else the GET; of the
    items of a list those that it added.
    """
    look = settled(context, exchange)
    shown = look.entity if isinstance(look, Observation) else None
    if in_list(at) is None:
        whole = returned_entity(context, exchange)
        value = ({} if shown is None else shown).get(at) if whole is None else whole.get(at)
        return [value] if isinstance(value, str) else []
    before = context.sight.before(exchange)
    if before is None or before.entity is None or shown is None:
        return []
    return added_at(at, before.entity, shown)


def added_at(at: str, was: Mapping[str, Any], entity: Mapping[str, Any]) -> list[str]:
    """Return the texts at a place in the items of a list that did not stand in it before."""
    name = (in_list(at) or (at, ""))[0]
    were, are = (row.get(name) for row in (was, entity))
    were, are = (row if isinstance(row, list) else [] for row in (were, are))
    return _listed_in({name: [item for item in are if item not in were]}, at)


def _left_out(context: Context, exchange: Exchange, name: str) -> bool:
    """Whether a success was looked at, in the end too, and each look since shows a property with
    nothing in it.
    """
    sight = context.sight
    shown = [look.entity for look in sight.later(exchange) if look.entity is not None]
    looked = isinstance(settled(context, exchange), Observation) and sight.last(exchange)
    return bool(looked) and all(name in entity and not entity[name] for entity in shown)


def _named_alike(
    name: str | None, rows: Mapping[str, list[tuple[int, str]]], nameless: Mapping[str, list[int]]
) -> Findings:
    """The rarer name of a caller is the deviation, and where they are named elsewhere, none."""
    found: Findings = {}
    for caller, row in rows.items():
        usual, count = Counter(value for _, value in row).most_common(1)[0]
        without = nameless.get(caller, ())
        expected = f"{name} {usual!r}, as {count} of {len(row) + len(without)} for that caller"
        found |= {i: Finding(value == usual, expected, f"{value!r}") for i, value in row}
        found |= {i: Finding(False, expected, "nobody") for i in without}
    return found


def _named_apart(
    context: Context,
    name: str | None,
    rows: Mapping[str, list[tuple[int, str]]],
    nameless: Mapping[str, list[int]],
) -> Findings:
    """No two callers have one name, where one of them at least is a user: applications may have one
    in common. No user goes without where another has one. Which callers are two is known of tokens
    that are minted.
    """
    every = [i for row in rows.values() for i, _ in row]
    if not context.journal.minted:
        return dict.fromkeys(every, OF_LENT)
    if len(rows) < 2:
        return dict.fromkeys(every, ALONE)
    holders: dict[str, set[str]] = defaultdict(set)
    for caller, row in rows.items():
        for _, value in row:
            holders[value].add(caller)
    found: Findings = {}
    for caller, row in rows.items():
        for i, value in row:
            of = holders[value] - {caller}
            others = {c for c in of if not (is_application(c) and is_application(caller))}
            own = caller.casefold() in value.casefold()
            actual = f"{value!r}, as of {min(others)}" if others else f"{value!r}"
            found[i] = Finding(own or not others, f"a {name} of that caller", actual)
    users = [caller for caller in rows if not is_application(caller)]
    for caller in (c for c in nameless if users and c in PLAIN_USERS and c not in rows):
        missing = Finding(False, f"a {name}, as of {min(users)}", "nobody")
        found |= dict.fromkeys(nameless[caller], missing)
    return found


REQUEST_ID = "client-request-id"
UNIQUE = re.compile(r"\b\d+-\d+-\d+\b")  # in a text that no other call carries


def private(context: Context, exchanges: Sequence[Exchange], __: Any) -> Findings:
    """No answer holds what another call sent or is called by, the id of another resource or what
    that keeps, or a token.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for x in exchanges:
        for text in _canaries(context.contract, x):
            owners[text].add(x.resource)
    ids = {id_ for x in context.journal.exchanges for id_ in _request_ids(x)}
    callers, texts = another(context, exchanges), kept_texts(context, exchanges)
    words = own_words(context, exchanges)
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
            _id_of_another(x, ids) or callers.get(i) or texts.of_another(x) or words.get(i),
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
    found = {one for v in said if isinstance(v, str) for one in UNIQUE.findall(v)}
    if UUID.fullmatch(exchange.resource):
        found.add(exchange.resource.lower())
    return found | _request_ids(exchange)


def _id_of_another(exchange: Exchange, ids: Collection[str]) -> str | None:
    """Return the client-request-id of another call, told as that of one that sent none."""
    if exchange.received is None or _request_ids(exchange):
        return None
    told = texts_of(exchange.received)
    named = (text.lower() for place, text in told if place.endswith(REQUEST_ID))
    return next((text for text in named if text in ids), None)


def _request_ids(exchange: Exchange) -> set[str]:
    headers = exchange.sent.headers
    return {v.lower() for k, v in headers if k.lower() == REQUEST_ID}


def _told(received: Received) -> Iterator[str]:
    """Yield what of an answer may be somebody's: UUIDs, and marks of our own."""
    body = received.body.decode("utf-8", "replace")
    lines = "\n".join(value for _, value in received.headers)
    for match in UUID.finditer(f"{lines}\n{body}"):
        yield match.group().lower()
    for _, text in texts_of(received):
        yield from UNIQUE.findall(text)


CALLERS: dict[str, Overall] = {"named": named, "private": private}
