"""`schemathesis run`: as it comes, and as somebody sets it up who knows it and the server."""

from __future__ import annotations

import re
from importlib.metadata import version

from benchmarks.site import Site
from benchmarks.tool import HERE, Said, call, python


class Default:
    name = "schemathesis run, default"
    how = "`schemathesis run SPEC --url URL -H 'Authorization: Bearer …'`, our own OpenAPI 3.1 files, no other setting but a fixed seed."
    hooks = ""

    def version(self) -> str:
        return version("schemathesis")

    def missing(self) -> str | None:
        return None

    def prepare(self, site: Site) -> None:
        pass

    def more(self, site: Site) -> list[str]:
        """Return the arguments of this configuration."""
        return []

    def run(self, site: Site) -> Said:
        command = [python("schemathesis"), "run", site.contract.path_of_file, "--url", site.url]
        command += ["-H", f"Authorization: Bearer {site.token}", "--seed", "1", *self.more(site)]
        hooks = {"SCHEMATHESIS_HOOKS": self.hooks} if self.hooks else {}
        code, told = call(command, site, **hooks)
        found = re.findall(r"^\s*❌ (ST\d+ .*?)(?:: \d+)?$", told, re.MULTILINE)
        if code and not found:
            found = [f"exit code {code}"]
        return Said(code != 0, frozenset(found))


class Expert(Default):
    name = "schemathesis run, expert"
    how = (
        "The cancel operation alone (`--include-operation-id`), with hooks (benchmarks/expert_hooks.py) that give every call that fits "
        "the document an id of a resource that can be cancelled, a fresh one as long as they last, in the path and "
        "where the body repeats it, and the Content-Type that the page requires."
    )
    hooks = str(HERE / "expert_hooks.py")

    def prepare(self, site: Site) -> None:
        site.write("ids.json", site.ids())

    def more(self, site: Site) -> list[str]:
        return ["--include-operation-id", str(site.contract.operation["operationId"])]
