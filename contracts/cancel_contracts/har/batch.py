"""Calls inside an OData batch (JSON format, OData JSON 4.01 section 19), as entries of their own.

Pure. A batch whose bodies were not recorded stays one entry, off the routes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from cancel_contracts.foreign import path_of

FAILED_DEPENDENCY = 424  # the batch's own answer: the request was never made
STEP_SECONDS = 1e-6  # parts requests of a batch that wait for each other


def is_batch(url: str) -> bool:
    return path_of(url).rstrip("/").lower().endswith(("/$batch", "/%24batch"))


def unpacked(entry: Mapping[str, Any], sent: Any, answered: Any, started: Any) -> Iterator[Any]:
    """Yield an entry for each request of a batch. `sent` and `answered` are its JSON bodies,
    `started` is when it began. Raises KeyError, TypeError or ValueError where it is no batch.

    Requests without `dependsOn` may be served at once, so they take as long as the batch; those
    that wait for another come after it.
    """
    answers = {str(row["id"]): row for row in answered["responses"]}
    url = entry["request"]["url"]
    base = url[: url.lower().replace("%24", "$").rindex("/$batch")]
    waits = any(row.get("dependsOn") for row in sent["requests"])
    for at, row in enumerate(sent["requests"]):
        answer = answers.get(str(row["id"]))
        if answer is not None and answer.get("status") == FAILED_DEPENDENCY:
            continue
        moment = started + timedelta(seconds=at * STEP_SECONDS) if waits else started
        yield {
            "startedDateTime": moment.isoformat(),
            "time": 0 if waits else entry.get("time"),
            "request": {
                "method": row["method"],
                "url": f"{base}/{str(row['url']).lstrip('/')}",
                "headers": {**_credentials(entry["request"]), **(row.get("headers") or {})},
                "postData": {"text": _text(row.get("body"))},
            },
            "response": answer and _response(answer),
        }


def _credentials(request: Mapping[str, Any]) -> dict[str, str]:
    """Return what of the batch's head speaks for each of its requests."""
    rows = request.get("headers")
    found = (
        rows.items() if isinstance(rows, Mapping) else ((r["name"], r["value"]) for r in rows or ())
    )
    return {n: v for n, v in found if n.lower() in ("authorization", "user-agent")}


def _response(answer: Mapping[str, Any]) -> dict[str, Any]:
    body = _text(answer.get("body"))
    headers = answer.get("headers") or {"OData-Version": "4.0"}  # a part may have none of its own
    return {
        "status": answer["status"],
        "headers": headers,
        "content": {"size": len(body.encode("utf-8", "surrogatepass")), "text": body},
    }


def _text(body: Any) -> str:
    if body is None:
        return ""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
