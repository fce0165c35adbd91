"""YAML by libyaml, which reads and writes a spec in a fraction of the time of `yaml.safe_load`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

# Builds of PyYAML without libyaml have the same in Python.
Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def document_of(path: Path) -> dict[str, Any]:
    """Return what a file holds, made anew each time: it may be changed."""
    found: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=Loader)  # noqa: S506
    return found


def text_of(document: Any) -> str:
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, default_flow_style=False)
