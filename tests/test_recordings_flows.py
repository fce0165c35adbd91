"""Files of flows and HAR files that mitmproxy wrote, judged: those in cases/mitmproxy, and new ones by a
mitmdump that runs before the mock.
"""

from __future__ import annotations

from pathlib import Path

import mitmproxy_recorder
import pytest
from cancel_contracts.har import flows
from mitmproxy_recorder import SCENARIOS
from recordings import judge

CASES = Path(__file__).parent / "cases" / "mitmproxy"
# recording -> what is violated, what is upheld among others, what was left out
FILES: dict[str, tuple[list[str], set[str], str]] = {
    "success.mitm": ([], {"MA-01", "MA-30", "MA-33", "MA-64"}, ""),
    "refused-first.mitm": ([], {"MA-01", "MA-30", "MA-33", "MA-52"}, ""),
    "refused-first.har": ([], {"MA-01", "MA-30", "MA-33", "MA-52"}, ""),
    "preflight.mitm": ([], {"MA-01", "MA-30", "MA-33"}, ""),
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
    assert "1 that never left the client" in found.sentence


MITMDUMP = pytest.param(
    "mitmdump", marks=[pytest.mark.outside("mitmdump|python3"), pytest.mark.slow]
)


@pytest.fixture(scope="module", params=[MITMDUMP])
def mitmdump(request: pytest.FixtureRequest) -> str:
    """mitmdump, in an environment that pytest's cache keeps from run to run."""
    cache = request.config.cache
    assert cache is not None
    name = f"mitmproxy-{mitmproxy_recorder.VERSION}"
    return mitmproxy_recorder.installed(Path(cache.mkdir(name)))


def test_what_mitmproxy_records_now_of_a_conforming_server(mitmdump: str, tmp_path: Path) -> None:
    names = ("success", "refused-first", "preflight", "broken-off")
    mitmproxy_recorder.record(mitmdump, tmp_path, {name: SCENARIOS[name] for name in names})
    for file in ("traffic.mitm", "traffic.har"):
        found = judge(tmp_path, tmp_path / file)
        assert found.violated == [], file
        assert {"MA-01", "MA-30", "MA-33", "MA-52", "MA-64"} <= set(found.upheld), file
        assert "1 without an answer (broken off)" in found.told, file
        # A preflight is on the route. A look may be left out: lengths in a HAR of mitmproxy count
        # what was done at once twice.
        assert found.report["requests"]["cancel"] == 6, file


def test_what_mitmproxy_records_now_of_one_that_breaks_the_contract(
    mitmdump: str, tmp_path: Path
) -> None:
    scenario = {"success-as-202": SCENARIOS["success-as-202"]}
    mitmproxy_recorder.record(mitmdump, tmp_path, scenario, fault="success-as-202")
    for file in ("traffic.mitm", "traffic.har"):
        assert judge(tmp_path, tmp_path / file).violated == ["MA-29"], file


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
