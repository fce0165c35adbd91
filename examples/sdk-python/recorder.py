"""Records what httpx sends and receives, as HTTP Archive 1.2."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx


class Recorder(httpx.AsyncBaseTransport):
    """Stands before another transport, below the SDK's middleware: it sees every try."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.entries: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = (await request.aread()).decode()
        began, clock = datetime.now(UTC), time.monotonic()
        response = await self.transport.handle_async_request(request)
        body = (await response.aread()).decode()
        took = (time.monotonic() - clock) * 1000
        media = request.headers.get("content-type", "")
        self.entries.append({
            "startedDateTime": began.isoformat(),
            "time": took,
            "request": {
                "method": request.method, "url": str(request.url), "httpVersion": "HTTP/1.1",
                "cookies": [], "queryString": [], "headers": _rows(request.headers),
                "headersSize": -1, "bodySize": len(sent),
                **({"postData": {"mimeType": media, "text": sent}} if sent else {}),
            },
            "response": {
                "status": response.status_code, "statusText": response.reason_phrase,
                "httpVersion": "HTTP/1.1", "cookies": [], "headers": _rows(response.headers),
                "content": {"size": len(body), "mimeType": "", "text": body},
                "redirectURL": "", "headersSize": -1, "bodySize": len(body),
            },
            "cache": {},
            "timings": {"send": 0, "wait": took, "receive": 0},
        })  # fmt: skip
        return response

    def save(self, file: str) -> None:
        """Write what was recorded."""
        creator = {"name": "sdk-python", "version": "1"}
        log = {"version": "1.2", "creator": creator, "entries": self.entries}
        Path(file).write_text(json.dumps({"log": log}), "utf-8")


def _rows(headers: httpx.Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.multi_items()]
