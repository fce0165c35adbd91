"""Which targets are local: the vendor's hosts of every cloud never are, whatever they resolve to."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

import pytest
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.errors import UsageError
from cancel_contracts.targets import safety
from cancel_contracts.targets.file import of_url
from cancel_contracts.targets.pace import pacer
from cancel_contracts.verify import Options, assign

CONTRACTS = {path.stem: load(path) for path in shipped()}
CLOUDS = [
    "graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn", "graph.microsoft.de", "canary.graph.microsoft.com",
    "api.securitycenter.microsoft.com", "api-eu.securitycenter.microsoft.com",
    "api.security.microsoft.com", "us.api.security.microsoft.com", "api.securitycenter.windows.com",
    "api-gcc.securitycenter.microsoft.us", "api-gov.securitycenter.microsoft.us",
    "GRAPH.Microsoft.Com", "graph.microsoft.com.", "graph.microsoft.com:8443",
]  # fmt: skip


def resolve_to(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    """Let every name resolve to these addresses, as a hosts file would."""
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: rows)


@pytest.mark.parametrize("host", CLOUDS)
@pytest.mark.parametrize("name", CONTRACTS)
def test_a_host_of_the_vendor_is_never_local(
    host: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, "127.0.0.1")
    # Also where the run has only the contract of another host.
    assert (
        safety.why_not_local(f"https://{host}/beta", [CONTRACTS[name]]) == "is a host of the vendor"
    )
    assert not safety.is_loopback(f"https://{host}", [CONTRACTS[name]])


@pytest.mark.parametrize(
    ("found", "local"),
    [
        (["127.0.0.1"], True),
        (["10.1.2.3", "192.168.0.1"], True),
        (["10.1.2.3", "8.8.8.8"], False),
        (["8.8.8.8"], False),
        ([], False),
    ],
)
def test_another_host_is_local_where_all_its_addresses_are(
    found: list[str], local: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, *found)
    for host in ("mock.internal", "notgraph.microsoft.com.example", "xgraph.microsoft.com"):
        assert safety.is_local(f"http://{host}:80", CONTRACTS.values()) is local


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[::1]:1", "http://10.0.0.1"])
def test_an_address_speaks_for_itself(url: str) -> None:
    assert safety.is_local(url, CONTRACTS.values())


def test_a_spec_whose_server_is_this_machine_keeps_it_local(tmp_path: Path) -> None:
    text = Path(__file__).with_name("print_job_spec.txt").read_text("utf-8")
    spec = tmp_path / "print-job.yaml"
    spec.write_text(text.replace("https://print.example/v2", "http://localhost:8080/v2"), "utf-8")
    assert safety.is_local("http://localhost:8080", [load(spec)])
    spec.write_text(text, "utf-8")
    assert not safety.is_local("https://eu.print.example", [load(spec)])


def test_servers_with_variables_are_filled_in(tmp_path: Path) -> None:
    text = Path(__file__).with_name("print_job_spec.txt").read_text("utf-8")
    spec = tmp_path / "print-job.yaml"
    row = '{url: "https://{r}.print.example", x-scope: "https://{r}/.default", variables: {r: {default: a, enum: [a, b]}}}'
    line = 'servers: [{url: "https://print.example/v2"}]'
    spec.write_text(text.replace(line, f"servers: [{row}]"), "utf-8")
    found = [(s.url, s.scope) for s in load(spec).servers]
    assert found == [
        ("https://a.print.example", "https://a/.default"),
        ("https://b.print.example", "https://b/.default"),
    ]
    spec.write_text(text.replace(line, 'servers: [{url: "https://{r}.print.example"}]'), "utf-8")
    with pytest.raises(UsageError, match=r"servers/0: \{r\} has no default"):
        load(spec)


def test_a_vendors_host_is_paced_and_harmless_even_on_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve_to(monkeypatch, "127.0.0.1")
    contract = CONTRACTS["machine-action"]
    for allowed in (False, True):  # --allow-destructive alone names no resource
        options = Options(allow_destructive=allowed)
        (found,) = assign([contract], of_url(contract.server), options)
        assert found.harmless
        assert {s.subject.resource for s in found.plan.scenarios} <= {"unknown", "odd"}
    asked: list[str] = []

    def granted(self: object, name: str, blocking: bool = True) -> bool:
        asked.append(name)
        return True

    monkeypatch.setattr("pyrate_limiter.Limiter.try_acquire", granted)
    pacer(contract, contract.server, None)()
    pacer(contract, "http://mock.internal", None)()
    assert asked == [contract.name]


def test_the_output_says_why_only_harmless_calls_are_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    resolve_to(monkeypatch, "10.0.0.1")
    argv = ["verify", "https://graph.microsoft.us/beta", "--contract", "security-action", "--plan"]
    assert main(argv) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "graph.microsoft.us/beta is a host of the vendor: only calls that can cancel nothing" in out
    )
    resolve_to(monkeypatch)
    assert main(["verify", "https://nowhere.example", "--plan"]) == 0
    assert "does not resolve" in " ".join(capsys.readouterr().out.split())


def test_resources_and_the_flag_together_lift_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cancel_contracts.targets.file import load as load_target

    resolve_to(monkeypatch, "8.8.8.8")
    contract = CONTRACTS["machine-action"]
    file = tmp_path / "target.yaml"
    ids = "{machine-action: {provider_states: {Pending: [a]}}}"
    file.write_text(f"base_url: {contract.server}\ncontracts: {ids}\n", "utf-8")
    harmless = [
        assign([contract], load_target(file), Options(allow_destructive=allowed))[0].harmless
        for allowed in (False, True)
    ]
    assert harmless == [True, False]


def test_loopback_is_known_by_every_form() -> None:
    assert safety.addresses("http://[::1]") == [ipaddress.ip_address("::1")]
    assert safety.is_loopback("http://127.1.2.3")
