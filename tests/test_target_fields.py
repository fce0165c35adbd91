"""What goes along with calls: a gateway's key, a handler's credentials, a client certificate. Each goes
where it belongs and nowhere else, and none stands in anything that is written.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
import trustme
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load as load_spec
from cancel_contracts.contract.load import shipped
from cancel_contracts.errors import UsageError
from cancel_contracts.identity.fields import certificate_files
from cancel_contracts.ledger import account
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.targets.file import load
from servers.front import Request, Response, Written
from servers.provider import JSON, PROVIDER
from servers.service import Call, Service
from servers.trial import conforming
from test_cacert import Secure
from test_provision import GIVEN, Tenant

Capture = pytest.CaptureFixture[str]
KEY, MORE, PASSWORD = "gateway-Key-7f3a91", "second-Key-55aa01", "p4ssword:of-the-Handler"
SECRETS = (KEY, MORE, PASSWORD, base64.b64encode(f"me:{PASSWORD}".encode()).decode())
MACHINE_ACTION = next(c for c in map(load_spec, shipped()) if c.name == "machine-action")
CLAUSES = ("--contract", "machine-action", "--only", "MA-07", "--only", "MA-34", "--only", "MA-53")


class Gateway:
    """In front of a service: who has not the key is refused, at every route. It echoes the key."""

    wanted: ClassVar[dict[str, str]]
    handler_wants: ClassVar[dict[str, str]]
    strays: ClassVar[list[str]]  # what came where it does not belong

    def answer(self, request: Request) -> Response:
        at_handler = request.target.startswith(PROVIDER)
        wanted, other = self.wanted, self.handler_wants
        if at_handler:
            wanted, other = other, wanted
        for name, value in other.items():
            if request.headers.get(name) == value:
                self.strays.append(name)
        if any(request.headers.get(name) != value for name, value in wanted.items()):
            return Response(401, b"the gateway wants its key", ())
        found: Response = super().answer(request)  # type: ignore[misc]
        echo = tuple((f"X-Echo-{name}", value) for name, value in wanted.items())
        return Response(found.status, found.body, (*found.headers, *echo))


class Guarded(Gateway, Service):
    pass


class GuardedTenant(Gateway, Tenant):
    pass


WANTED = {"ocp-apim-subscription-key": KEY, "x-more": MORE}
BASIC = {"authorization": "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()}


def guarded(kind: type[Service] = Guarded, **more: Any) -> Service:
    return conforming("MA", kind, wanted=WANTED, handler_wants=BASIC, strays=[], **more)


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a target file says beside URL and tokens: each kind of source once."""
    monkeypatch.setenv("GATEWAY_KEY", f"{KEY}\n")
    (tmp_path / "more.key").write_text(MORE, "utf-8")
    return {
        "headers": {"Ocp-Apim-Subscription-Key": {"env": "GATEWAY_KEY"}},
        "contracts": {
            "machine-action": {"headers": {"X-More": {"file": str(tmp_path / "more.key")}}}
        },
    }


def write(folder: Path, service: Service, url: str, more: dict[str, Any]) -> Path:
    basic = {"url": url + PROVIDER, "basic": {"user": "me", "password": PASSWORD}}
    raw = {
        "base_url": url + service.page.prefix,
        "provider_states": basic,
        **service.tokens.target(),
        **more,
    }
    file = folder / "target.yaml"
    file.write_text(json.dumps(raw), "utf-8")
    return file


def test_each_goes_where_it_belongs_and_is_written_nowhere(
    described: dict[str, Any], tmp_path: Path, capsys: Capture
) -> None:
    service, out = guarded(), tmp_path / "out"
    out.mkdir()
    argv = ["--report-json", "r.json", "--report-junit", "r.xml", "--report-html", "r.html",
            "--report-markdown", "r.md", "--record", "r.har", "--ledger", "l.jsonl"]  # fmt: skip
    argv = [word if word.startswith("--") else str(out / word) for word in argv]
    with Written(service) as running:
        file = write(tmp_path, service, running.url, described)
        code = main(["verify", "--target", str(file), *CLAUSES, *argv])
        service.stopped.set()
    told = capsys.readouterr()
    assert code == 0, told.out
    assert service.calls > 3
    assert service.resources == {}, "the tear-down was let in too"
    assert service.strays == []  # type: ignore[attr-defined]
    written = {path.name: path.read_text("utf-8") for path in out.iterdir()}
    assert len(written) == 6
    for name, text in {**written, "screen": told.out + told.err}.items():
        for secret in SECRETS:
            assert secret not in text, name
    record = json.loads(written["r.har"])
    sent = {h["name"]: h["value"] for h in record["log"]["entries"][0]["request"]["headers"]}
    assert sent["X-More"] == "<X-More>"
    assert main(["judge", str(out / "r.har"), *CLAUSES]) == 0


def test_create_calls_and_their_undoing_are_let_in(
    described: dict[str, Any], tmp_path: Path, capsys: Capture
) -> None:
    service = guarded(GuardedTenant)
    described["contracts"]["machine-action"]["provision"] = GIVEN["MA"]
    with Written(service) as running:
        file = write(tmp_path, service, running.url, described)
        argv = ["verify", "--target", str(file), "--contract", "machine-action", "--only", "MA-40"]
        assert main(argv) == 0, capsys.readouterr().out
        service.stopped.set()
    assert {r.state for r in service.resources.values()} == {"Cancelled"}


def test_a_tear_down_by_the_ledger_is_let_in(described: dict[str, Any], tmp_path: Path) -> None:
    service, path = guarded(), tmp_path / "l.jsonl"
    service.resources["r-1"] = service.make("Pending", "admin")
    with Written(service) as running:
        file, handler = write(tmp_path, service, running.url, described), running.url + PROVIDER
        with Ledger(path) as ledger:
            ledger.begin()
            params = {"contract": "machine-action", "state": "Pending"}
            ledger.made(ledger.set_up("machine-action", "Pending", handler, params), {"id": "r-1"})
        assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 0
        service.stopped.set()
    assert "r-1" not in service.resources
    assert account.read(path).torn_down == 1


def test_without_its_key_a_gateway_lets_nobody_in(tmp_path: Path, capsys: Capture) -> None:
    service = guarded()
    with Written(service) as running:
        file = write(tmp_path, service, running.url, {})
        assert main(["verify", "--target", str(file), *CLAUSES]) == 4
        service.stopped.set()
    assert service.calls == 0


class Forgiving(Guarded):
    """Cancels whatever it is asked to, known or not."""

    def unknown(self, call: Call) -> Response:
        return Response(200, b"{}", JSON)


def test_a_curl_line_names_the_key(described: dict[str, Any], tmp_path: Path) -> None:
    service, report = guarded(Forgiving), tmp_path / "r.json"
    with Written(service) as running:
        file = write(tmp_path, service, running.url, described)
        argv = ["verify", "--target", str(file), *CLAUSES, "--report-json", str(report)]
        assert main(argv) == 1
        service.stopped.set()
    told = report.read_text("utf-8").replace('\\"', '"')
    assert """-H 'Ocp-Apim-Subscription-Key: '"$OCP_APIM_SUBSCRIPTION_KEY_TOKEN" """ in told
    assert """-H 'X-More: '"$X_MORE_TOKEN" """ in told


def test_a_client_certificate_opens_the_door(tmp_path: Path, capsys: Capture) -> None:
    authority = trustme.CA()
    own = authority.issue_cert("client@lab.example")
    both, certificate, key = (tmp_path / name for name in ("both.pem", "c.pem", "k.pem"))
    own.private_key_and_cert_chain_pem.write_to_path(str(both))
    own.cert_chain_pems[0].write_to_path(str(certificate))
    own.private_key_pem.write_to_path(str(key))
    trust = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trust))
    codes = []
    for source in (str(both), {"certificate": str(certificate), "key": str(key)}, None):
        service = conforming("MA")
        server = authority.issue_cert("127.0.0.1")
        with Secure(service, certificate=server, clients=authority) as running:
            raw = {
                "base_url": running.url + service.page.prefix,
                "provider_states": running.url + PROVIDER,
                **service.tokens.target(),
                **({"client_certificate": source} if source else {}),
            }
            file = tmp_path / "target.yaml"
            file.write_text(json.dumps(raw), "utf-8")
            codes.append(main(["verify", "--target", str(file), *CLAUSES, "--cacert", str(trust)]))
            service.stopped.set()
    assert codes == [0, 0, 4], capsys.readouterr().out


def test_a_certificate_that_cannot_be_used_is_told_before_any_traffic(tmp_path: Path) -> None:
    from cancel_contracts.targets.fields import CertificateSource

    key = tmp_path / "k.pem"
    trustme.CA().issue_cert("a@b.example").private_key_pem.write_to_path(str(key))
    locked = tmp_path / "locked.pem"
    locked.write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "utf-8",
    )
    for path in (tmp_path / "none.pem", tmp_path, key, locked, Path("a\0b")):
        with pytest.raises(UsageError, match="t: client_certificate"):
            certificate_files(CertificateSource(str(path), place="t: client_certificate"))


HEADERS = "base_url: http://127.0.0.1:1\n"
BAD: dict[str, tuple[str, str]] = {
    "no header name": ("headers: {'a b': x}", "headers: a name is no header name"),
    "what the suite sends": ("headers: {Content-Type: x}", "headers/Content-Type: is sent by the"),
    "what frames a message": ("headers: {transfer-encoding: x}", "is sent by the suite itself"),
    "who calls": ("headers: {AUTHORIZATION: x}", "headers/AUTHORIZATION: says who calls"),
    "twice": ("headers: {X-A: x, x-a: y}", "headers/x-a: stands twice"),
    "two sources": ("headers: {X-A: {env: A, file: B}}", "headers/X-A: must have only one of env, file"),
    "no source": ("headers: {X-A: {}}", "headers/X-A: must have one of env, file"),
    "a number": ("headers: {X-A: 5}", "headers/X-A: is read as a number"),
    "an unset variable": ("headers: {X-A: {env: NO_SUCH}}", "headers/X-A: the environment has no"),
    "no file": ("headers: {X-A: {file: /no/such}}", "headers/X-A: /no/such cannot be read"),
    "a line break": ('headers: {X-A: "s3cret-word\\nX-B: y"}', "headers/X-A: is empty or holds"),
    "nothing but space": ("headers: {X-A: ' '}", "headers/X-A: is empty or holds"),
    "beyond ASCII": ("headers: {X-A: s3cret-wörd}", "headers/X-A: is empty or holds"),
    "a handler without URL": ("provider_states: {headers: {X-A: x}}", "'url' is a required"),
    "a handler's key that is none": (
        "provider_states: {url: 'http://127.0.0.1', token: s3cret-word}", "has no key 'token'"),
    "a handler's URL that is none": (
        "provider_states:\n  url: http://127.0.0.1:0", ":3: provider_states/url: the URL has no port"),
    "two ways to authorize": (
        "provider_states: {url: 'http://127.0.0.1', headers: {authorization: s3cret-word},"
        " basic: {user: a, password: s3cret-word}}", "provider_states/basic: stands beside"),
    "a user with a colon": (
        "provider_states: {url: 'http://127.0.0.1', basic: {user: 'a:b', password: s3cret-word}}",
        "provider_states/basic: has a colon"),
    "no password": (
        "provider_states: {url: 'http://127.0.0.1', basic: {user: a}}", "'password' is a required"),
    "half a certificate": ("client_certificate: {key: k.pem}", "'certificate' is a required"),
    "no certificate": ("client_certificate: /no/such.pem", "client_certificate: No such file"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_is_one_line_before_any_traffic(
    name: str, tmp_path: Path, capsys: Capture
) -> None:
    text, says = BAD[name]
    file = tmp_path / "target.yaml"
    file.write_text(HEADERS + text, "utf-8")
    assert main(["verify", "--target", str(file), "--contract", "machine-action"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert f"{file}:" in line
    assert says in line
    assert "s3cret" not in line


def test_a_handler_of_one_contract_may_have_its_own(tmp_path: Path) -> None:
    file = tmp_path / "target.yaml"
    own = "{machine-action: {provider_states: {url: 'http://h/s?k=v', headers: {X-Key: a-key}}}}"
    file.write_text(f"base_url: http://h\ncontracts: {own}\n", "utf-8")
    site = load(file).endpoint(MACHINE_ACTION)
    assert site.handler == "http://h/s?k=v"
    assert [source.name for source in site.handler_headers] == ["X-Key"]
    assert "a-key" not in repr(site)
