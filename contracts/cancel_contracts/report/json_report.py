"""The JSON report: the record as it is, with the schema that it fits. Must not add to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cancel_contracts.report import files


def dump(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def write_json(record: dict[str, Any], path: Path) -> None:
    """Write the record. Raises UsageError where the path cannot be written."""
    files.write(path, dump(record))
