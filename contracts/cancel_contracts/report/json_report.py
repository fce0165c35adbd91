"""The JSON report: the record as it is, with the schema that it fits. Must not add to it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from cancel_contracts.report import files
from cancel_contracts.schemas import shipped_schema


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of the report, as it ships with the package."""
    return shipped_schema("report", "report.schema.json")


def dump(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def write_json(record: dict[str, Any], path: Path) -> None:
    """Write the record. Raises UsageError where the path cannot be written."""
    files.write(path, dump(record))
