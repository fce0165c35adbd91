"""What lies in a bundle, and how each file of it is called. Pure."""

from __future__ import annotations

import re

FORMAT = 1  # of about.json
REPORT, RECORDING, TARGET = "report.json", "recording.har", "target.yaml"
BASELINE, ABOUT, STATEMENT = "baseline.yaml", "about.json", "statement.json"
NEEDED = (REPORT, RECORDING, TARGET, BASELINE, ABOUT, STATEMENT)
SPEC = re.compile(r"specs/[a-z0-9][a-z0-9-]*\.yaml")


def spec(contract: str) -> str:
    """Return how the spec file of a contract is called."""
    return f"specs/{contract}.yaml"
