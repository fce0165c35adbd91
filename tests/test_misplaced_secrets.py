"""A secret in the wrong place of a target file is not printed by the message that says so."""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from cancel_contracts.cli import main
from cancel_contracts.errors import UsageError, hushed
from hypothesis import assume, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

CLAIMS = {"aud": "https://api.example", "oid": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}
PARTS = [
    base64.urlsafe_b64encode(json.dumps(row).encode()).decode().rstrip("=")
    for row in ({"typ": "JWT", "alg": "RS256"}, CLAIMS)
]
JWT = ".".join([*PARTS, "c2lnbmF0dXJl-X9_q"])
SECRETS = {
    "a token": JWT,
    "a client secret": "8Q~xT7.kVn2_dLpW9sRb4mZc1yHf6gJt0uAe",
    "base64": "pQ3/9xTz+L0kV7bN1mYw4Rf8Gh2Jc5Dd6Ss0Aa1Bb2E=",
    "hexadecimal": "9f86d081884c7d659a2feaa0c55ad015",
}
PLACES = {
    "in braces": "identities: {{admin: {{token {0}}}}}",
    "a value without its key": "identities:\n  admin:\n    {0}",
    "a key": "{0}: x",
    "the name of an identity": "identities: {{{0}: 5}}",
    "token_env": "identities: {{admin: {{token_env: {0}}}}}",
    "token_file": "identities: {{admin: {{token_file: {0}}}}}",
    "token_command": "identities: {{admin: {{token_command: [{0}]}}}}",
    "key_env": "mint: {{algorithm: HS256, key_env: {0}}}",
    "key_file": "mint: {{algorithm: HS256, key_file: {0}}}",
    "the algorithm": "mint: {{algorithm: {0}, key: x}}",
    "base_url": "base_url: {0}",
    "base_url, after a scheme": "base_url: ht!tp://{0}",
    "provider_states": "provider_states: http://h/{0}#x",
    "a contract": "contracts: {{{0}: {{}}}}",
    "a primary": "primary: {{{0}: admin}}",
    "a primary's identity": "primary: {{machine-action: {0}}}",
    "an excuse": "not_testable: {{{0}: because}}",
    "an id in two runs": "contracts: {{machine-action: {{provider_states: {{Pending: ['#{0}#']}}}}}}",
    "a state": "contracts: {{machine-action: {{provider_states: {{{0}: [x]}}}}}}",
    "provision": "contracts: {{machine-action: {{provision: {{{0}: x}}}}}}",
    "an unclosed quote": 'identities: {{admin: {{token: "{0}}}}}',
    "a tag": "identities: !{0} x",
    "an alias": "identities: *{0}",
    "twice": "identities: {{{0}: {{token: x}}, {0}: {{token: y}}}}",
}  # fmt: skip


CASES = [(place, "a token") for place in PLACES]
CASES += [(place, secret) for place in ("in braces", "token_env", "key_file") for secret in SECRETS]


@pytest.mark.parametrize(("where", "what"), dict.fromkeys(CASES))
def test_a_misplaced_secret_is_not_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str, what: str
) -> None:
    file = tmp_path / "target.yaml"
    secret = SECRETS[what]
    text = PLACES[where].format(secret)
    file.write_text(text if "base_url" in text else f"base_url: http://127.0.0.1:1\n{text}\n")
    code = main(["verify", "--target", str(file), "--only", "MA-34"])
    told = capsys.readouterr()
    assert code != 0, told.out
    assert str(file) in told.err or code == 4, told.err
    for at in range(len(secret) - 7):
        assert secret[at : at + 8] not in told.out + told.err, told.err


# A target file that uses each key: wherever a secret is put into it, no message tells it.
WHOLE: dict[str, Any] = {
    "base_url": "http://127.0.0.1:1/beta",
    "provider_states": {
        "url": "http://127.0.0.1:1/states", "headers": {"X-Key": {"env": "NO_KEY"}},
        "basic": {"user": "u", "password": {"file": "/no/such"}},
    },
    "serves": ["machine-action"],
    "headers": {"X-Team": "blue", "X-Gateway": {"file": "/no/such"}},
    "client_certificate": {"certificate": "/no/such.pem", "key": "/no/key.pem"},
    "identities": {
        "admin": {"token_env": "NO_TOKEN"}, "app": {"token_file": "/no/such"},
        "reader": {"token_command": ["false", "-x"]}, "user": {"token": "t0ken"},
    },
    "mint": {"algorithm": "HS256", "key_file": "/no/such"},
    "primary": {"machine-action": "admin"},
    "not_testable": {"mint": "opaque"},
    "contracts": {
        "machine-action": {
            "provider_states": {"Pending": ["a-###", "b"]}, "unknown_id": "none",
            "identities": {"other": {"token_env": "NO_OTHER"}}, "not_testable": {"MA-20": "why"},
        },
        "security-action": {"provision": {"text": ["x"]}, "primary": "app"},
    },
}  # fmt: skip


def places(node: Any) -> list[tuple[Any, Any]]:
    """Return each container of a document with each of its keys."""
    if not isinstance(node, (dict, list)):
        return []
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    return [(node, key) for key in keys] + [row for key in keys for row in places(node[key])]


HOW: dict[str, Callable[[str, Any], Any]] = {
    "in its place": lambda secret, was: secret,
    "as a key": lambda secret, was: {secret: was},
    "as one more": lambda secret, was: [was, secret],
    "after a word": lambda secret, was: f"{was} {secret}",
    "after a slash": lambda secret, was: f"{was}/{secret}",
    "as a password": lambda secret, was: f"http://u:{secret}@127.0.0.1:1#x",
    "in a query": lambda secret, was: f"http:/127.0.0.1?sig={secret}",
}


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a target file, and the secret that stands in it where none belongs."""
    octets = random.Random(draw(st.integers(0, 2**32))).randbytes(draw(st.integers(24, 48)))
    secret = draw(st.sampled_from([
        *SECRETS.values(), base64.b64encode(octets).decode(), octets.hex(),
        base64.urlsafe_b64encode(octets).decode().rstrip("="),
    ]))  # fmt: skip
    assume(hushed(secret) != secret)  # what looks like one is tried below
    document = json.loads(json.dumps(WHOLE))
    holder, key = draw(st.sampled_from(places(document)))
    if isinstance(holder, dict) and draw(st.booleans()):
        holder[secret] = holder.pop(key)
    else:
        holder[key] = draw(st.sampled_from([*HOW.values()]))(secret, holder[key])
    text = yaml.safe_dump(document, default_flow_style=draw(st.booleans()), width=10_000)
    for mark in draw(st.lists(st.sampled_from([": ", "'", "{", "}", "- ", "\n"]), max_size=1)):
        at = text.find(mark, draw(st.integers(0, len(text))))
        text = text[: max(0, at)] + draw(st.sampled_from(["", "!", "*", "&", '"'])) + text[at:]
    return text, secret


@given(spoiled())
@settings(max_examples=40, deadline=None)
def test_no_message_tells_a_secret_wherever_it_was_put(drawn: tuple[str, str]) -> None:
    text, secret = drawn
    with (
        TemporaryDirectory() as folder, redirect_stderr(io.StringIO()) as err,
        redirect_stdout(io.StringIO()) as out,
    ):  # fmt: skip
        file = Path(folder, "target.yaml")
        file.write_text(text, "utf-8")
        code = main(["verify", "--target", str(file), "--only", "MA-34"])
    told = err.getvalue() + (out.getvalue() if code == 2 else "")
    assert code in (2, 4), told
    for at in range(len(secret) - 7):
        assert secret[at : at + 8] not in told, told


@pytest.mark.parametrize(
    "text",
    [
        "the environment has no MDE_APP_TOKEN_2024",
        "/home/somebody/projects/cancel-contracts/tokens/admin.jwt cannot be read",
        "/var/lib/pytest-of-root/pytest-12/test_x0/target.yaml",
        "no machine is 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "'http://192.168.100.200:8080/api/v1.0/security/alerts_v2' is no http or https URL",
        "use one of Machine.CollectForensics, SecurityActions.ReadWrite.All",
        "'additionalPropertiesForbidden' was unexpected",
    ],
)
def test_names_paths_and_ids_are_quoted(text: str) -> None:
    assert hushed(text) == text
    assert str(UsageError("target.yaml: x", text, "fix it")) == f"target.yaml: x: {text}; fix it"


@pytest.mark.parametrize(
    "around",
    [
        "{}", "contracts/machine-action/provider_states/{}", "identities/{}/token_env",
        "http://127.0.0.1/some/long/path/to/the/handler/{}", "token_env={}", "sig={}&x=1",
        "/home/somebody/projects/cancel-contracts/tokens/{}.jwt", "a/b/c/d/e/f/g/h/{}/i/j/k/l/m/n",
    ],
)  # fmt: skip
def test_what_is_drawn_by_lot_is_not_quoted(around: str) -> None:
    """Nor where names that nobody has to hide stand around it."""
    lot = random.Random(around)
    codings: list[Callable[[bytes], str]] = [
        lambda octets: base64.urlsafe_b64encode(octets).decode().rstrip("="),
        lambda octets: base64.b64encode(octets).decode(),
        bytes.hex,
    ]
    for coding in codings:
        words = [coding(lot.randbytes(32)) for _ in range(200)]
        shown = [
            w for w in words if any(w[i : i + 8] in hushed(around.format(w)) for i in range(25))
        ]
        assert len(shown) <= 1, shown


@given(st.text(max_size=200))
@settings(max_examples=100)
def test_a_message_is_a_line_whatever_it_quotes(text: str) -> None:
    assert "\n" not in str(UsageError(f"f: {text}", text, text))
