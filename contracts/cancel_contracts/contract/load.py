"""Read a spec file into a Contract. The only room that knows what a spec file looks like.

Validation has two layers: the JSON Schema of the extensions (a typo names file, path and key), then
the cross-references that a schema cannot say (states, examples, dialects, operation ids). Raises
UsageError, exit code 2.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cancel_contracts.contract.checks import problems, unknown_words
from cancel_contracts.contract.duties import duties_schema
from cancel_contracts.contract.edition import at
from cancel_contracts.contract.entity_schema import bad_patterns
from cancel_contracts.contract.ids import Id, property_of
from cancel_contracts.contract.lifecycle import read_lifecycle
from cancel_contracts.contract.model import Contract, Quota
from cancel_contracts.contract.openapi import Document, error_schema, schema_of
from cancel_contracts.contract.operation import ACTS, Operation, shared_name
from cancel_contracts.contract.page import read_pages
from cancel_contracts.contract.places import place
from cancel_contracts.contract.promises import read_clauses, read_dialects, read_not_testable
from cancel_contracts.contract.provisions import read_provisions
from cancel_contracts.contract.vocabulary import vocabulary
from cancel_contracts.contract.yaml_file import parse_text, place_in, read_file
from cancel_contracts.errors import UsageError
from cancel_contracts.schemas import Shape, complaint, schema

FILES = 16  # that are kept at hand
NAME = re.compile(r"^[a-z0-9][a-z0-9-]*$")


def shipped() -> list[Path]:
    """Return the spec files of the shipped contracts that a run takes without being asked."""
    return [path for path in every_shipped() if load(path).default]


def every_shipped() -> list[Path]:
    """Return the spec files that come with the package: beside it in a checkout, inside it in a
    wheel.
    """
    here = Path(__file__).resolve().parent.parent
    for folder in (here / "specs", here.parent.parent / "specs"):
        if found := sorted(folder.glob("*.yaml")):
            return found
    raise UsageError("installation", "the package carries no spec", "install it again")


def load(path: Path, edition: date | None = None) -> Contract:
    """Return the contract of one spec file, of an edition where one is named, else of today. The
    contract's name is the file's stem.

    A file that has not changed is read once.
    """
    return at(_whole(path), edition)


def _whole(path: Path) -> Contract:
    try:
        about = path.stat()
    except OSError:
        return _load(path)
    if not stat.S_ISREG(about.st_mode):  # a pipe is another each time
        return _load(path)
    return _unchanged(path, about.st_ino, about.st_mtime_ns, about.st_size)


@lru_cache(FILES)
def _unchanged(path: Path, inode: int, written_ns: int, size_bytes: int) -> Contract:
    return _load(path)


def _load(path: Path) -> Contract:
    return of_text(path, lambda: read_file(path))


def of_text(path: Path, read: Callable[[], str]) -> Contract:
    """Return the contract of a spec's text, as the file of that path holds it."""
    if not NAME.match(path.stem):
        raise UsageError(
            str(path), f"{path.stem!r} is no contract name", "use lower-case letters, digits and -"
        )
    text = read()
    document = parse_text(path, text)
    if not isinstance(document, dict):
        raise UsageError(str(path), "is no mapping", "start from one of the shipped specs")
    complain(path, document)
    for where, pattern in bad_patterns(document):
        problem = f"{pattern!r} is no regular expression"
        raise UsageError(f"{path}: {where}", problem, "write it as ECMA 262 has it")
    return replace(Reader(path, document).contract(), sha256=sha256(text.encode()).hexdigest())


def spec_schema() -> dict[str, Any]:
    """Return the JSON Schema of a spec file's extensions, the vocabulary's tables included."""
    found = schema("spec")
    return {**found, "$defs": {**found["$defs"], **vocabulary(), "duties": duties_schema()}}


def complain(path: Path, document: Mapping[str, Any]) -> None:
    """Raise for the most telling error the schema finds."""
    for where, problem, fix in unknown_words(document):
        raise UsageError(f"{path}: {where}", problem, fix)
    if found := complaint(Shape(spec_schema()).errors(document)):
        keys, problem, _ = found
        raise UsageError(place_in(path, keys), problem, "see docs/clauses-vocabulary.md")


class Reader(Document):
    """Turns a validated document into a Contract; every complaint names file and place."""

    def contract(self) -> Contract:
        life = self.document["x-lifecycle"]
        path, verb = self.route(life["cancel"], *ACTS)
        observe = self.route(life["observe"], "get")[0] if "observe" in life else None
        id_name = shared_name(self, path, observe)
        act = Operation(self, path, verb, id_name)
        look = Operation(self, observe, "get", id_name) if observe else None
        operation, scheme = act.resolved, act.scheme()
        responses = operation.get("responses") or {}
        observed = self.observed(observe)
        success = schema_of(next((r for c, r in responses.items() if c[:1] == "2"), {}))
        shown = observed if property_of(observed, "id") else success
        contract = Contract(
            name=self.path.stem,
            title=self.document["info"]["title"],
            path_of_file=str(self.path),
            document={**self.document, "paths": self.resolved("paths", self.document["paths"])},
            path=path,
            id=Id(id_name, act.id_row, property_of(shown, "id")),
            parameters=tuple(act.parameters(scheme)),
            observe_parameters=tuple(look.parameters(scheme)) if look else (),
            scheme=scheme,
            media=act.media(),
            body_schema=act.body_schema(),
            observe_path=observe,
            server=self.document["servers"][0]["url"].rstrip("/"),
            servers=tuple(self.servers()),
            provisions=tuple(read_provisions(self.document, self.bad)),
            lifecycle=read_lifecycle(life, verb.upper(), self.kept(), self.bad),
            permissions=tuple(self.permissions(operation)),
            reading=tuple(self.permissions(look.resolved if look else {})),
            audiences=tuple(self.audiences()),
            quotas=tuple(Quota(**row) for row in self.document.get("x-quota", [])),
            dialects=tuple(read_dialects(self.document, self.bad)),
            clauses=tuple(read_clauses(self.document, "server", self.bad)),
            duties=tuple(read_clauses(self.document, "caller", self.bad)),
            not_testable=tuple(read_not_testable(self.document)),
            pages=read_pages(self.document),
            unproven=dict(self.document.get("x-prove", {})),
            bodies=act.bodies(),
            entity_schema=success,
            observed_schema=observed,
            default=self.document.get("x-default", True),
            owners_schema=self.owners(life.get("owners")),
            error_schema=error_schema(responses),
        )
        for where, problem, fix in problems(contract, self.example(observe)):
            raise self.bad(where, problem, fix)
        return contract

    def kept(self) -> Iterator[str]:
        """Yield the places that clauses say a call leaves alone."""
        for row in self.document["x-clauses"]:
            expect = row["expect"]
            for each in (expect, *expect.get("readings", {}).values()):
                for name in each.get("keeps", ()):
                    try:
                        yield place(name)
                    except ValueError as err:
                        fix = "write it as RFC 6901 has it"
                        raise self.bad(f"x-clauses/{row['id']}/keeps", str(err), fix) from None
