"""The benchmark in a tiny form, so that it does not rot: one contract, ours and schemathesis."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Sent
from cancel_contracts.mock.catalogue import find
from cancel_contracts.transport.client import Transport
from rawserver import Peer, RawServer, answer

from benchmarks import distance, peers, results
from benchmarks.documents import for_peers
from benchmarks.measure import Row, Rows, measure
from benchmarks.ours import Ours
from benchmarks.sample import SAMPLE, TINY, Subject, subjects
from benchmarks.schemathesis_runs import Default
from benchmarks.site import Site
from benchmarks.tool import Said

pytestmark = pytest.mark.slow

CONTRACTS = {c.name: c for c in map(load, shipped())}


class Brief(Default):
    """As the default, over in seconds."""

    def more(self, site: Site) -> list[str]:
        return ["--phases", "examples,fuzzing", "--max-examples", "1"]


class Few(Ours):
    """Ours, held to what the faults of the tiny sample break and to what else any call shows."""

    def more(self, site: Site) -> list[str]:
        return [f"--only={id_}" for id_ in ("MA-01", "MA-13", "MA-34", "MA-35", "MA-48", "MA-50")]


def test_the_tiny_benchmark_tells_ours_from_schemathesis(tmp_path: Path) -> None:
    measured = measure([Few(), Brief()], subjects(TINY), jobs=2)
    ours, theirs = measured
    assert [row.subject.entry for row in ours.caught()] == list(TINY["machine-action"]["faults"])
    assert not ours.wrongly_failed() + ours.failed_conforming()
    assert not theirs.wrongly_failed() + theirs.failed_conforming()
    assert len(theirs.caught()) == 1, "the error page is seen without state, the challenge is not"
    assert all(row.requests > 0 for tool in measured for row in tool.rows)

    page = tmp_path / "RESULTS.md"
    page.write_text(results.RESULTS.read_text("utf-8"), "utf-8")
    results.fill("peers", peers.peers(measured, []), page)
    results.fill("subjects", peers.subjects(measured), page)
    text = page.read_text("utf-8")
    assert "| cancel-contracts | 2 of 2 | 0 of 1 | 0 of 1 |" in text
    assert "| machine-action | `404-as-html` | yes | yes |" in text
    with pytest.raises(KeyError):
        results.fill("no such part", "", page)


def test_a_tool_that_fails_a_conforming_server_is_counted_by_what_it_says_beyond() -> None:
    usual, more = Said(True, frozenset({"a"})), Said(True, frozenset({"a", "b"}))
    said = {"conforming": usual, "fault": more, "variant": usual}
    rows = [Row("x", Subject("c", kind), found, 1, 1.0) for kind, found in said.items()]
    tool = Rows(Ours(), [*rows, Row("x", Subject("c", "fault", "same"), usual, 1, 1.0)])
    assert [row.subject.entry for row in tool.caught()] == [""]
    assert len(tool.wrongly_failed()) == len(tool.failed_conforming()) == 1


@pytest.mark.parametrize("contract", SAMPLE)
def test_the_sample_names_what_applies(contract: str) -> None:
    for names in SAMPLE[contract].values():
        assert all(find(name).applies(CONTRACTS[contract]) for name in names)


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_documents_for_peers_are_valid(name: str) -> None:
    from openapi_spec_validator import validate  # which takes a tenth of a second

    for old in (True, False):
        document = for_peers(CONTRACTS[name], "http://127.0.0.1:1", "an-id", old=old)
        validate(document)
        assert '"x-' not in json.dumps(document)


def test_the_lock_file_pins_and_names_no_registry() -> None:
    folder = results.RESULTS.parent
    lock = json.loads((folder / "package-lock.json").read_text("utf-8"))
    wanted = json.loads((folder / "package.json").read_text("utf-8"))["devDependencies"]
    packages = lock["packages"]
    assert {n: packages[f"node_modules/{n}"]["version"] for n in wanted} == wanted
    assert not any("resolved" in row for row in packages.values())


def test_behind_the_proxy_a_server_is_as_far_as_it_says() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    three = threading.Barrier(3)

    def together(peer: Peer) -> None:
        peer.receive()
        three.wait(20)
        peer.send(ok)

    with RawServer(answer(ok, ok), together) as server, distance.far(server.url, 0.03) as way:
        with Transport(environ={}) as transport:
            one = [transport.send(Sent("GET", way.url), keep_alive=True) for _ in range(2)]
        with Transport(environ={}) as transport, ThreadPoolExecutor(3) as pool:
            two = list(pool.map(transport.send, [Sent("GET", way.url)] * 3))
    assert [x.received and x.received.body for x in (*one, *two)] == [b"ok"] * 5
    assert [x.reused for x in one] == [False, True]
    assert one[0].seconds >= 3 * 0.03
    assert one[1].seconds >= 0.03
    assert (way.requests, way.connections) == (5, 4)
    assert way.most == 3
