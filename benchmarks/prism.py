"""Prism as a proxy between this suite's requests and the server. What Prism says of the answers is
its verdict; ours is not looked at.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import closing

from benchmarks.documents import for_peers
from benchmarks.node_tools import pinned
from benchmarks.site import UNKNOWN, Site
from benchmarks.tool import BIN, Said, call, no_node, python

START_SECONDS = 60


class Prism:
    name = "Prism proxy, our requests"
    how = (
        "`prism proxy openapi.json URL`, our document as OpenAPI 3.1; `verify --record` sends its requests through it. A fault is caught where Prism "
        "puts a violation of the *response* into `sl-violations`. Violations of the request are ours by intent and not counted, nor are "
        "our own verdicts. Calls with odd ids are left out: the path with broken percent-encoding ends the proxy."
    )

    def version(self) -> str:
        return pinned("@stoplight/prism-cli")

    def missing(self) -> str | None:
        return no_node("prism")

    def prepare(self, site: Site) -> None:
        document = for_peers(site.contract, site.url, UNKNOWN, old=False)
        site.write("openapi.json", document)

    def run(self, site: Site) -> Said:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        site.target_file(base_url=url)
        command = [str(BIN / "prism"), "proxy", "openapi.json", site.url, "--port", str(port)]
        command += ["--verboseLevel", "silent"]
        proxy = subprocess.Popen(
            command, cwd=site.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(port, proxy)
            command = [python("cancel-contracts"), "verify", "--target", "target.yaml"]
            command += ["--contract", site.contract.name, "--record", "traffic.har"]
            for clause in site.contract.clauses:
                if clause.given.get("resource") == "odd":
                    command += ["--skip", clause.id]
            call(command, site)
        finally:
            proxy.terminate()
            proxy.wait(10)
        recorded = json.loads((site.folder / "traffic.har").read_text("utf-8"))
        found = set()
        for entry in recorded["log"]["entries"]:
            for header in entry["response"]["headers"]:
                if header["name"].lower() == "sl-violations":
                    found |= {_complaint(entry, x) for x in json.loads(header["value"])}
        found.discard("")
        return Said(bool(found), frozenset(found))


def _complaint(entry: dict[str, object], violation: dict[str, object]) -> str:
    place = violation.get("location")
    if not isinstance(place, list) or not place or place[0] != "response":
        return ""
    return f"{violation.get('code') or violation.get('message')} {'/'.join(map(str, place))}"


def _wait(port: int, proxy: subprocess.Popen[bytes]) -> None:
    """Return when the proxy listens. Raises RuntimeError where it does not come to."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and proxy.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except ConnectionError:
            time.sleep(0.02)
            continue
        return
    raise RuntimeError("prism did not start")
