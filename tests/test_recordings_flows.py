"""Files of flows that mitmproxy wrote, judged: those in cases/mitmproxy, which mitmdump 11.0.2 made
before the built-in mock, and new ones where mitmdump is installed.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from cancel_contracts.har import flows
from cancel_contracts.mock import MockServer
from recordings import judge
from test_mock_support import KEY, MACHINE, World, contract_of

CASES = Path(__file__).parent / "cases" / "mitmproxy"
GOOD, BAD = '{"Comment": "stop it"}', "{not json}"
# recording -> what is violated, what is upheld among others, what was left out
FILES: dict[str, tuple[list[str], set[str], str]] = {
    "success.mitm": ([], {"MA-01", "MA-30", "MA-33", "MA-64"}, ""),
    "refused-first.mitm": ([], {"MA-01", "MA-30", "MA-33", "MA-52"}, ""),
    "refused-first.har": ([], {"MA-01", "MA-30", "MA-33", "MA-52"}, ""),
    "preflight.mitm": ([], {"MA-01", "MA-30", "MA-42"}, ""),
    "broken-off.mitm": ([], {"MA-30", "MA-33"}, "1 without an answer (broken off)"),
    "success-as-202.mitm": (["MA-29"], {"MA-48"}, ""),
}


@pytest.mark.parametrize("name", FILES)
def test_what_mitmproxy_recorded(name: str, tmp_path: Path) -> None:
    violated, upheld, left = FILES[name]
    found = judge(tmp_path, CASES / name)
    assert found.violated == violated
    assert upheld <= set(found.upheld)
    assert left in found.told


def test_what_mitmproxy_answers_itself_is_left_out(tmp_path: Path) -> None:
    found = judge(tmp_path, CASES / "gateway.mitm")
    assert found.exit_code == 5
    assert "1 without an answer (broken off)" in found.sentence


@pytest.mark.parametrize("cut", [1, 40, 3000])
def test_flows_that_break_off_are_read_as_far_as_they_go(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "half.mitm"
    path.write_bytes((CASES / "success.mitm").read_bytes()[:-cut])
    found = judge(tmp_path, path)
    assert found.violated == []
    assert "breaks off" in found.told


@pytest.mark.parametrize(
    "data",
    [b"5:hello,", b"3:abc}", b"12:1:a,1:b;1:c,}", b"2:[]]", b"9:99:a,1:b,}", b"999999999999:x"],
)
def test_what_is_no_flow_raises_nothing_but_value_errors(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.mitm"
    path.write_bytes(data)
    with path.open("rb") as file, pytest.raises(ValueError):
        list(flows.entries(file))


@pytest.fixture
def mitmdump() -> str:
    found = os.environ.get("MITMDUMP") or shutil.which("mitmdump")
    if not found:
        pytest.skip("mitmdump is not installed: flows are not made anew (MITMDUMP names it)")
    return found


@pytest.mark.parametrize("bodies", [[GOOD], [BAD, GOOD]], ids=["success", "refused first"])
def test_flows_that_are_made_now(bodies: list[str], mitmdump: str, tmp_path: Path) -> None:
    path = tmp_path / "t.mitm"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with MockServer([contract_of(MACHINE)], key=KEY, quotas=False) as mock:
        world = World(MACHINE, mock)
        url = f"/api/machineactions/{world.new()}"
        options = [
            "-q",
            "--mode",
            f"reverse:http://127.0.0.1:{world.port}",
            "--listen-host",
            "127.0.0.1",
        ]
        options += ["-p", str(port), "-w", str(path), "--set", f"confdir={tmp_path}"]
        with subprocess.Popen([mitmdump, *options]) as proxy:
            try:
                for method, body in [("GET", None), *(("POST", b) for b in bodies), ("GET", None)]:
                    place = url if body is None else f"{url}/cancel"
                    _ask(port, method, place, body, world.identity("admin") or "")
                time.sleep(0.2)  # mitmdump writes a flow when it is over
            finally:
                proxy.terminate()
    found = judge(tmp_path, path)
    assert found.violated == []
    assert {"MA-01", "MA-30", "MA-33", "MA-64"} <= set(found.upheld)


def _ask(port: int, method: str, url: str, body: str | None, token: str) -> None:
    headers = {"Authorization": token} | ({"Content-Type": "application/json"} if body else {})
    for _ in range(100):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(method, url, body, headers)
            connection.getresponse().read()
            return
        except ConnectionRefusedError:
            time.sleep(0.1)  # it is not up yet
        finally:
            connection.close()
    raise AssertionError("mitmdump did not come up")
