"""Tokens from azure-identity and from commands: scope, renewal in time, one line where there is none.

A real azure-identity asks a token endpoint on this machine; renewal is tried with a clock of ours.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import cancel_contracts.identity.azure as azure_room
import pytest
import trustme
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.errors import Broken, Inconclusive, UsageError
from cancel_contracts.identity.identities import Identities
from cancel_contracts.identity.tokens import Tokens, expiry
from cancel_contracts.redact.secrets import MASK, Redactor
from cancel_contracts.targets.file import Endpoint, Target

Capture = pytest.CaptureFixture[str]
CONTRACTS = {path.stem: load(path) for path in shipped()}
ROOT = Path(__file__).resolve().parent.parent
MACHINE = CONTRACTS["machine-action"]
SECRET = "cl1ent-s3cret-of-the-lab"


class Clock:
    """Seconds since 1970, as a test wants them."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Fake:
    """A credential class: gives numbered tokens that live for some seconds, or raises."""

    def __init__(self, clock: Clock, life: float = 3600.0) -> None:
        self.clock, self.life = clock, life
        self.scopes: list[str] = []
        self.error: Exception | None = None

    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        self.scopes += scopes
        if self.error is not None:
            raise self.error
        number = len(self.scopes)
        return SimpleNamespace(
            token=f"azure-token-{number:04}", expires_on=int(self.clock() + self.life)
        )


def site(
    contract: str = "machine-action", base_url: str = "http://127.0.0.1:1", **rows: Any
) -> Endpoint:
    # Whoever makes the ordinary calls needs a source: one of those that are given.
    raw = {"base_url": base_url, "identities": rows, "primary": {contract: next(iter(rows))}}
    return Target("target.yaml", raw, base_url).endpoint(CONTRACTS[contract])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Fake:
    found = Fake(clock)
    monkeypatch.setattr("azure.identity.DefaultAzureCredential", lambda **kwargs: found)
    return found


def tokens(clock: Clock, redactor: Redactor | None = None, **rows: Any) -> Tokens:
    return Tokens(MACHINE, site(**rows), redactor or Redactor(), {}, clock)


def test_a_credential_that_never_comes_to_an_end_is_not_waited_for(
    clock: Clock, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    monkeypatch.setattr(fake, "get_token", lambda *scopes, **kwargs: never.wait(20))
    monkeypatch.setattr(azure_room, "TOKEN_SECONDS", 0.05)
    with pytest.raises(Inconclusive, match=r"no token \(no credential gave one within 0.05 s\)"):
        tokens(clock, app={"azure": {}})
    never.set()


# --- renewal ------------------------------------------------------------------------------------


def test_a_token_is_renewed_before_it_expires_and_learned_before_it_is_used(
    clock: Clock, fake: Fake
) -> None:
    redactor = Redactor()
    held = tokens(clock, redactor, app={"azure": {}})
    assert held.get("app") == "azure-token-0001"
    clock.now += 3600 - 301
    assert held.get("app") == "azure-token-0001"
    clock.now += 2
    assert held.get("app") == "azure-token-0002"
    assert redactor.text("azure-token-0001 azure-token-0002") == f"{MASK} {MASK}"
    clock.now += 3600 * 24
    assert held.get("app") == "azure-token-0003"
    assert len(fake.scopes) == 3


def test_a_token_of_a_short_life_is_renewed_when_half_of_it_is_over(
    clock: Clock, fake: Fake
) -> None:
    fake.life = 60
    held = tokens(clock, app={"azure": {}})
    for now, number in ((29, 1), (31, 2), (55, 2), (62, 3)):
        clock.now = 1_000_000.0 + now
        assert held.get("app") == f"azure-token-{number:04}", now


def test_a_renewal_that_fails_is_no_matter_until_the_token_has_expired(
    clock: Clock, fake: Fake
) -> None:
    held = tokens(clock, app={"azure": {}})
    fake.error = ServiceRequestError("no route\nto the host")
    clock.now += 3400
    for _ in range(5):
        assert held.get("app") == "azure-token-0001"
    assert len(fake.scopes) == 2  # not asked again with every call
    clock.now += 300
    with pytest.raises(Broken, match=r"the token of app has expired: .*no route"):
        held.get("app")
    fake.error = None
    assert held.get("app") == "azure-token-0004"


def test_a_source_that_gives_the_same_token_again_is_left_alone_for_a_while(
    clock: Clock, fake: Fake
) -> None:
    held = tokens(clock, app={"azure": {}})
    fake.life = 100.0  # what a cache may give: no better than what we have
    clock.now += 3500
    for _ in range(20):
        held.get("app")
    assert len(fake.scopes) == 2


def jwt(exp: float | None) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({} if exp is None else {'exp': exp})}.c2lnbmF0dXJl"


def command(tmp_path: Path, *given: str) -> list[str]:
    """Return a command that prints these, one each time, the last for ever."""
    (tmp_path / "tokens").write_text("\n".join(given), "utf-8")
    script = tmp_path / "next.py"
    script.write_text(
        "import pathlib; p = pathlib.Path(__file__).with_name('tokens')\n"
        "rows = p.read_text().split('\\n'); print(rows[0])\n"
        "p.write_text('\\n'.join(rows[1:] or rows))\n",
        "utf-8",
    )
    return [sys.executable, "-S", str(script)]


def test_the_jwt_of_a_command_is_renewed_as_its_exp_says(clock: Clock, tmp_path: Path) -> None:
    first, second = jwt(clock.now + 3600), jwt(clock.now + 7200)
    redactor = Redactor()
    held = tokens(clock, redactor, admin={"token_command": command(tmp_path, first, second)})
    assert held.get("admin") == first
    clock.now += 3400
    assert held.get("admin") == second
    assert second not in redactor.text(second)


@pytest.mark.parametrize("life", [None, -100.0])
def test_a_command_whose_token_says_nothing_or_was_expired_at_first_is_asked_once(
    life: float | None, clock: Clock, tmp_path: Path
) -> None:
    first = jwt(None if life is None else clock.now + life)
    held = tokens(clock, expired={"token_command": command(tmp_path, first, "another-token")})
    clock.now += 100_000
    assert held.get("expired") == first


@pytest.mark.parametrize(
    "text", ["opaque", "a.b.c", "a.b", jwt(None), "..", "a.WzFd.c", jwt(1).rpartition(".")[0]]
)
def test_what_is_no_jwt_has_no_expiry(text: str) -> None:
    assert expiry(text) is None


@pytest.mark.slow
def test_an_expired_token_ends_a_run_inconclusive_never_violated(
    clock: Clock, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The source fails for good in the middle of a run against a conforming target."""
    from cancel_contracts.builtin import mock_target

    monkeypatch.setattr(Tokens.__init__, "__defaults__", (clock,))
    with mock_target([MACHINE]) as target:
        granted = Identities(MACHINE, target.endpoint(MACHINE), Redactor(), {})
        good = granted.credentials("admin").secret
        asked = 0

        def get_token(*scopes: str, **kwargs: Any) -> Any:
            nonlocal asked
            asked += 1
            if asked > 1:
                raise ServiceRequestError("the authority is gone")
            return SimpleNamespace(token=good, expires_on=int(clock.now + 60))

        monkeypatch.setattr(fake, "get_token", get_token)
        raw = {k: v for k, v in target.raw.items() if k != "mint"}
        raw["identities"] = {"admin": {"azure": {}}}
        raw["contracts"] = {}
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(raw), "utf-8")
        ticks = iter(range(10**6))
        clock_now = clock.now
        monkeypatch.setattr(Clock, "__call__", lambda self: clock_now + next(ticks))
        code = main(
            [
                "verify",
                "--target",
                str(file),
                "--contract",
                "machine-action",
                "--report-json",
                str(tmp_path / "r.json"),
            ]
        )
    out = capsys.readouterr().out
    assert code == 4, out
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    found = {c["verdict"] for r in report["contracts"] for c in r["clauses"]}
    assert "violated" not in found
    assert "inconclusive" in found
    assert "the token of admin has expired" in " ".join(out.split())
    assert good not in out


# --- scope --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contract", "served_at", "scope"),
    [
        ("machine-action", "https://api.securitycenter.microsoft.com", "https://api.securitycenter.microsoft.com/.default"),
        ("machine-action", "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us/.default"),
        ("machine-action", "https://api-eu.securitycenter.microsoft.com", "https://api.securitycenter.microsoft.com/.default"),
        ("machine-action", "https://api.security.microsoft.com", "https://api.security.microsoft.com/.default"),
        ("machine-action", "https://swa.api.security.microsoft.com/api/v1.0", "https://api.security.microsoft.com/.default"),
        ("machine-action", "https://new.api.security.microsoft.com", "https://api.security.microsoft.com/.default"),
        ("machine-action", "https://api-gcc.security.microsoft.us", "https://api-gcc.security.microsoft.us/.default"),
        ("machine-action", "https://api-gov.security.microsoft.us", "https://api-gov.security.microsoft.us/.default"),
        ("machine-action", "https://notapi.security.microsoft.com.lab", "https://api.securitycenter.microsoft.com/.default"),
        ("machine-action", "http://127.0.0.1:1", "https://api.securitycenter.microsoft.com/.default"),
        ("security-action", "https://graph.microsoft.com/beta", "https://graph.microsoft.com/.default"),
        ("access-package-assignment-request", "https://dod-graph.microsoft.us/beta", "https://dod-graph.microsoft.us/.default"),
        ("access-package-assignment-request", "https://microsoftgraph.chinacloudapi.cn/beta", "https://microsoftgraph.chinacloudapi.cn/.default"),
    ],
)  # fmt: skip
def test_the_scope_is_that_of_the_contracts_server(
    contract: str, served_at: str, scope: str, clock: Clock, fake: Fake
) -> None:
    Tokens(CONTRACTS[contract], site(contract, served_at, app={"azure": {}}), Redactor(), {}, clock)
    assert fake.scopes == [scope]


def test_a_scope_of_the_target_file_wins(clock: Clock, fake: Fake) -> None:
    tokens(clock, app={"azure": {"scope": "api://mine/.default"}})
    assert fake.scopes == ["api://mine/.default"]


def test_a_contract_without_scope_asks_for_one(tmp_path: Path, clock: Clock, fake: Fake) -> None:
    spec = tmp_path / "print-job.yaml"
    spec.write_text(Path(__file__).with_name("print_job_spec.txt").read_text("utf-8"), "utf-8")
    with pytest.raises(UsageError, match="identities/app/azure: no scope is known for print-job"):
        Tokens(load(spec), site(app={"azure": {}}), Redactor(), {}, clock)


# --- complaints ---------------------------------------------------------------------------------


def refused() -> ClientAuthenticationError:
    return ClientAuthenticationError(
        f"AADSTS7000215: the secret {SECRET} is not the one.\nTrace ID: 1"
    )


@pytest.mark.parametrize(
    ("options", "error", "kind", "says"),
    [
        (
            {},
            CredentialUnavailableError("No accounts were found"),
            UsageError,
            "No accounts were found",
        ),
        (
            {},
            ClientAuthenticationError("The chain failed.\nA: none.\nB: none."),
            UsageError,
            "A: none. B: none",
        ),
        ({"managed_identity": True}, refused(), Inconclusive, "AADSTS7000215"),
        (
            {"managed_identity": True},
            CredentialUnavailableError("no endpoint"),
            UsageError,
            "no endpoint",
        ),
        ({}, ServiceRequestError("Name or service not known"), Inconclusive, "not known"),
        ({}, ValueError("a scope is wanted"), UsageError, "a scope is wanted"),
    ],
)
def test_a_complaint_is_one_line_without_a_secret(
    options: dict[str, Any],
    error: Exception,
    kind: type[Exception],
    says: str,
    clock: Clock,
    fake: Fake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("azure.identity.ManagedIdentityCredential", lambda **kwargs: fake)
    fake.error = error
    redactor = Redactor()
    redactor.learn(SECRET)
    with pytest.raises(kind) as found:
        tokens(clock, redactor, app={"azure": options})
    assert says in str(found.value)
    assert SECRET not in str(found.value)
    assert "\n" not in str(found.value)
    assert "Trace ID" not in str(found.value)


def test_without_the_extra_one_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    file = tmp_path / "target.yaml"
    file.write_text("base_url: http://127.0.0.1:1\nidentities: {admin: {azure: {}}}\n", "utf-8")
    assert main(["verify", "--target", str(file)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert (
        "identities/admin/azure: azure-identity is not installed; pip install 'cancel-contracts[azure]'"
        in line
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{tenant: x}", "identities/admin/azure: has no key 'tenant'"),
        ("{client_secret_env: X}", "'tenant_id' is a dependency of 'client_secret_env'"),
        (
            "{certificate_file: x, tenant_id: t}",
            "'client_id' is a dependency of 'certificate_file'",
        ),
        (
            "{certificate_file: x, client_secret_env: X, tenant_id: t, client_id: c}",
            "names two ways",
        ),
        (
            "{managed_identity: true, client_secret_env: X, tenant_id: t, client_id: c}",
            "names two ways",
        ),
        ("{managed_identity: false}", "identities/admin/azure/managed_identity"),
        ("[]", "must be of type object"),
        (
            "{client_secret_env: NOT_SET_AT_ALL, tenant_id: t, client_id: c}",
            "the environment has no NOT_SET_AT_ALL",
        ),
        ("{certificate_file: /nowhere.pem, tenant_id: t, client_id: c}", "No such file"),
        ("{client_secret_env: HOME, tenant_id: 't t', client_id: c}", "tenant"),
        ("{client_secret_env: HOME, tenant_id: t, client_id: c, authority: 'http://h'}", "https"),
    ],
)
def test_a_bad_azure_source_is_one_line_and_exit_2(
    row: str, says: str, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "target.yaml"
    file.write_text(
        f"base_url: http://127.0.0.1:1\nidentities: {{admin: {{azure: {row}}}}}\n", "utf-8"
    )
    assert main(["verify", "--target", str(file), "--contract", "machine-action"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert str(file) in line
    assert says in line


def test_the_options_choose_the_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    for name in (
        "DefaultAzureCredential",
        "ManagedIdentityCredential",
        "CertificateCredential",
        "ClientSecretCredential",
    ):
        monkeypatch.setattr(
            f"azure.identity.{name}", lambda *a, _n=name, **k: made.append((_n, a, k))
        )
    both = {"tenant_id": "t", "client_id": "c"}
    for options in ({}, both, {"managed_identity": True, "client_id": "c"}, {**both, "certificate_file": "f"},
                    {**both, "client_secret_env": "S", "authority": "login.microsoftonline.us"}):  # fmt: skip
        source = site(app={"azure": options}).identities["app"]
        azure_room.credential_of(source, Redactor(), {"S": SECRET})
    own = {
        "authority": "https://login.microsoftonline.us",
        "disable_instance_discovery": True,
        "retry_total": 2,
    }
    assert made == [
        ("DefaultAzureCredential", (), {}),
        ("DefaultAzureCredential", (), {"managed_identity_client_id": "c", "workload_identity_client_id": "c", "additionally_allowed_tenants": ["t"]}),
        ("ManagedIdentityCredential", (), {"client_id": "c"}),
        ("CertificateCredential", ("t", "c", "f"), {"retry_total": 2}),
        ("ClientSecretCredential", ("t", "c", SECRET), own),
    ]  # fmt: skip


# --- a real credential, a real endpoint ---------------------------------------------------------


class Authority:
    """The token endpoint of a tenant, with TLS, on a free port."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[dict[str, str]] = []
        self.issued: list[str] = []
        ca = trustme.CA()
        self.bundle = folder / "ca.pem"
        ca.cert_pem.write_to_path(str(self.bundle))
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def reply(self, status: int, answer: dict[str, Any]) -> None:
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                base = f"https://{authority.host}/t-1"
                self.reply(200, {
                    "issuer": f"{base}/v2.0", "token_endpoint": f"{base}/oauth2/v2.0/token",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                })  # fmt: skip

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                authority.asked.append(form)
                if form.get("client_secret") != SECRET:
                    told = f"AADSTS7000215: Invalid client secret {form.get('client_secret')}."
                    self.reply(401, {"error": "invalid_client", "error_description": told})
                    return
                token = f"opaque.of.the.authority-{len(authority.issued):08}"
                authority.issued.append(token)
                self.reply(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": token})

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"localhost:{self.server.server_address[1]}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost").configure_cert(context)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    found = Authority(tmp_path)
    thread = threading.Thread(target=found.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(found.bundle))
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


class Echo(BaseHTTPRequestHandler):
    """A target that tells every caller the own token, and that it knows nothing."""

    seen: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append(self.headers.get("Authorization") or "")
        data = json.dumps({"error": {"code": "NotFound", "message": self.seen[-1]}}).encode()
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST

    def log_message(self, *args: object) -> None:
        pass


def lab(tmp_path: Path, authority: Authority, base_url: str) -> Path:
    azure = {
        "tenant_id": "t-1",
        "client_id": "c-1",
        "client_secret_env": "LAB_SECRET",
        "authority": authority.host,
    }
    file = tmp_path / "target.yaml"
    file.write_text(
        json.dumps({"base_url": base_url, "identities": {"admin": {"azure": azure}}}), "utf-8"
    )
    return file


@pytest.mark.slow
def test_a_client_secret_gets_a_token_of_the_authority_and_no_output_shows_either(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("LAB_SECRET", SECRET)
    Echo.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    out = tmp_path / "out"
    out.mkdir()
    try:
        file = lab(tmp_path, authority, f"http://127.0.0.1:{server.server_address[1]}")
        main(["verify", "--target", str(file), "--contract", "machine-action", "--only", "MA-34",
              "--report-json", str(out / "r.json"), "--record", str(out / "r.har"), "--ledger", str(out / "l")])  # fmt: skip
    finally:
        server.shutdown()
        server.server_close()
    (form,) = authority.asked
    assert form["scope"] == "https://api.securitycenter.microsoft.com/.default"
    assert (form["client_id"], form["grant_type"]) == ("c-1", "client_credentials")
    (token,) = authority.issued
    assert f"Bearer {token}" in Echo.seen
    captured = capsys.readouterr()
    (out / "terminal").write_text(captured.out + captured.err, "utf-8")
    for path in out.iterdir():
        assert token not in path.read_text("utf-8"), path.name
        assert SECRET not in path.read_text("utf-8"), path.name


@pytest.mark.slow
def test_a_secret_that_is_refused_ends_4_in_one_line_and_is_not_shown(
    tmp_path: Path, authority: Authority
) -> None:
    file = lab(tmp_path, authority, "http://127.0.0.1:1")
    code = "import sys; from cancel_contracts.cli import main; sys.exit(main(sys.argv[1:]))"
    environ = {
        **os.environ,
        "LAB_SECRET": "another-s3cret-altogether",
        "PYTHONPATH": str(ROOT / "contracts"),
    }
    done = subprocess.run(  # a process of its own: nobody has set up logging there
        [sys.executable, "-c", code, "verify", "--target", str(file), "--contract", "machine-action"],
        capture_output=True, text=True, env=environ, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert "identities/admin" in line
    assert "AADSTS7000215" in line
    assert "another-s3cret" not in done.stdout + done.stderr


@pytest.mark.slow
def test_an_authority_that_nobody_vouches_for_ends_4(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("LAB_SECRET", SECRET)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    file = lab(tmp_path, authority, "http://127.0.0.1:1")
    assert main(["verify", "--target", str(file), "--contract", "machine-action"]) == 4
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "CERTIFICATE_VERIFY_FAILED" in line
    assert "the way to the authority" in line
    assert authority.asked == []
