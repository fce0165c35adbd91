"""Turn a situation into the bytes of a request: its id, headers and content (content.py). Pure.

What each word is on the wire stands in its row (contract/words.py, credentials.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import quote

from cancel_contracts.contract.credentials import Carried
from cancel_contracts.contract.extras import EXTRAS, Extra
from cancel_contracts.contract.given import sends_body
from cancel_contracts.contract.ids import respelled
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.parameters import Parameter
from cancel_contracts.contract.path_template import filled
from cancel_contracts.contract.words import IDS
from cancel_contracts.exchange import Form, Sent, Situation
from cancel_contracts.run.content import Names, body_bytes, spelled_otherwise
from cancel_contracts.targets.url import joined


def odd_segment(contract: Contract, id_: Form) -> str:
    """Return an odd id as it stands in the path: what was drawn, what is nearly an id with names in
    it (ids.py), or what its word is.
    """
    return id_.text or contract.id.odd(IDS[id_.word].wire)


def content_type(contract: Contract, situation: Situation, body: bytes) -> str | None:
    if situation.content_type == "none":
        return None
    if situation.content_type != "default":
        return situation.content_type
    return contract.media if body or contract.bodies else None


def parameters(
    contract: Contract, situation: Situation, given: Mapping[str, str], unique: str
) -> Iterator[tuple[Parameter, str]]:
    """Yield the parameters of a call with what each says. `given` holds the target's own values."""
    odd, word = situation.parameter or ("", "")
    for each in contract.parameters:
        value, wanted = given.get(each.name, each.value), each.name == odd
        if wanted and word != "omitted":
            value = each.invalid() if word == "invalid" else each.other(value or "")
        if value is not None and not (wanted and word == "omitted"):
            yield each, each.filled(value, unique)


def _placed(
    template: str, segments: Mapping[str, str], said: Iterable[tuple[Parameter, str]]
) -> tuple[str, list[str], list[tuple[str, str]]]:
    """Return the path, the parts of the query and the header lines that parameters make."""
    rows = list(said)
    path = {p.name: quote(text, safe="") for p, text in rows if p.place == "path"}
    query = [
        f"{quote(p.name, safe='')}={quote(text, safe='')}" for p, text in rows if p.place == "query"
    ]
    headers = [(p.name, text) for p, text in rows if p.place == "header"]
    return filled(template, {**path, **segments}), query, headers


def cancel_request(
    contract: Contract,
    base_url: str,
    situation: Situation,
    segment: str,
    names: Names,
    credentials: Carried,
    request_id: str,
    given: Mapping[str, str] = MappingProxyType({}),
) -> Sent:
    """Return the request on the cancel route for a situation. `given` are the target's own values
    of parameters.
    """
    extra: Extra = EXTRAS[situation.extra].wire
    body = _content(contract, situation, names, extra)
    said = parameters(contract, situation, given, names.unique)
    named = {contract.id.name: respelled(segment, extra.id)}
    path, query, lines = _placed(extra.path(contract.path), named, said)
    credentials = contract.scheme.respelled(credentials, extra.scheme)
    headers = [*credentials.headers, ("Accept", "application/json")]
    headers += [("client-request-id", request_id), *lines]
    media = content_type(contract, situation, body)
    if media and (body or situation.method not in ("GET", "HEAD", "TRACE")):
        headers.append(("Content-Type", media))
    ids = "&".join(f"{quote(n, safe='')}={request_id}" for n in sorted({contract.id.name, "id"}))
    query += [text for text in (credentials.query, extra.query.format(ids=ids)) if text]
    if extra.indent is not None:
        body = spelled_otherwise(body, extra.indent)
    headers = [(extra.names(name), text) for name, text in headers]
    own = {name.lower() for name, _ in lines}  # what the operation asks for is not replaced
    added = [line for line in _lines(contract, situation, extra) if line[0].lower() not in own]
    if added:
        headers = _with_cookie(with_extra(headers, added), credentials)
    url = joined(base_url, path)
    url += "?" + "&".join(query) if query else ""
    return Sent(
        situation.method,
        url,
        tuple(headers),
        body,
        without=tuple(name for name, text in added if text is None),
        absolute=extra.absolute,
        version=extra.version,
    )


def _content(contract: Contract, situation: Situation, names: Names, extra: Extra) -> bytes:
    """Return the body of a call. RFC 9110 sections 9.3.1 and 9.3.8: one beside GET has no meaning,
    and beside TRACE none is sent; a server is not to take it for that of the operation. A GET has
    none where the operation has none: refused for that, it would show nothing else. A DELETE has
    the operation's own: refused for want of it, it would not show whether it cancels.
    """
    own = situation.method == "DELETE" and contract.bodies
    if own or sends_body(contract, situation.method):
        return body_bytes(contract, situation, names)
    if extra.content and situation.method in ("GET", "TRACE"):
        least = b"{}" if situation.method == "TRACE" else b""
        return body_bytes(contract, situation, names) or least
    return b""


def _lines(
    contract: Contract, situation: Situation, extra: Extra
) -> Iterator[tuple[str, str | None]]:
    """Yield the header lines of an extra, with the method that it names filled in."""
    other = "GET" if situation.method == contract.method else contract.method
    for name, text in extra.headers:
        yield name, text and text.replace("{method}", other)


def with_extra(
    headers: list[tuple[str, str]], extra: Sequence[tuple[str, str | None]]
) -> list[tuple[str, str]]:
    """Return header lines with others in place of those of the same name; None takes one away."""
    own = {name.lower() for name, _ in extra if name != "Cookie"}
    kept = [line for line in headers if line[0].lower() not in own]
    return kept + [(name, text) for name, text in extra if text is not None]


def _with_cookie(headers: list[tuple[str, str]], credentials: Carried) -> list[tuple[str, str]]:
    """Return header lines with every cookie in that of the credentials: a client sends one such
    line (RFC 6265 section 5.4).
    """
    if not any(name == "Cookie" for name, _ in credentials.headers):
        return headers
    cookies = "; ".join(text for name, text in headers if name.lower() == "cookie")
    rest = [line for line in headers if line[0].lower() != "cookie"]
    return [("Cookie", cookies), *rest]


def observe_request(
    contract: Contract,
    base_url: str,
    id_: str,
    credentials: Carried,
    request_id: str,
    given: Mapping[str, str] = MappingProxyType({}),
) -> Sent:
    """Return the GET of a resource. The contract must have one."""
    assert contract.observe_path is not None
    values = ((p, given.get(p.name, p.value)) for p in contract.observe_parameters)
    said = ((p, p.filled(value, request_id)) for p, value in values if value is not None)
    segments = {contract.id.name: quote(id_, safe="")}
    path, query, lines = _placed(contract.observe_path, segments, said)
    query += [credentials.query] if credentials.query else []
    headers = [*credentials.headers, ("Accept", "application/json")]
    headers += [("client-request-id", request_id), *lines]
    url = joined(base_url, path) + ("?" + "&".join(query) if query else "")
    return Sent("GET", url, tuple(headers))


def probe_request(contract: Contract, base_url: str, id_: str, given: Mapping[str, str]) -> Sent:
    """Return a bare GET near a resource: any answer tells that somebody is there."""
    template, said = contract.observe_path or contract.path, contract.observe_parameters
    every = said if contract.observe_path else contract.parameters
    values = {p.name: quote(given.get(p.name, p.value or ""), safe="") for p in every}
    segments = {**values, contract.id.name: quote(id_, safe="")}
    return Sent("GET", joined(base_url, filled(template, segments)))


def masked(sent: Sent, carried: Carried, who: str) -> Sent:
    """Say whose token it was in place of it: the token goes no further than the wire."""
    own, secret = {name.lower(): value for name, value in carried.headers}, carried.secret
    headers = []
    for name, value in sent.headers:
        mine = own.get(name.lower())
        cookie = name.lower() == "cookie" and secret
        if mine and cookie and value.startswith(mine):
            # Of cookies that stand in one line the first is that of the credentials.
            value = f"{mine.partition('=')[0]}=<{who}>{value.removeprefix(mine)}"
        elif value and mine and _by_scheme(mine) == _by_scheme(value):
            scheme, _, token = value.partition(" ")
            value = f"{scheme} <{who}>" if token else f"<{who}>" if secret else value
            if name.lower() != "authorization":
                value = f"<{who}>"
        headers.append((name, value))
    url = sent.url
    if secret and carried.query:
        url = url.replace(carried.query, carried.query.partition("=")[0] + f"=<{who}>")
    return replace(sent, url=url, headers=tuple(headers))


def _by_scheme(value: str) -> tuple[str, str]:
    """Return the scheme, whose case does not count, and what follows it."""
    scheme, _, rest = value.partition(" ")
    return scheme.lower(), rest
