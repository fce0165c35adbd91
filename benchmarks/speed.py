"""Speed of the suite itself, in ratios: `python -m benchmarks.speed` fills its part of RESULTS.md.

The server is the built-in mock in a process of its own, without quotas. Every ratio compares two
measurements of this run on this machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
import yaml
from cancel_contracts.assignment import Options
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange, Sent
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import Judge
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify

from benchmarks import results

DEEP_CALLS = int(os.environ.get("SPEED_CALLS", "3000"))
ROUNDS = 3
BARE_CALLS = 600
LONG_CALLS = 40_000  # and some 65,000 looks
SERVER = """
import sys, threading, yaml
from pathlib import Path
from cancel_contracts.builtin import new_key, target_of
from cancel_contracts.mock.server import MockServer
from cancel_contracts.contract.load import load
contract, key = load(Path(sys.argv[1])), new_key()
with MockServer([contract], key=key, quotas=False, variants=sys.argv[2:]) as server:
    print(yaml.safe_dump(dict(target_of(server, [contract], key).raw), width=10**6), flush=True)
    print("---", flush=True)
    threading.Event().wait()
"""

# A command line that ends by saying its peak of memory in KiB, as Linux counts it: getrusage would
# count what stood here before.
PEAK = """
import sys
from pathlib import Path
from cancel_contracts.cli import main
code = main(sys.argv[1:])
status = Path("/proc/self/status").read_text("ascii")
print(status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
sys.exit(code)
"""


@contextmanager
def served(contract: Contract, *variants: str) -> Iterator[Target]:
    """Serve a contract's mock in a process of its own."""
    command = [sys.executable, "-c", SERVER, contract.path_of_file, *variants]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "---\n")
            raw = yaml.safe_load("".join(lines))
            yield Target("the mock", raw, raw["base_url"])
        finally:
            process.kill()


def seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def bare_rate(calls: Sequence[Sent]) -> float:
    """Return the requests a second of a plain loop over the same calls, each on a connection of its
    own.
    """
    for_requests = ("host", "content-length", "transfer-encoding", "connection")

    def loop() -> None:
        for sent in calls:
            headers = {k: v for k, v in sent.headers if k.lower() not in for_requests}
            headers["Connection"] = "close"
            requests.request(
                sent.method, sent.url, headers=headers, data=sent.body or None, timeout=10
            )

    return len(calls) / seconds(loop)


def sample(result: Result) -> list[Sent]:
    """Return calls and looks of a run, spread over it; not those with odd ids, which `requests`
    would write in its own way.
    """
    made = result.results[0].journal.exchanges
    plain = [x.sent for x in made if x.situation.id.word in ("known", "unknown")]
    return plain[:: max(1, len(plain) // BARE_CALLS)][:BARE_CALLS]


def deep(contract: Contract, target: Target, **options: int) -> tuple[Result, float]:
    """Return a run of `deep` and its exchanges a second, generating and judging included."""
    chosen = Options(profile="deep", max_requests=DEEP_CALLS)
    begun = time.perf_counter()
    result = verify([contract], target, replace(chosen, **options))  # type: ignore[arg-type]
    passed = time.perf_counter() - begun
    return result, len(result.results[0].journal.exchanges) / passed


def rate(contract: Contract, jobs: int) -> tuple[str, str, str]:
    """Exchanges, and requests, a second in `deep` over those of the bare loop, taken in turns; and
    the processor time of a request over that of the loop, which other load on the machine
    disturbs less.
    """
    exchanges, requests_, processor = [], [], []
    with served(contract) as target:
        calls = sample(deep(contract, target, max_requests=900)[0])  # loads the modules, too
        for _ in range(ROUNDS):
            clock = [time.process_time()]
            before = bare_rate(calls)
            clock.append(time.process_time())
            result, ours = deep(contract, target, jobs=jobs)
            clock.append(time.process_time())
            bare = (before + bare_rate(calls)) / 2
            counted = result.results[0].requests()
            exchanges.append(ours / bare)
            made = counted["cancel"] + counted["observe"]
            requests_.append(ours / bare * counted.total() / made)
            first, second = (b - a for a, b in pairwise(clock))
            processor.append(second / counted.total() / (first / len(calls)))
    rows = (exchanges, requests_, processor)
    one, two, three = (f"{statistics.median(row):.2f}" for row in rows)
    return one, two, three


def jobs(contract: Contract) -> str:
    """The gate on a mock that answers late, by one job over by eight."""
    clauses = tuple(c.id for c in contract.clauses[:20])
    with served(contract, "latency") as target:
        one, eight = (
            seconds(lambda n=n: verify([contract], target, Options(only=clauses, jobs=n)))  # type: ignore[misc]
            for n in (1, 8)
        )
    return f"{one / eight:.1f}"


def many(made: list[Exchange], rounds: int) -> Exchanges:
    """Return the exchanges of a run so many times over, as other scenarios."""
    span = max(x.scenario for x in made) + 1
    return Exchanges(
        replace(x, scenario=x.scenario + span * n, started=x.started + 1000.0 * n)
        for n in range(rounds)
        for x in made
    )


def judging(contract: Contract) -> str:
    """The time to judge an exchange of a long journal over that of a short one."""
    with served(contract) as target:
        made = list(deep(contract, target, max_requests=600)[0].results[0].journal.exchanges)
    judge = Judge(contract, contract.clauses)

    def each(rounds: int) -> float:
        journal = Journal(contract.name, many(made, rounds), minted=True)
        return seconds(lambda: judge.judge(journal)) / len(journal.exchanges)

    return f"{each(64) / each(16):.2f}"


def resident_mib() -> float:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def memory(contract: Contract) -> str:
    """MiB that 100,000 exchanges of a journal and their verdicts add."""
    with served(contract) as target:
        made = list(deep(contract, target, max_requests=600)[0].results[0].journal.exchanges)
    before = resident_mib()
    journal = Journal(contract.name, many(made, 100_000 // len(made)), minted=True)
    verdicts = Judge(contract, contract.clauses).judge(journal)
    grown = resident_mib() - before
    assert verdicts.verdicts
    return f"{grown:.0f} MiB"


def whole(contract: Contract) -> str:
    """MiB that the peak of a run of `deep` with 100,000 exchanges, recorded and reported, lies over
    that of a short one.
    """
    command = [sys.executable, "-c", PEAK, "verify", "--target", "target.yaml", "--contract"]
    command += [contract.name, "--profile", "deep", "--report-json", "report.json"]
    command += ["--report-html", "report.html", "--record", "traffic.har", "--max-requests"]

    def peak_mib(calls: int, folder: str) -> float:
        done = subprocess.run(
            [*command, str(calls)], check=True, cwd=folder, capture_output=True, text=True
        )
        return int(done.stderr.splitlines()[-1]) / 1024

    with served(contract) as target, TemporaryDirectory() as folder:
        Path(folder, "target.yaml").write_text(yaml.safe_dump(dict(target.raw)), "utf-8")
        peak_mib(300, folder)  # makes Hypothesis' table of Unicode, once for all
        short = peak_mib(300, folder)
        return f"{peak_mib(LONG_CALLS, folder) - short:.0f} MiB"


def start_up() -> str:
    """`cancel-contracts --help` over a bare interpreter."""
    code = "from cancel_contracts.cli import main; main(['--help'])"

    def run(*command: str) -> float:
        return statistics.median(
            seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
            for _ in range(5)
        )

    return f"{run(sys.executable, '-c', code) / run(sys.executable, '-c', 'pass'):.1f}"


def table(long: bool) -> str:
    """Measure everything and return a Markdown table."""
    contract = next(c for c in map(load, shipped()) if c.quotas)
    what = "memory that a run of 100,000 adds to that of a short one, recorded and reported"
    added = memory(contract)  # before anything has made the heap wide
    one, with_calls, processor = rate(contract, 1)
    four, _, _ = rate(contract, 4)
    rows = [
        ["requests a second in `deep`, over a bare `requests` loop", with_calls],
        ["the same, without the calls to the provider-state handler", one],
        ["the same with `--jobs 4`", four],
        ["processor time of a request in `deep`, over that of the loop", processor],
        ["memory that 100,000 exchanges add, judged", added],
        *([[what, whole(contract)]] if long else []),
        ["time to judge an exchange, sixty-four runs together over sixteen", judging(contract)],
        ["a gate on a mock that answers 300 ms late, `--jobs 1` over `--jobs 8`", jobs(contract)],
        ["start-up of `--help`, over a bare interpreter", start_up()],
    ]
    return results.table(["what", "measured"], rows, right=1)


if __name__ == "__main__":
    results.fill("speed", table("--long" in sys.argv[1:]))
