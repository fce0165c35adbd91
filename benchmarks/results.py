"""RESULTS.md, assembled from parts: each part stands between two marks and is written by its own
code. No part knows of another.
"""

from __future__ import annotations

import re
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
PARTS = ("machine", "peers", "subjects", "speed", "distance")


def fill(part: str, text: str, path: Path = RESULTS) -> None:
    """Put text into a part. Raises KeyError for a part that there is not."""
    if part not in PARTS:
        raise KeyError(part)
    page = path.read_text("utf-8")
    block = re.compile(rf"(<!-- {part}: begin -->\n).*?(<!-- {part}: end -->)", re.DOTALL)
    if not block.search(page):
        raise KeyError(part)
    page = block.sub(lambda m: f"{m[1]}{text.strip()}\n{m[2]}", page)
    path.write_text(page, "utf-8")


def table(head: list[str], rows: list[list[str]], right: int = 0) -> str:
    """Return a Markdown table; the last `right` columns are numbers."""
    rule = ["---"] * (len(head) - right) + ["---:"] * right
    lines = [head, rule, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
