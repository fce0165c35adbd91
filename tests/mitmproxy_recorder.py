"""Has mitmproxy record what a client does of the mock: `python tests/mitmproxy_recorder.py MITMDUMP`
makes the files of cases/mitmproxy anew.

mitmproxy pins packages that this project has in other versions, so it lives in an environment of
its own.
"""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cancel_contracts.mock import MockServer
from test_mock_support import KEY, MACHINE, World, contract_of
from test_recordings_browser import Gate, gate

VERSION = "11.0.2"  # the latest for Python 3.11
FOLDER = Path(__file__).parent / "cases" / "mitmproxy"
GOOD, BAD = '{"Comment": "stop it"}', "{not json}"
LOOK, CANCEL, REFUSED = ("GET", None), ("POST", GOOD), ("POST", BAD)
BROKEN_OFF = ("broken off", GOOD)
Calls = list[tuple[str, str | None]]
SCENARIOS: dict[str, Calls] = {
    "success": [LOOK, CANCEL, LOOK],
    "refused-first": [LOOK, REFUSED, CANCEL, LOOK],
    "preflight": [LOOK, ("OPTIONS", None), CANCEL, LOOK],
    "broken-off": [LOOK, BROKEN_OFF, LOOK, CANCEL, LOOK],
    "success-as-202": [CANCEL],
    "gateway": [LOOK, CANCEL],
}


def installed(folder: Path) -> str:
    """Return mitmdump: the one on the PATH, or else one in an environment that `folder` keeps."""
    if found := shutil.which("mitmdump"):
        return found
    place = folder / "bin" / "mitmdump"
    if not place.exists():  # pip writes it last
        run = [sys.executable, "-m", "venv", "--clear", str(folder)]
        subprocess.run(run, check=True, timeout=300)
        pip = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "-q",
            f"mitmproxy=={VERSION}",
        ]
        subprocess.run(pip, check=True, timeout=300)
    return str(place)


def record(mitmdump: str, folder: Path, scenarios: dict[str, Calls], fault: str = "") -> None:
    """Make the calls, each scenario on a resource of its own, through mitmdump: it writes
    `traffic.mitm` and `traffic.har` into the folder.
    """
    faults = [fault] if fault else []
    with MockServer([contract_of(MACHINE)], key=KEY, quotas=False, faults=faults) as mock:
        world = World(MACHINE, mock)
        with gate(world.port) as (url, upstream):
            _recorded(mitmdump, folder, scenarios, world, url, upstream)


def _recorded(
    mitmdump: str,
    folder: Path,
    scenarios: dict[str, Calls],
    world: World,
    url: str,
    upstream: type[Gate],
) -> None:
    behind = "http://127.0.0.1:9" if "gateway" in scenarios else url  # nobody is there
    options = ["--mode", f"reverse:{behind}", "-p", "0", "--listen-host", "127.0.0.1"]
    options += ["--set", f"confdir={folder}", "--set", "connection_strategy=lazy"]
    options += ["-w", str(folder / "traffic.mitm"), "--set", f"hardump={folder}/traffic.har"]
    with subprocess.Popen([mitmdump, *options], stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout is not None
        told = next(line for line in proxy.stdout if "listening at" in line)
        port = int(re.findall(r":(\d+)", told)[-1])
        try:
            for calls in scenarios.values():
                id_, token = world.new(), world.identity("admin") or ""
                for method, body in calls:
                    call(port, method, id_, body, token, upstream)
        finally:
            proxy.terminate()
            proxy.communicate(timeout=60)


def call(
    port: int, method: str, id_: str, body: str | None, token: str, upstream: type[Gate]
) -> None:
    """Make one call; one that breaks off is done upstream, whose answer nobody awaits."""
    url = f"/api/machineactions/{id_}" + ("" if method == "GET" else "/cancel")
    headers = {"Authorization": token, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        if method == "broken off":
            connection.request("POST", url, body, headers | {"X-Hold": "1"})
            assert upstream.held.wait(60)
        else:
            connection.request(method, url, body, headers)
            connection.getresponse().read()
    finally:
        connection.close()


if __name__ == "__main__":
    for name, calls in SCENARIOS.items():
        with tempfile.TemporaryDirectory() as place:
            record(sys.argv[1], Path(place), {name: calls}, name if "202" in name else "")
            shutil.copy(Path(place, "traffic.mitm"), FOLDER / f"{name}.mitm")
            if name == "refused-first":
                shutil.copy(Path(place, "traffic.har"), FOLDER / f"{name}.har")
