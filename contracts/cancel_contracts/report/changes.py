"""The changes between two reports, in each form. Must not decide what is worse."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from cancel_contracts.compare import Change, worse
from cancel_contracts.report.markdown import text


def render(changes: Sequence[Change], form: str) -> str:
    """Return the changes as text, JSON or Markdown."""
    if form == "json":
        document = {"worse": worse(changes), "changes": [asdict(c) for c in changes]}
        return json.dumps(document, indent=1, ensure_ascii=False)
    verdict = "B is worse than A" if worse(changes) else "B is no worse than A"
    if form == "markdown":
        lines = ["| change | contract | clause | A | B | worse |", "|---|---|---|---|---|---|"]
        for c in changes:
            cells = (c.kind, c.contract, c.clause or "", c.a, c.b, "yes" if c.worse else "no")
            lines.append(f"| {' | '.join(map(text, cells))} |")
        return "\n".join([*(lines if changes else ["No change."]), "", verdict + "."])
    lines = [("! " if c.worse else "  ") + c.sentence() for c in changes]
    return "\n".join([*(lines or ["no change"]), verdict])
