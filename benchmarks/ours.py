"""This suite: `cancel-contracts verify` with its defaults, the profile `gate`."""

from __future__ import annotations

import json
from importlib.metadata import version

from benchmarks.site import Site
from benchmarks.tool import Said, call, python


class Ours:
    name = "cancel-contracts"
    how = "`verify --target target.yaml`, defaults. The file names the provider-state handler and the key that tokens are signed with."

    def version(self) -> str:
        return version("cancel-contracts")

    def missing(self) -> str | None:
        return None

    def prepare(self, site: Site) -> None:
        site.target_file()

    def more(self, site: Site) -> list[str]:
        """Return the arguments of this configuration."""
        return []

    def run(self, site: Site) -> Said:
        command = [python("cancel-contracts"), "verify", "--target", "target.yaml"]
        command += ["--contract", site.contract.name, "--report-json", "report.json"]
        command += self.more(site)
        code, told = call(command, site)
        if code not in (0, 1):
            return Said(True, frozenset({f"exit code {code}: {told.strip().splitlines()[-1]}"}))
        report = json.loads((site.folder / "report.json").read_text("utf-8"))
        violated = {
            row["id"]
            for contract in report["contracts"]
            for row in contract["clauses"]
            if row["verdict"] == "violated" and row["level"] == "must"
        }
        return Said(code != 0, frozenset(violated))
