"""Tokens that are wrong in one thing alone: what is minted, and how it goes out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cancel_contracts.contract.credentials import BEARER, IDENTITIES, NAMESAKES, oddity
from cancel_contracts.contract.load import every_shipped, load
from cancel_contracts.identity.forged import UNSIGNED
from cancel_contracts.identity.identities import Identities
from cancel_contracts.mock.catalogue import find
from cancel_contracts.mock.entry import Fault
from cancel_contracts.prove import profile_of
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.file import Target

CONTRACTS = {contract.name: contract for contract in map(load, every_shipped())}
KEY = "a key of thirty-two letters and more"
NAMED = {"sub", "oid", "preferred_username"}  # the caller's own name
FORGED = [name for name, word in IDENTITIES.items() if word.need == "mint"]
WRONG = {
    "wrong-audience": {"aud"},
    "wrong-issuer": {"iss"}, "without-expiry": {"exp"},
    "user-with-roles": {"scp", "roles"}, "scopes-listed": {"scp", "scopes"},
    "not-yet-valid": {"nbf", "exp"}, "scopes-and-roles": {"roles"},
    "other-tenant": {"iss", "tid"}, "expired": {"nbf", "exp"},
}  # fmt: skip


def parts(contract: str, name: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Return the header, the claims and the signature of a minted token."""
    raw = {"mint": {"algorithm": "HS256", "key": KEY}}
    endpoint = Target("t", raw, "http://127.0.0.1:1").endpoint(CONTRACTS[contract])
    token = Identities(CONTRACTS[contract], endpoint, Redactor(), {}).credentials(name).secret
    head, body, signature = token.split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4))) for p in (head, body)]
    return decoded[0], decoded[1], signature


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("contract", ["machine-action", "access-package-assignment-request"])
def test_a_token_is_wrong_in_one_thing_alone(contract: str, name: str) -> None:
    header, claims, signature = parts(contract, name)
    usual, ordinary, _ = parts(contract, NAMESAKES[name])
    wrong = {k for k in {*claims, *ordinary} - NAMED if claims.get(k) != ordinary.get(k)}
    odd = oddity(name)
    assert wrong - {"iat", "nbf", "exp"} == WRONG.get(odd, set()) - {"nbf", "exp"}
    assert WRONG.get(odd, set()) <= wrong
    assert (header != usual) == (odd in UNSIGNED)
    assert bool(signature) == (odd not in ("unsigned", "capital-none"))
    assert len({json.dumps(parts(contract, other)[:2]) for other in FORGED}) == len(FORGED)


def test_what_is_wrong_begins_as_the_right_one_does() -> None:
    for name, claim in (("wrong-audience", "aud"), ("wrong-issuer", "iss")):
        told = {who: parts("machine-action", who)[1] for who in (name, "admin")}
        right = str(told["admin"][claim])
        assert told[name][claim].startswith("/".join(right.split("/")[:3]))
        assert ".example" in told[name][claim]
    assert told["wrong-issuer"]["tid"] not in told["wrong-issuer"]["iss"]
    told_algorithm = [parts("machine-action", name)[0]["alg"] for name in UNSIGNED]
    assert told_algorithm == ["none", "NONE", "hs256"]


def test_of_another_tenant_all_that_names_a_tenant_does() -> None:
    for name, own in (("other-tenant", "admin"), ("other-tenant-app", "app")):
        claims, usual = (parts("security-action", who)[1] for who in (name, own))
        assert claims["tid"] in claims["iss"]
        assert claims["tid"] != usual["tid"]
        assert {k: claims[k] for k in NAMED} == {k: usual[k] for k in NAMED}


def test_a_users_roles_are_those_that_the_operation_documents() -> None:
    _, claims, _ = parts("machine-action", "user-with-roles")
    assert claims["scp"] == "User.Read"
    assert {p.name for p in CONTRACTS["machine-action"].permissions} == set(claims["roles"])


@pytest.mark.parametrize(("chars", "places"), [(400, 7), (1000, 7), (3000, 4)])
def test_a_token_elsewhere_leaves_room_in_the_head(chars: int, places: int) -> None:
    """Node.js reads 16 KiB of header fields, and answers 431 where there are more."""
    wire = IDENTITIES["token-elsewhere"].wire
    carried = wire(BEARER, "t" * chars)
    lines = [f"{name}: {text}" for name, text in carried.headers]
    assert sum("t" * chars in line for line in lines) == places
    assert sum(map(len, lines)) < 14 * 1024
    assert "authorization" not in {name.lower() for name, _ in carried.headers}


@pytest.mark.parametrize(
    ("name", "line"),
    [("other-scheme", "Bearers tok"), ("words-after", "Bearer tok and four words more")],
)
def test_authorization_holds_one_word_more_or_another(name: str, line: str) -> None:
    assert IDENTITIES[name].wire(BEARER, "tok").headers == (("Authorization", line),)


@pytest.mark.parametrize(
    ("fault", "contract", "profile"),
    [
        ("token-with-words-after", "machine-action", "deep"),
        ("token-with-words-after", "security-action", "gate"),
        ("token-of-another-tenant-accepted", "security-action", "deep"),
        ("token-without-expiry-accepted", "security-action", "deep"),
        ("token-of-another-issuer-accepted", "security-action", "gate"),
        ("success-as-201", "machine-action", "gate"),
    ],
)
def test_a_fault_meets_the_profile_that_asks_for_what_it_breaks(
    fault: str, contract: str, profile: str
) -> None:
    found, given = find(fault), CONTRACTS[contract]
    assert isinstance(found, Fault)
    assert profile_of(given, found) == profile
