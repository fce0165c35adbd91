"""What a bundle holds beside the reports of a run, and how it is written: see `verify --bundle`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cancel_contracts.cli.options import check_file
from cancel_contracts.errors import UsageError

if TYPE_CHECKING:
    from cancel_contracts.baseline import Entry
    from cancel_contracts.contract.model import Contract
    from cancel_contracts.targets.file import Target
    from cancel_contracts.verify import Result


@dataclass(frozen=True)
class Papers:
    """The spec files by contract, as they were read, the content of the target file without
    secrets, the baseline.
    """

    specs: dict[str, bytes]
    target: dict[str, Any]
    entries: Sequence[Entry]

    @classmethod
    def of(cls, contracts: Sequence[Contract], target: Target, entries: Sequence[Entry]) -> Papers:
        from cancel_contracts.targets.shown import without_secrets

        specs = {}
        for contract in contracts:
            check_file("--spec", path := Path(contract.path_of_file))
            try:
                specs[contract.name] = path.read_bytes()
            except OSError as err:
                problem = err.strerror or "cannot be read"
                raise UsageError(str(path), problem, "give a readable file") from None
        shown = without_secrets({**target.raw, "base_url": target.base_url})
        return cls(specs, {k: v for k, v in shown.items() if v}, entries)


def write(record: dict[str, Any], result: Result, papers: Papers, path: Path) -> None:
    """Write the bundle of a run. Raises UsageError or OSError where it cannot be written."""
    import yaml

    from cancel_contracts.baseline import dump
    from cancel_contracts.bundle import parts, writing
    from cancel_contracts.bundle.statement import statement
    from cancel_contracts.replay import write_recording
    from cancel_contracts.report import files, story

    clean = result.redactor
    entries = [replace(entry, reason=clean.text(entry.reason)) for entry in papers.entries]
    with tempfile.TemporaryDirectory() as folder:
        write_recording(result, recording := Path(folder) / parts.RECORDING)
        target = yaml.safe_dump(clean.data(papers.target), sort_keys=False, allow_unicode=True)
        about = writing.about(record, result.options.min_covered)
        found: dict[str, bytes | Path] = {
            parts.REPORT: writing.data(record),
            parts.RECORDING: recording,
            parts.TARGET: target.encode(),
            parts.BASELINE: dump(entries).encode(),
            parts.ABOUT: writing.data(about),
            **{parts.spec(name): text for name, text in papers.specs.items()},
        }
        digests = {name: writing.digest(found[name]) for name in sorted(found)}
        told = statement(record, digests, lambda clause: story.fails(record, clause))
        found[parts.STATEMENT] = writing.data(told)
        with (whole := Path(folder) / "bundle.zip").open("wb") as out:
            writing.write(out, found)
        files.write_octets(path, whole.read_bytes())
