"""A draft of a spec file, from a vendor's OpenAPI document or from a page in Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cancel_contracts.contract.load import of_text
from cancel_contracts.contract.yaml_file import parse_text
from cancel_contracts.draft import page
from cancel_contracts.draft.fill import fill
from cancel_contracts.draft.guess import guess
from cancel_contracts.draft.half import cut
from cancel_contracts.draft.promises import promises
from cancel_contracts.draft.write import text
from cancel_contracts.errors import UsageError
from cancel_contracts.pages.english import english, untranslated
from cancel_contracts.pages.read import read
from cancel_contracts.parse import NO_JSON, json_value

LARGEST = 20_000_000  # octets of a file; the OpenAPI document of GitHub has twelve million
MARKDOWN = (".md", ".markdown")


def drafted(source: Path, markup: str, operation: str | None) -> str:
    """Return the text of a draft. `operation` is one of an OpenAPI document.

    Raises UsageError for what nothing can be drafted from.
    """
    place = str(source)
    if len(markup) > LARGEST:
        raise UsageError(place, f"is larger than {LARGEST // 1_000_000} MB", "cut it down")
    if source.suffix.lower() in MARKDOWN:
        if operation is not None:
            raise UsageError("--operation", "names one of an OpenAPI document", "leave it out")
        if (locale := untranslated(markup)) is not None:
            raise UsageError(place, f"is in {locale}, without English", "name the English page")
        document = read(english(markup, source.stem), place)
        title = next((s for row in document.sections[:1] for s in row.sentences), source.stem)
        half, states = page.half_of(document, place, title)
        found = guess(half, states)
        clauses = page.clauses(document, half, found.lifecycle)
        return text(place, source.stem, half, found, clauses)
    half = cut(place, _document(source, markup), operation)
    fill(half)
    found = guess(half)
    return text(place, source.stem, half, found, promises(half, found.lifecycle))


def check(path: Path, written: str) -> None:
    """Raise UsageError for what keeps a draft from loading, with its place in the file `path`."""
    of_text(path, lambda: written)


def _document(source: Path, markup: str) -> Any:
    """Return an OpenAPI document; JSON is YAML, but for tabs."""
    if source.suffix.lower() == ".json":
        if (found := json_value(markup.encode("utf-8", "surrogatepass"))) is NO_JSON:
            raise UsageError(str(source), "is no JSON, or nested too deep", "mend it")
        return found
    return parse_text(source, markup)
