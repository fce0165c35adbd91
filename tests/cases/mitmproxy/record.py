"""Make the recordings of this folder anew: `python record.py MITMDUMP`, with tests/ on the path.

Not part of the tests: mitmproxy pins packages that this project has in other versions, so it is
installed in an environment of its own.
"""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cancel_contracts.mock import MockServer
from test_mock_support import KEY, MACHINE, World, contract_of

FOLDER = Path(__file__).parent
GOOD, BAD = '{"Comment": "stop it"}', "{not json}"
LOOK, CANCEL, REFUSED = ("GET", None), ("POST", GOOD), ("POST", BAD)
BROKEN_OFF = ("broken off", GOOD)
SCENARIOS: dict[str, list[tuple[str, str | None]]] = {
    "success": [LOOK, CANCEL, LOOK],
    "refused-first": [LOOK, REFUSED, CANCEL, LOOK],
    "preflight": [LOOK, ("OPTIONS", None), CANCEL, LOOK],
    "broken-off": [LOOK, BROKEN_OFF, LOOK, CANCEL, LOOK],
    "success-as-202": [CANCEL],
    "gateway": [LOOK, CANCEL],
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def record(mitmdump: str, name: str, calls: list[tuple[str, str | None]]) -> None:
    """Make the calls through mitmdump, which writes the flows and a HAR."""
    faults = [name] if name == "success-as-202" else []
    with (
        tempfile.TemporaryDirectory() as folder,
        MockServer([contract_of(MACHINE)], key=KEY, quotas=False, faults=faults) as mock,
    ):
        world, port = World(MACHINE, mock), free_port()
        id_ = world.new()
        behind = free_port() if name == "gateway" else world.port  # nobody is there
        options = ["-q", "--mode", f"reverse:http://127.0.0.1:{behind}", "-p", str(port)]
        options += ["--listen-host", "127.0.0.1", "--set", f"confdir={folder}"]
        options += ["-w", str(FOLDER / f"{name}.mitm")]
        options += ["--set", f"hardump={folder}/{name}.har", "--set", "connection_strategy=lazy"]
        with subprocess.Popen([mitmdump, *options]) as proxy:
            for method, body in calls:
                call(port, method, id_, body, world.identity("admin") or "")
            time.sleep(0.5)
            proxy.terminate()
        if name == "refused-first":
            (FOLDER / f"{name}.har").write_bytes(Path(folder, f"{name}.har").read_bytes())


def call(port: int, method: str, id_: str, body: str | None, token: str) -> None:
    url = f"/api/machineactions/{id_}" + ("" if method == "GET" else "/cancel")
    headers = {"Authorization": token, "Content-Type": "application/json"}
    for _ in range(100):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST" if method == "broken off" else method, url, body, headers)
            if method == "broken off":
                return
            connection.getresponse().read()
            return
        except ConnectionRefusedError:
            time.sleep(0.1)
        finally:
            connection.close()


if __name__ == "__main__":
    for name, calls in SCENARIOS.items():
        record(sys.argv[1], name, calls)
