"""Commands that let a person see a finding once more: `replay` makes its scenario anew, `token`
fills the variables of curl lines and scripts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cancel_contracts.cli.completing import CONTRACTS, IDENTITIES
from cancel_contracts.cli.options import (
    PATH,
    cacert_option,
    check_writable,
    every_contract,
    load_contracts,
    put,
    spec_option,
)
from cancel_contracts.errors import UsageError

if TYPE_CHECKING:
    from cancel_contracts.contract.model import Contract
    from cancel_contracts.reproduce.cases import Case
    from cancel_contracts.targets.file import Target

TARGET = "target.yaml"  # what `init` writes
INCONCLUSIVE = 4


@click.command()
@click.argument("report", type=PATH)
@click.argument("which", metavar="[DEFECT|CLAUSE]", required=False)
@click.option(
    "--target", "target_file", type=PATH, metavar="FILE",
    help="The target's description; without it the one that the report names.",
)  # fmt: skip
@click.option("--base-url", metavar="URL", help="Send there instead.")
@click.option(
    "--script", type=PATH, metavar="FILE",
    help="Send nothing: write the calls as a script, FILE.sh (curl) or FILE.py (requests).",
)  # fmt: skip
@click.option(
    "--allow-destructive", is_flag=True, help="Cancel resources on a target that is not local."
)
@spec_option
@cacert_option
def replay(report: Path, which: str | None, target_file: Path | None, base_url: str | None,
           script: Path | None, specs: tuple[Path, ...], **flags: Any) -> int:  # fmt: skip
    """Make findings of a JSON report anew: set-up, calls, looks, tear-down, and nothing else.

    DEFECT is a finding's number, CLAUSE a violated clause; without either all findings are made
    anew. Exit 1 where one still deviates, 0 where none does, 4 where that cannot be told.
    """
    from cancel_contracts.assignment import SWEEP_SECONDS, Options
    from cancel_contracts.cli.interrupt import interruptible
    from cancel_contracts.compare import load
    from cancel_contracts.report.again import Page
    from cancel_contracts.report.screen import Outlet
    from cancel_contracts.reproduce.again import again
    from cancel_contracts.reproduce.cases import cases

    document = load(report)
    contracts = every_contract(specs)
    found = cases(document, contracts, which)
    options = Options(sweep_seconds=SWEEP_SECONDS, **flags)
    with _target(document, contracts, target_file, base_url) as target:
        if script is not None:
            return _write(found, target, script)
        page = Page(Outlet())
        words = []
        with interruptible() as stop:
            for case in found:
                made = again(case, target, options, stop)
                page.show(made)
                words.append(made.word)
                if stop.code:
                    return stop.code
        page.end(words)
    if "deviates" in words:
        return 1
    return INCONCLUSIVE if "not-told" in words else 0


def _write(found: Sequence[Case], target: Target, path: Path) -> int:
    from cancel_contracts.report.files import write
    from cancel_contracts.report.recipe import recipe
    from cancel_contracts.report.script import write as text_of

    if len(found) > 1:
        raise UsageError("--script", "holds one finding", f"name one of 1 to {len(found)}")
    if path.suffix not in (".sh", ".py"):
        raise UsageError(f"--script {path}", "has no ending that says in what", "end it .sh or .py")
    check_writable("--script", path)
    (case,) = found
    target.check_names([case.contract])
    write(path, text_of(recipe(case, target.endpoint(case.contract)), path.suffix[1:]))
    click.echo(f"wrote {path}")
    return 0


def _target(
    report: Mapping[str, Any], contracts: Sequence[Contract], file: Path | None, url: str | None
) -> AbstractContextManager[Target]:
    """Return the target to send to: the one that is named, or the one that the report was of."""
    from cancel_contracts.builtin import PLACE, mock_target
    from cancel_contracts.targets import file as targets

    told, was = report["target"].get("described_by", ""), report["target"]["base_url"]
    if file is not None:
        target = targets.load(file)
        return nullcontext(target.at(url) if url else target)
    if told == PLACE and url is None:
        return mock_target(contracts)
    if told in (PLACE, targets.BARE):
        return nullcontext(targets.of_url(url or was))
    if not told or not Path(told).is_file():
        raise UsageError("REPORT", "does not say where its target file is", "add --target FILE")
    target = targets.load(Path(told))
    if url is None and target.base_url and target.base_url != was:
        problem = f"is of {was}, and {told} names {target.base_url}"
        raise UsageError("REPORT", problem, "say which by --base-url URL")
    return nullcontext(target.at(url) if url else target)


@click.command()
@click.argument("identity", type=IDENTITIES, metavar="IDENTITY|HEADER")
@click.option(
    "--target", "target_file", type=PATH, metavar="FILE",
    help=f"The target's description; without it {TARGET}.",
)  # fmt: skip
@click.option(
    "--contract",
    "name",
    type=CONTRACTS,
    metavar="NAME",
    help="For which contract, where that matters.",
)
@click.option(
    "--owner",
    type=IDENTITIES,
    metavar="IDENTITY",
    help="Who owns the resource: of a permission alone, the token that is minted is the owner's.",
)
@click.option("--force", is_flag=True, help="Print it to a pipe or a file too.")
@spec_option
def token(identity: str, target_file: Path | None, name: str | None, owner: str | None,
          force: bool, specs: tuple[Path, ...]) -> None:  # fmt: skip
    """Print what an identity carries behind the scheme, minted or read, or what a header of the
    target file holds: it fills the variable that a curl line names. Only to a terminal, or with
    --force.
    """
    from cancel_contracts.targets.file import load
    from cancel_contracts.targets.names import check_identity

    if not force and not sys.stdout.isatty():
        told = "is no terminal, and a token is a secret"
        raise UsageError("standard output", told, "add --force where that is meant")
    file = target_file or Path(TARGET)
    if target_file is None and not file.exists():
        raise UsageError("--target", "is missing, and there is no target.yaml", "add --target FILE")
    contracts = load_contracts(specs, [name] if name else [])
    target = load(file)
    target.check_names(contracts)
    served = target.narrowed(contracts)
    found = _fields(identity, target, served)
    if not found:
        for one in (identity, owner or identity):
            check_identity(one, served)
        found = _carried(identity, owner, target, served)
    if len(set(found.values())) > 1:
        told = f"{identity} is another for each contract"
        raise UsageError("--contract", told, f"use one of {', '.join(found)}")
    put(next(iter(found.values())))


def _fields(name: str, target: Target, served: Sequence[Contract]) -> dict[str, str]:
    """Return the value of a header of the target file, or of its provider-state handler, by
    contract; nothing where none has the name.
    """
    from cancel_contracts.identity.fields import value_of

    found: dict[str, str] = {}
    for contract in served:
        endpoint = target.endpoint(contract)
        for source in (*endpoint.headers, *endpoint.handler_headers):
            if source.name.lower() == name.lower():
                found.setdefault(contract.name, value_of(source, os.environ))
    return found


def _carried(
    identity: str, owner: str | None, target: Target, served: Sequence[Contract]
) -> dict[str, str]:
    """Return what an identity carries, by contract. Raises UsageError where it carries nothing."""
    from cancel_contracts.errors import NoIdentity
    from cancel_contracts.identity.identities import Identities
    from cancel_contracts.redact.secrets import Redactor

    found: dict[str, str] = {}
    gap = ""
    for contract in served:
        who = Identities(contract, target.endpoint(contract), Redactor(), os.environ)
        try:
            carried = who.credentials(identity, owner)
        except NoIdentity as err:
            gap = str(err)
            continue
        scheme, headers = contract.scheme, dict(carried.headers)
        value = headers.get("Authorization", "") if scheme.word else ""
        value = value.partition(" ")[2] or value or scheme.written(carried.secret)
        if value:
            found[contract.name] = value
        if who.minted and len(served) > 1 and carried.secret:
            names = ", ".join(c.name for c in served)
            raise UsageError("--contract", "each contract has tokens of its own", f"use {names}")
    if not found:
        raise UsageError("IDENTITY", gap or f"{identity} carries nothing", f"see {target.place}")
    return found
