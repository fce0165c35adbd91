"""Write a bundle: the same files give the same bytes. Must not know how it is judged."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from cancel_contracts import TOOL, version
from cancel_contracts.bundle.parts import FORMAT

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest moment that a zip file can tell
MODE = 0o644
PIECE_BYTES = 2**16


def write(out: IO[bytes], files: Mapping[str, bytes | Path]) -> None:
    """Write files as a zip, in the order of their names."""
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(files):
            row = zipfile.ZipInfo(name, EPOCH)
            row.compress_type, row.external_attr = zipfile.ZIP_DEFLATED, MODE << 16
            row.create_system = 3  # as on POSIX, wherever it is written
            content = files[name]
            if isinstance(content, bytes):
                archive.writestr(row, content)
                continue
            row.file_size = content.stat().st_size
            with content.open("rb") as file, archive.open(row, "w") as packed:
                while piece := file.read(PIECE_BYTES):
                    packed.write(piece)


def digest(content: bytes | Path) -> str:
    """Return the SHA-256 of a file."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def data(value: Any) -> bytes:
    """Return data as a JSON file."""
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    return text.encode("utf-8", "backslashreplace")


def about(report: Mapping[str, Any], min_covered: float) -> dict[str, Any]:
    """Return what a run was made with and how: versions, seed, profile, what makes it fail."""
    return {
        "format": FORMAT,
        "suite": version(),
        "python": platform.python_version(),
        "dependencies": _dependencies(),
        "started": report["started"],
        "judged": datetime.now(UTC).date().isoformat(),
        "profile": report["profile"],
        "seed": report["seed"],
        "strict": report["strict"],
        "min_covered": min_covered,
    }


def _dependencies() -> dict[str, str]:
    """Return the versions of what this package needs, those of its extras left out."""
    found = {}
    try:
        rows = metadata.requires(TOOL) or []
    except metadata.PackageNotFoundError:
        rows = []  # a checkout that was never installed
    for row in rows:
        if "extra ==" not in row and (named := re.match(r"[A-Za-z0-9][\w.-]*", row)):
            try:
                found[named[0]] = metadata.version(named[0])
            except metadata.PackageNotFoundError:
                continue
    return dict(sorted(found.items()))
