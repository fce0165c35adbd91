"""The gate on a target that is far away, beside `schemathesis run`: `python -m benchmarks.distance`
fills its part of RESULTS.md.

A proxy on loopback, in a process of its own, holds back every byte by half a round trip each way,
and the first ones of a connection by two more: one for TCP's handshake, one for that of TLS.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import yaml
from cancel_contracts.assignment import Options, assign, in_flight
from cancel_contracts.builtin import new_key, target_of
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.identity.identities import Identities
from cancel_contracts.mock.server import MockServer
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.file import Target

from benchmarks import results
from benchmarks.tool import python

ROUND_TRIPS_SECONDS = (0.04, 0.1)
HANDSHAKES = 2  # round trips of a new connection
PIECE_BYTES = 65536


class Proxy:
    """Hands bytes on, late. `most` is how many requests were under way at once."""

    def __init__(self, port: int, round_trip: float) -> None:
        self.port, self.round_trip = port, round_trip
        self.under_way = self.most = self.requests = self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        ready = time.monotonic() + HANDSHAKES * self.round_trip
        asked = False

        def ask(up: bool) -> None:
            """Count a request from its first byte until the first one of its answer."""
            nonlocal asked
            if up != asked:
                asked = up
                self.under_way += 1 if up else -1
                self.requests += up
                self.most = max(self.most, self.under_way)

        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await asyncio.gather(
                self._hand_on(reader, far_writer, ready, lambda: ask(True)),
                self._hand_on(far_reader, writer, ready, lambda: ask(False)),
            )
        except OSError:
            pass  # one side has gone
        finally:
            ask(False)
            for end in (writer, far_writer):
                end.close()

    async def _hand_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ready: float,
        seen: object,
    ) -> None:
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def take() -> None:
            data = b"-"
            while data:
                data = await reader.read(PIECE_BYTES)
                if data:
                    seen()  # type: ignore[operator]
                due = max(ready, time.monotonic()) + self.round_trip / 2
                pieces.put_nowait((due, data))

        taking = asyncio.ensure_future(take())
        try:
            while True:
                due, data = await pieces.get()
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()
        finally:
            taking.cancel()


async def proxy(port: int, round_trip: float) -> None:
    """Serve until standard input ends; say the port first, and what was counted last."""
    handing = Proxy(port, round_trip)
    server = await asyncio.start_server(handing.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(handing.most, handing.requests, handing.connections, flush=True)


@dataclass
class Far:
    """A server behind the proxy. The counts stand once it has ended."""

    url: str
    most: int = 0
    requests: int = 0
    connections: int = 0


@contextmanager
def far(url: str, round_trip: float) -> Iterator[Far]:
    """Put a server on loopback far away."""
    port = str(urlsplit(url).port)
    command = [sys.executable, "-m", "benchmarks.distance", "proxy", port, str(round_trip)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).resolve().parent.parent,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            found = Far(f"http://127.0.0.1:{process.stdout.readline().strip()}")
            yield found
            process.stdin.close()
            counts = map(int, process.stdout.readline().split())
            found.most, found.requests, found.connections = counts
        finally:
            process.kill()


SERVER = """
import sys, threading
from benchmarks.distance import mock
mock()
"""


def mock() -> None:
    """Serve the mock of every contract; print its target file and the tokens for other tools."""
    contracts, key = [load(path) for path in shipped()], new_key()
    with MockServer(contracts, key=key, quotas=False) as server:
        target = target_of(server, contracts, key)
        tokens = {c.name: token(c, target) for c in contracts}
        print(yaml.safe_dump([dict(target.raw), tokens], width=10**6), "---", sep="", flush=True)
        sys.stdin.read()


def token(contract: Contract, target: Target) -> str:
    """Return a token that suffices for every call."""
    identities = Identities(contract, target.endpoint(contract), Redactor())
    who = "app" if any(p.kind == "application" for p in contract.permissions) else "admin"
    return identities.credentials(who).secret


def ours(folder: Path, *flags: str) -> float:
    command = [python("cancel-contracts"), "verify", "--target", "target.yaml", *flags]
    return _seconds(command, folder, (0,))


def schemathesis(contract: Contract, url: str, token_: str, folder: Path) -> float:
    command = [python("schemathesis"), "run", str(contract.path_of_file), "--url", url]
    command += ["-H", f"Authorization: Bearer {token_}", "--seed", "1"]
    return _seconds(command, folder, (0, 1))


def _seconds(command: Sequence[str], folder: Path, fine: Sequence[int]) -> float:
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode not in fine:
        raise SystemExit(f"{command[0]} ended {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - begun


def measure(round_trip: float, tell: bool = True) -> list[str]:
    """Return a row: the gate's time as a part of that of schemathesis, and what was counted."""
    contracts = [load(path) for path in shipped()]
    with (
        subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process,
        TemporaryDirectory() as name,
    ):
        assert process.stdout is not None
        folder = Path(name)
        try:
            raw, tokens = yaml.safe_load("".join(iter(process.stdout.readline, "---\n")))
            near = raw["base_url"]

            def put(url: str) -> Target:
                text = yaml.safe_dump(raw).replace(near, url)
                (folder / "target.yaml").write_text(text, "utf-8")
                return Target("the proxy", yaml.safe_load(text), url)

            with far(near, round_trip) as way:
                target = put(way.url)
                told = in_flight(assign(contracts, target, Options()), Options())
                gate = ours(folder)
            with far(near, round_trip) as alone:
                put(alone.url)
                one = ours(folder, "--jobs", "1")
            with far(near, round_trip) as theirs:
                other = sum(schemathesis(c, theirs.url, tokens[c.name], folder) for c in contracts)
        finally:
            process.kill()
    if way.most > told:
        raise SystemExit(f"{way.most} requests were under way, and {told} were told")
    if tell:
        print(round_trip, gate, one, other, way, alone, theirs, file=sys.stderr)
    return [
        f"{1000 * round_trip:.0f} ms", f"{gate / other:.2f}", f"{one / other:.2f}",
        f"{way.requests / theirs.requests:.2f}", f"{way.most} of {told}",
    ]  # fmt: skip


HEAD = [
    "round trip", "the gate's time over that of `schemathesis run`", "the same with `--jobs 1`",
    "requests, over its", "at a time, of those told",
]  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["proxy"]:
        asyncio.run(proxy(int(sys.argv[2]), float(sys.argv[3])))
    else:
        only = [float(text) for text in sys.argv[1:] if re.fullmatch(r"[0-9.]+", text)]
        rows = [measure(seconds) for seconds in only or ROUND_TRIPS_SECONDS]
        if only:
            print(results.table(HEAD, rows, right=4))
        else:
            results.fill("distance", results.table(HEAD, rows, right=4))
