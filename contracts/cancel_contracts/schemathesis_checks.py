"""Our clauses as a check of `schemathesis run`: SCHEMATHESIS_HOOKS names this module.

Builds an exchange of schemathesis' case and response and lets the judge hold the clauses against it
that one exchange can answer for. Knows no clause: what a call without provider states shows is for
foreign.py to say. Sends nothing but two calls per operation for an id that nobody has.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import schemathesis
from schemathesis.core.failures import Failure, FailureGroup

from cancel_contracts import foreign
from cancel_contracts.contract.credentials import Scheme
from cancel_contracts.contract.given import listed
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange, Received, Sent
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import Judge, Verdict
from cancel_contracts.parse import success

AnyCase = schemathesis.Case[Any]
CASES = 5  # of an operation that may be sent again for an unknown id, until one is told apart
KEY = "authorization"


@lru_cache
def failure_of(id_: str) -> type[Failure]:
    """Return a clause's own kind of failure: schemathesis tells failures apart by their class."""
    return type(
        id_,
        (Failure,),
        {"__slots__": (), "kind_title": id_, "checks": (cancel_contracts.__name__,)},
    )


def told(verdict: Verdict, about: str = "") -> str:
    """Return what a failure says: the promise, its source, what was expected and what came."""
    clause, evidence = verdict.clause, verdict.violations[0]
    sent = evidence.exchange.sent
    return "\n".join(
        [
            clause.says,
            f"source    {clause.source}",
            f"call      {sent.method} {urlsplit(sent.url).path}{about}",
            f"expected  {evidence.expected}",
            f"actual    {evidence.actual}",
            f"more      cancel-contracts explain {clause.id}",
        ]
    )


@lru_cache
def contracts_of(place: str | None, own: bool) -> tuple[Contract, ...]:
    """Return the contracts to hold against a document: its own where it has clauses, else ours."""
    path = Path(unquote(urlsplit(place or "").path))
    if own and path.is_file():
        return (load(path),)
    return tuple(map(load, shipped()))


def sent_of(request: Any) -> Sent:
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = tuple((str(name), _text(value)) for name, value in request.headers.items())
    # A stream is left out: no clause reads it.
    return Sent(
        request.method.upper(), request.url, headers, body if isinstance(body, bytes) else b""
    )


def _without_key(scheme: Scheme, headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return headers without those that credentials stand in."""
    keys = {KEY, "cookie" if scheme.place == "cookie" else scheme.name.lower()}
    return {name: value for name, value in headers.items() if name.lower() not in keys}


def _anonymous(scheme: Scheme, sent: Sent) -> bool:
    """Whether a request holds nothing that may be credentials."""
    query = parse_qsl(urlsplit(sent.url).query, keep_blank_values=True)
    asked = scheme.place == "query" and any(name == scheme.name for name, _ in query)
    return not asked and len(_without_key(scheme, dict(sent.headers))) == len(dict(sent.headers))


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def received_of(response: schemathesis.Response) -> Received:
    """Return the answer as far as schemathesis tells it. Of the octets that is the head."""
    headers = tuple((name, value) for name, row in response.headers.items() for value in row)
    lines = [f"HTTP/{response.http_version} {response.status_code} {response.message}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return Received(
        status=response.status_code,
        reason=response.message,
        version=response.http_version,
        headers=headers,
        body=response.content or b"",
        wire=("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"),
    )


class cancel_contracts:  # the name that --checks takes
    """Hold the clauses of cancel-contracts against every call on a cancel route.

    `skip` lists ids of clauses to leave out. `strict` asks for the should-clauses as well.
    """

    def __init__(self, skip: Sequence[str] = (), strict: bool = False) -> None:
        self.skip, self.levels = frozenset(skip), ("must", "should") if strict else ("must",)
        self.judges: dict[str, tuple[Judge, frozenset[str]]] = {}
        self.kept: dict[str, list[tuple[AnyCase, Contract]]] = {}

    def after_response(
        self, ctx: schemathesis.CheckContext, response: schemathesis.Response, case: Any
    ) -> bool | None:
        schema = case.operation.schema
        contracts = contracts_of(schema.location, "x-clauses" in schema.raw_schema)
        request = response.request
        where = foreign.route(contracts, str(request.method).upper(), str(request.url))
        if where is None or where.kind != "cancel":
            return True
        self._keep(case, where.contract)
        failures = list(self._failures(where, response, case.operation.label))
        if failures:
            raise FailureGroup(failures)
        return None

    def _keep(self, case: AnyCase, contract: Contract) -> None:
        """Keep the first cases that fit the document: they are sent again when the run is over."""
        kept = self.kept.setdefault(case.operation.label, [])
        fits = case.meta is None or case.meta.generation.mode.is_positive
        if fits and case.method == contract.method and len(kept) < CASES:
            kept.append((case, contract))

    def after_run(self, ctx: schemathesis.CheckContext) -> None:
        """Ask for an id that nobody has, as the cases did and without credentials."""
        failures: list[Failure] = []
        for label, kept in self.kept.items():
            for anonymous in (False, True):
                for case, contract in kept:
                    response = self._ask(ctx, case, contract, anonymous)
                    url = str(response.request.url)
                    where = foreign.route([contract], contract.method, url)
                    if where is None:
                        break
                    failures += self._failures(where, response, label, unknown=True)
                    if anonymous or success(response.status_code) or response.status_code == 404:
                        break
        if failures:
            raise FailureGroup(failures)

    def _ask(
        self, ctx: schemathesis.CheckContext, case: AnyCase, contract: Contract, anonymous: bool
    ) -> schemathesis.Response:
        asked = case.derive(keep_auth=not anonymous)
        names = list(case.path_parameters)
        own = contract.id.name if contract.id.name in names else names[-1]
        asked.path_parameters = {**case.path_parameters, own: contract.id.fresh(uuid.uuid4())}
        scheme = contract.scheme
        settings = dict(ctx.internals.transport_kwargs or {})
        settings.pop("session", None)
        if anonymous:
            settings.pop("auth", None)
            settings["headers"] = _without_key(scheme, settings.get("headers") or {})
            asked.headers = type(case.headers)(_without_key(scheme, case.headers))
            if scheme.place == "query":
                asked.query = {n: v for n, v in case.query.items() if n != scheme.name}
            if scheme.place == "cookie":
                asked.cookies = {n: v for n, v in case.cookies.items() if n != scheme.name}
        if case.operation.app is not None:
            settings.setdefault("app", case.operation.app)
        response: schemathesis.Response = case.operation.schema.transport.send(asked, **settings)
        return response

    def _failures(
        self,
        where: foreign.Route,
        response: schemathesis.Response,
        label: str,
        *,
        unknown: bool = False,
    ) -> Iterator[Failure]:
        sent = sent_of(response.request)
        anonymous = _anonymous(where.contract.scheme, sent)
        exchange = foreign.exchange(
            where,
            sent,
            received_of(response),
            known=("unknown", None) if unknown else None,
            anonymous=anonymous,
        )
        about = " (an id that nobody has)" if unknown else ""
        about += " (without Authorization)" if anonymous else ""
        for verdict in self._verdicts(where.contract, exchange):
            id_ = verdict.clause.id
            yield failure_of(id_)(operation=label, title=id_, message=told(verdict, about))

    def _verdicts(self, contract: Contract, exchange: Exchange) -> list[Verdict]:
        if contract.name not in self.judges:
            clauses = [
                c for c in contract.clauses if c.level in self.levels and c.id not in self.skip
            ]
            # Others, such as TRACE, a server need not know: 501 is a fair answer.
            named = {
                str(m) for c in clauses for m in listed(c.given.get("method", contract.method))
            }
            self.judges[contract.name] = (Judge(contract, clauses), frozenset(named))
        judge, methods = self.judges[contract.name]
        if exchange.sent.method not in methods:
            return []
        journal = Journal(contract.name, Exchanges([exchange]))
        verdicts = judge.judge(journal).verdicts
        return [v for v in verdicts if v.word == "violated"]


schemathesis.check(cancel_contracts)
