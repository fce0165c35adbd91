"""Which targets are local: the vendor's hosts of every cloud never are, whatever they resolve to."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

import generated
import pytest
from cancel_contracts import hosts
from cancel_contracts.assignment import Options, assign
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Sent
from cancel_contracts.plan.plan import Profile
from cancel_contracts.targets import safety
from cancel_contracts.targets.file import of_url
from cancel_contracts.targets.pace import pacer
from cancel_contracts.targets.url import check_url
from cancel_contracts.transport.client import Transport
from cancel_contracts.verify import verify

CONTRACTS = {path.stem: load(path) for path in shipped()}
CLOUDS = [
    "graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn", "graph.microsoft.de", "canary.graph.microsoft.com",
    "api.securitycenter.microsoft.com", "api-eu.securitycenter.microsoft.com",
    "api.security.microsoft.com", "us.api.security.microsoft.com", "api.securitycenter.windows.com",
    "ina.api.security.microsoft.com", "api-gcc.security.microsoft.us", "api-gov.security.microsoft.us",
    "api-gcc.securitycenter.microsoft.us", "api-gov.securitycenter.microsoft.us",
    "GRAPH.Microsoft.Com", "graph.microsoft.com.", "graph.microsoft.com:8443",
]  # fmt: skip


def resolve_to(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    """Let every name resolve to these addresses, as a hosts file would."""
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: rows)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_host_of_the_vendor_is_never_local(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.1")
    # Also where the run has only the contract of another host.
    some = [CONTRACTS[name]]
    told = {host: safety.why_not_local(f"https://{host}/beta", some) for host in CLOUDS}
    assert told == dict.fromkeys(CLOUDS, "is a host of the vendor")
    assert [host for host in CLOUDS if safety.is_loopback(f"https://{host}", some)] == []


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
        assert (safety.why_not_local(f"http://{host}:80", CONTRACTS.values()) is None) is local


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[::1]:1", "http://10.0.0.1"])
def test_an_address_speaks_for_itself(url: str) -> None:
    assert safety.why_not_local(url, CONTRACTS.values()) is None


def test_a_spec_whose_server_is_this_machine_keeps_it_local(tmp_path: Path) -> None:
    text = Path(__file__).with_name("print_job_spec.txt").read_text("utf-8")
    spec = tmp_path / "print-job.yaml"
    spec.write_text(text.replace("https://print.example/v2", "http://localhost:8080/v2"), "utf-8")
    assert safety.why_not_local("http://localhost:8080", [load(spec)]) is None
    spec.write_text(text, "utf-8")
    assert (
        safety.why_not_local("https://eu.print.example", [load(spec)]) == "is a host of the vendor"
    )


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


@pytest.mark.parametrize("profile", ["smoke", "gate", "deep"])
@pytest.mark.parametrize("name", CONTRACTS)
def test_what_is_sent_without_being_asked_for_is_what_the_page_says(
    name: str, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safety, "why_not_local", lambda *args: "is far away")
    row = next(line for line in generated.harmless().splitlines() if f"`{name}`" in line)
    numbers = [int(word) for word in row.split() if word.isdigit()]
    told = numbers[2:] if profile == "deep" else numbers[:2]
    contract = CONTRACTS[name]
    with mock_target([contract]) as target:
        options = Options(profile=profile)
        planned = assign([contract], target, options)[0].cost()
        result = verify([contract], target, options)
    sent = result.results[0].requests()
    if profile == "smoke":  # it is a part of the gate, by as much as its plan leaves out
        assert planned["cancel"] <= told[0]
        assert planned["observe"] <= told[1]
        told = [planned["cancel"], planned["observe"]]
    assert [sent["cancel"], sent["observe"], sent["provider_states"]] == [*told, 0]
    named = {x.situation.resource for x in result.results[0].journal.exchanges}
    assert named == {"unknown", "odd"}


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
    assert hosts.addresses("http://[::1]") == [ipaddress.ip_address("::1")]
    assert safety.is_loopback("http://127.1.2.3")


ADDRESSES = {
    True: [
        "127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254",
        "192.168.0.1", "169.254.1.1", "::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:c0a8:1",
    ],
    False: [
        "8.8.8.8", "0.0.0.0", "0.1.2.3", "100.64.0.1", "172.15.255.255", "172.32.0.1", "192.0.0.8",
        "192.0.2.1", "192.88.99.1", "192.169.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "169.254.169.254",
        "169.254.170.2", "100.100.100.200", "168.63.129.16", "::", "2001:4860:4860::8888",
        "2001::7f00:1", "2001:db8::1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b:1::1", "::7f00:1",
        "fec0::1", "ff02::1", "100::1", "fd00:ec2::254", "fd20:ce::254", "::ffff:8.8.8.8",
        "::ffff:169.254.169.254", "::ffff:198.18.0.1", "::ffff:0.0.0.0",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("local", "texts"), ADDRESSES.items())
def test_local_is_loopback_private_and_link_local_alone(
    local: bool, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in texts:
        address = hosts.address_of(text)
        assert address is not None, text
        assert hosts.is_local(address) is local, text
        resolve_to(monkeypatch, text)
        inside = f"[{text}]" if ":" in text else text
        urls = [f"http://{inside}:1"] if "%" not in text else []
        for url in (*urls, "http://mock.internal"):
            assert (safety.why_not_local(url) is None) is local, (text, url)


# A URL, and the name or address that is judged and connected to.
SPELLED = {
    "http://faß.lab": "xn--fa-hia.lab",  # IDNA 2003 would have it fass.lab
    "http://FASS.lab": "fass.lab",
    "http://βόλος.lab": "xn--nxasmm1c.lab",  # a final sigma, another one under IDNA 2003
    "http://graph\u3002microsoft\uff0ecom": "graph.microsoft.com",
    "http://\u24d6raph.microsoft.com": "graph.microsoft.com",
    "http://GRAPH.Microsoft.COM:80": "graph.microsoft.com",
    "http://my_mock:8080": "my_mock",
    "http://xn--fa-hia.lab": "xn--fa-hia.lab",
    "http://127.1:1": "127.1",
    "http://0x7f000001": "0x7f000001",
    "http://[::1]:8080": "::1",
    "http://[FD00::1]:8080": "fd00::1",
    "http://[::ffff:127.0.0.1]": "::ffff:127.0.0.1",
    "HTTP://Mock.internal:": "mock.internal",
}
UNSENDABLE = {
    "no scheme": "mock.internal",
    "another scheme": "ftp://mock.internal",
    "no slashes": "http:mock.internal",
    "no host": "http:///path",
    "no host but a port": "http://:80",
    "a percent in the host": "http://gra%70h.microsoft.com",
    "a backslash after the host": "http://127.0.0.1\\.lab",
    "a backslash and an at": "http://mock.internal\\@127.0.0.1",
    "a user": "http://me@mock.internal",
    "a user and a password": "http://me:s3cret-word@mock.internal",
    "a star": "http://*.lab",
    "a dot in front": "http://.lab",
    "two dots": "http://a..lab",
    "two dots at the end": "http://a.lab..",
    "a label too long": f"http://{'a' * 64}.lab",
    "a name too long": f"http://{'a.' * 150}lab",
    "a name too long once it is spelled": f"http://{'ß' * 60}.lab",
    "no IDNA name": "http://a\u200d.lab",
    "a soft hyphen alone": "http://\xad.lab",
    "a comma": "http://a,b",
    "port 0": "http://h:0",
    "a port past the last": "http://h:65536",
    "a port of six digits": "http://h:000080",
    "a port with a sign": "http://h:+80",
    "a port of letters": "http://h:80a",
    "a port in other digits": "http://h:\uff18\uff10",
    "two ports": "http://h:1:2",
    "half an IPv6 address": "http://[::1",
    "the other half": "http://::1]",
    "an IPv6 address without brackets": "http://::1:80",
    "brackets around a name": "http://[localhost]",
    "brackets around an IPv4 address": "http://[127.0.0.1]",
    "an IP of the future": "http://[v1.a]",
    "an IPv6 address past the last": "http://[1:2:3:4:5:6:7:8:9]",
    "a zone": "http://[fe80::1%25eth0]",
    "a zone as others write it": "http://[fe80::1%eth0]:80",
    "a space before the port": "http://h :80",
    "a tab in the host": "http://a\tb",
    "a line break": "http://a\n",
    "a lone surrogate": "http://h/\udcff",
}


@pytest.mark.parametrize("url", SPELLED)
def test_what_is_judged_is_what_is_connected_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def nobody(host: str, *args: object, **kwargs: object) -> object:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with Transport(environ={}) as transport:
        got = transport.send(Sent("GET", f"{url}/a"))
    assert got.failure == "unreachable"
    assert asked == [SPELLED[url]] == [hosts.host_of(url)]
    assert check_url("base_url", url) == url
    vendors = SPELLED[url].endswith("microsoft.com")
    assert safety.is_vendors(url, []) is vendors


@pytest.mark.parametrize("name", UNSENDABLE)
def test_what_cannot_be_sent_to_is_refused_by_whoever_is_asked(name: str) -> None:
    url = UNSENDABLE[name]
    with pytest.raises(UsageError) as refused:
        check_url("t.yaml:1: base_url", url)
    line = str(refused.value)
    assert line.startswith("t.yaml:1: base_url: the URL ")
    assert "s3cret" not in line
    with Transport(environ={}) as transport, pytest.raises(UsageError, match=r"^URL: ") as refused:
        transport.send(Sent("GET", f"{url}/a"))
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://h/?", "http://h/a?b=c", "http://h?b", "http://h#", "http://h/#a"]
)
def test_what_a_path_cannot_follow_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="carries a query or fragment"):
        check_url("base_url", url)


def test_a_space_that_is_no_ascii_is_one() -> None:
    for url in ("http://h/a\xa0b", "http://h/a\u2003", "http://h/\u200b"):
        with pytest.raises(UsageError, match="holds a space"):
            check_url("base_url", url)


FILES = {
    "of the target": ("# mine\nbase_url: http://h:99999\n", "2: base_url"),
    "of all handlers": (
        "base_url: http://h\n\nprovider_states: 'http://a..b'\n",
        "3: provider_states",
    ),
    "of one contract": (
        "base_url: http://h\ncontracts:\n  machine-action:\n    primary: app\n    base_url:\n      http://[::1\n",
        "6: contracts/machine-action/base_url",
    ),
    "of one handler": (
        "base_url: http://h\ncontracts: {machine-action: {provider_states: 'http://me@h/x'}}\n",
        "2: contracts/machine-action/provider_states",
    ),
    "in JSON": (
        '{"base_url": "http://h",\n "provider_states": "http://h /"}',
        "2: provider_states",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_url_that_cannot_be_sent_to_is_told_by_file_and_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, place = FILES[name]
    path = tmp_path / "target.yaml"
    path.write_text(text, "utf-8")
    assert main(["verify", "--target", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"cancel-contracts: {path}:{place}: the URL ")
