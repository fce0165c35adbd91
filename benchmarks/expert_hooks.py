"""Hooks for `schemathesis run`: ids of resources that exist, from ids.json of the working directory."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path
from typing import Any

import schemathesis

IDS = json.loads(Path("ids.json").read_text("utf-8"))
FRESH, ANY = iter(IDS), cycle(IDS)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    if case.meta is not None and not case.meta.generation.mode.is_positive:
        return
    id_ = next(FRESH, None) if case.method == "POST" else None
    id_ = id_ or next(ANY)
    case.path_parameters = dict.fromkeys(case.path_parameters, id_)
    if case.method == "POST":
        case.headers.setdefault("Content-Type", "application/json")
    if isinstance(case.body, dict) and "id" in case.body:
        case.body = {**case.body, "id": id_}
