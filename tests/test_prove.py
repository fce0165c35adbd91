"""The kill matrix is part of the tests: no fault survives, no variant fails, no clause is idle.

So that it stays quick, one fault of every family that breaks for one fact, and the variants in
twenties, meet one contract each, drawn by a seed; those that break for two facts are all met, each
on one (joint_matrix.py). MATRIX=all has the whole matrix, as `cancel-contracts prove` has, and pairs.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import joint_matrix
import pytest
from cancel_contracts.cli import main
from cancel_contracts.contract.given import asked
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.mock.by_deep import BY_DEEP
from cancel_contracts.mock.catalogue import ENTRIES, FAULTS, VARIANTS, find
from cancel_contracts.mock.entry import Fault, Variant
from cancel_contracts.prove import Proof, Trial, intended, jobs, pairs, profile_of, prove, trial
from cancel_contracts.report import matrix
from cancel_contracts.speaking import Speaking
from joint_matrix import SINGLE
from sampling import EVERY

pytestmark = pytest.mark.slow

CONTRACTS = [load(path) for path in shipped()]
CASES = [load(path) for path in sorted((Path(__file__).parent / "cases" / "specs").glob("*.yaml"))]


SEED = 16
TOGETHER = 20  # variants that one server of the draw has at most


def spoken(path: str, name: str) -> bool:
    """Whether a case passes an entry, or has a clause that may catch it."""
    contract, entry = next(c for c in CASES if c.path_of_file == path), find(name)
    return isinstance(entry, Variant) or bool(intended(contract, entry))


@cache
def jobs_of_all() -> tuple[tuple[str, str], ...]:
    return tuple(jobs(CONTRACTS))


@cache
def jobs_of_cases() -> tuple[tuple[str, str], ...]:
    """Return what no shipped contract has, where a clause speaks of it."""
    known = {name for _, name in jobs_of_all()}
    return tuple(job for job in jobs(CASES) if job[1] not in known and spoken(*job))


def sample(seed: int) -> list[tuple[str, str]]:
    """Return (spec file, entry): a fault of every single family and every variant, a contract each.
    What is new in the catalogue changes the draw where it stands, and no other.
    """

    def draw(name: str) -> random.Random:
        return random.Random(f"{seed}/{name}")

    families = dict[str, list[tuple[str, str]]]()
    known = {name for _, name in jobs_of_all()}
    for path, name in (*jobs_of_all(), *jobs_of_cases()):
        if isinstance(entry := find(name), Fault) and entry.family in SINGLE:
            families.setdefault(entry.family, []).append((path, name))
    variants = [*VARIANTS]
    variants.sort(key=lambda v: draw(v.name).random())
    ours = [v for v in variants if v.name in known]
    met = [*lots(ours, CONTRACTS), *lots([v for v in variants if v not in ours], CASES)]
    groups = {**families, **{group[0][1]: group for group in met}}
    return [least(draw(name).choices(group, k=6)) for name, group in groups.items()]


def least(drawn: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Return the job that takes least: the smallest contract's, and `deep` takes longer than any."""
    known = {c.path_of_file: c for c in (*CONTRACTS, *CASES)}

    def deep(job: tuple[str, str]) -> bool:
        entry = find(job[1])
        return isinstance(entry, Fault) and profile_of(known[job[0]], entry) == "deep"

    smallest, *others = sorted(drawn, key=lambda job: len(known[job[0]].clauses))
    return next((job for job in (smallest, *others) if not deep(job)), smallest)


def lots(variants: list[Variant], contracts: list[Contract]) -> Iterator[list[tuple[str, str]]]:
    """Yield the variants, up to twenty in one server, with the contracts that they fit. One that
    keeps something from being judged stands alone.
    """
    while variants:
        first, *rest = variants
        met, one = [first], first
        for other in () if first.excused else rest:
            fits = not other.excused and all(v.goes_with(other) for v in met)
            more = one.beside(other)
            if fits and len(met) < TOGETHER and any(map(more.applies, contracts)):
                met, one = [*met, other], more
        variants = [v for v in rest if v not in met]
        yield [(c.path_of_file, one.name) for c in contracts if one.applies(c)]


DRAWN = [pytest.param(*job, id=f"{job[1]}-{Path(job[0]).stem}") for job in sample(SEED)]


@pytest.mark.parametrize(("path", "name"), [] if EVERY else DRAWN)
def test_a_draw_of_the_matrix_has_no_hole(path: str, name: str) -> None:
    contract = next(c for c in (*CONTRACTS, *CASES) if c.path_of_file == path)
    entry = find(name)
    assert trial(contract, entry, recorded=isinstance(entry, Variant)).hole is None


if EVERY:

    def test_the_matrix_has_no_hole() -> None:
        proof = prove(CONTRACTS, jobs(CONTRACTS))
        assert proof.holes == []
        assert len(proof.trials) == len(jobs(CONTRACTS))


# A hundred and ninety of them meet in each twenty of the draw.
PAIRS = [
    pytest.param(*job, id=f"{job[1]}-{Path(job[0]).stem}")
    for job in (pairs(CONTRACTS, 20, SEED) if EVERY else ())
]
# What the suite failed once, or what the mock did not conform with; and others of their kind.
MET = [
    (
        "effect-visible-after-a-second+time-of-the-look+effect-in-another-property"
        "+http-1.0+chunked-answers",
        "security-action",
    ),
    ("occasional-429-in-seconds+path-below-the-server", "access-package-assignment-request"),
    ("tenants-not-told-apart+application-only", "security-action"),
    ("effect-visible-after-a-second+refusals-noted", "security-action"),
    ("answer-loads-nothing+repeat-answered-as-done", "machine-action"),
]


@pytest.mark.parametrize(
    ("path", "name"),
    [*PAIRS, *(pytest.param(contract, name, id=f"{name}-{contract}") for name, contract in MET)],
)
def test_a_draw_of_the_pairs_of_variants_passes(path: str, name: str) -> None:
    contract = next(c for c in CONTRACTS if path in (c.path_of_file, c.name))
    assert trial(contract, find(name), recorded=EVERY).hole is None


def test_pairs_are_drawn_by_a_seed_and_apply() -> None:
    drawn = pairs(CONTRACTS, 50, 1)
    assert len(set(drawn)) == 50
    assert drawn == pairs(CONTRACTS, 50, 1) != pairs(CONTRACTS, 50, 2)
    for path, name in drawn:
        contract = next(c for c in CONTRACTS if c.path_of_file == path)
        both = [find(one) for one in name.split("+")]
        assert len(both) == 2
        assert all(isinstance(one, Variant) and one.applies(contract) for one in both)


def test_a_pair_can_be_asked_for_by_its_name() -> None:
    (_, name), *rest = jobs(CONTRACTS, ["latency+no-get-route"])
    assert name == "latency+no-get-route"
    assert len(rest) == len(CONTRACTS) - 1


def test_two_answers_to_one_question_are_no_pair() -> None:
    drawn = [set(name.split("+")) for _, name in pairs(CONTRACTS, 30_000, 1)]
    for one, other in (
        ("bodies-ignored", "absent-body-refused"),
        ("odd-ids-answered-404", "odd-ids-answered-422"),
        ("states-in-pascal-case", "states-in-camel-case"),
        ("least-entity", "effect-in-another-property"),
    ):
        assert {one, other} not in drawn
        assert {one, "latency"} in drawn
    questions = Counter(v.settles for v in VARIANTS if v.settles)
    assert min(questions.values()) > 1, "a question that one variant alone answers is none"


def test_every_pair_of_a_variant_can_be_asked_for() -> None:
    name = "no-get-route"
    drawn = pairs(CONTRACTS, 10_000, 1, [name])
    assert {one for _, pair in drawn for one in pair.split("+")} >= {v.name for v in VARIANTS[:9]}
    assert all(name in pair.split("+") for _, pair in drawn)


def test_a_draw_has_every_family_and_every_variant() -> None:
    made = sample(SEED)
    drawn = {one for _, name in made for one in name.split("+")}
    assert Counter(name.count("+") for _, name in made)[TOGETHER - 1] > len(VARIANTS) // 30
    assert {f.family for f in FAULTS if f.name in drawn} >= SINGLE
    assert {f.family for f in joint_matrix.joint()} | SINGLE == {f.family for f in FAULTS} or EVERY
    assert {v.name for v in VARIANTS} <= drawn
    assert made == sample(SEED) != sample(SEED + 1)


def test_no_clause_is_idle() -> None:
    """Some fault that is held to be caught may be caught by it."""
    for contract in CONTRACTS:
        faults = [f for f in FAULTS if f.applies(contract)]
        meant = {id_ for fault in faults for id_ in intended(contract, fault)}
        assert [c.id for c in contract.clauses if c.id not in meant] == []


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("401-as-html", {"identity": "anonymous"}),
        ("head-answered-with-body", {"method": "HEAD"}),
        ("second-cancel-resurrects", {"call": "second"}),
    ],
)
def test_a_fault_meets_a_call_in_which_it_shows(name: str, fact: dict[str, str]) -> None:
    """Its own clauses may speak of any call, and ask for another."""
    for contract in CONTRACTS:
        fault = find(name)
        assert isinstance(fault, Fault)
        ids = Speaking(contract).showing(fault)
        calls = [call for c in contract.clauses if c.id in ids for call in asked(contract, c)]
        assert any(getattr(call, key) == word for call in calls for key, word in fact.items())


def test_every_entry_of_the_catalogue_applies_somewhere() -> None:
    for entry in ENTRIES.values():
        assert any(entry.applies(contract) for contract in (*CONTRACTS, *CASES)), entry.name


def test_every_fault_has_a_clause_that_may_catch_it() -> None:
    for fault in FAULTS:
        for contract in CONTRACTS:
            if fault.applies(contract):
                assert intended(contract, fault), (fault.name, contract.name)


def test_what_deep_catches_is_known() -> None:
    assert {fault.name for fault in FAULTS} >= BY_DEEP


def made(kind: str, outcome: str, violated: tuple[str, ...]) -> Trial:
    return Trial("c", "entry", kind, outcome, ("A-1",), violated, (), 9, 0.1)


def test_a_survivor_a_bystander_and_a_failed_variant_are_holes() -> None:
    assert made("fault", "conforms", ()).hole
    assert made("fault", "violated", ("A-2",)).hole
    assert made("fault", "violated", ("A-1", "A-2")).hole is None
    assert made("variant", "violated", ("A-1",)).hole
    assert made("variant", "inconclusive", ()).hole
    assert made("variant", "conforms", ()).hole is None


def test_a_hole_shows_in_every_form() -> None:
    proof = Proof((made("fault", "conforms", ()),), {"c": ("A-9",)}, 1.0)
    assert len(proof.holes) == 2
    assert "HOLE" in matrix.row(proof.trials)
    assert "HOLE  c: A-9 catches no fault" in matrix.ending(proof)
    assert "survives" in matrix.markdown(proof)
    assert json.loads(matrix.as_json(proof))["holes"] == proof.holes


def test_the_matrix_reads_both_ways() -> None:
    proof = Proof((made("fault", "violated", ("A-1", "A-2")), made("variant", "conforms", ())))
    assert "| entry | fault | A-1 | violated |" in matrix.markdown(proof)
    assert "| A-1 | entry |" in matrix.markdown(proof)
    assert json.loads(matrix.as_json(proof))["clauses"] == {"c": {"A-1": ["entry"]}}


def test_the_command_reports_and_exits_by_the_holes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "matrix.json"
    argv = ["prove", "--only", "unknown-id-answered-200", "--only", "chunked-answers"]
    some = ["--contract", "machine-action", "--contract", "security-action"]
    assert main([*argv, *some, "--report-json", str(report)]) == 0
    told = capsys.readouterr().out
    assert "2 of 2 faults caught" in told
    assert [line.split()[1] for line in told.splitlines()[:2]] == [argv[2], argv[4]]
    assert json.loads(report.read_text("utf-8"))["holes"] == []
