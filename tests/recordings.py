"""Recordings as people have them, made by hand: entries, and what judging them comes to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cancel_contracts.assignment import Options
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.gate import decide
from cancel_contracts.replay import judge_recording
from cancel_contracts.report.record import record

DEFENDER = "https://api.securitycenter.microsoft.com/api/machineactions"
GRAPH = "https://graph.microsoft.com/beta/security/securityActions"
AP = "https://graph.microsoft.com/beta/identityGovernance/entitlementManagement/accessPackageAssignmentRequests"
ID = "6c063190-5a3d-415f-b7b1-c52fd7bb7ad5"
COMMENT = {"Comment": "stop it"}
Entry = dict[str, Any]
CONTRACTS = [load(path) for path in shipped()]


def machine_action(state: str, id_: str = ID, comment: str | None = None) -> dict[str, Any]:
    done = state == "Cancelled"
    return {
        "@odata.context": "https://api.securitycenter.microsoft.com/api/$metadata#MachineActions/$entity",
        "id": id_, "type": "RunAntiVirusScan", "requestor": "a@example.com", "requestorComment": "c",
        "status": state, "machineId": "1e5bc9d7e413ddd7902c2932e418702b84d0cc07", "computerDnsName": "h",
        "creationDateTimeUtc": "2024-05-01T10:00:00Z", "lastUpdateDateTimeUtc": "2024-05-01T10:00:00Z",
        "cancellationRequestor": "a@example.com" if done else None,
        "cancellationComment": (comment or "stop it") if done else None,
        "cancellationDateTimeUtc": "2024-05-01T10:00:05Z" if done else None,
        "relatedFileInfo": None, "errorHResult": 0,
    }  # fmt: skip


def security_action(state: str, id_: str = ID) -> dict[str, Any]:
    return {
        "id": id_, "actionReason": "r", "appId": "a", "createdDateTime": "2024-05-01T10:00:00Z",
        "name": "BlockIp", "parameters": [], "states": [], "status": state, "user": "u",
        "vendorInformation": {"provider": "p", "vendor": "v"},
    }  # fmt: skip


def error(code: str = "BadRequest", target: str = "1") -> dict[str, Any]:
    return {"error": {"code": code, "message": "m", "target": target}}


def entry(
    method: str,
    url: str,
    status: int,
    body: Any = None,
    at: float = 0,
    *,
    sent: Any = None,
    headers: dict[str, str] | None = None,
    asked: dict[str, str] | None = None,
    time: float = 12.5,
    **more: Any,
) -> Entry:
    """Return an entry; `at` is in seconds. A `response` in `more` replaces members of the answer."""
    text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    told = {"Date": "Wed, 01 May 2024 10:00:00 GMT"}
    told |= {"Content-Type": "application/json"} if text else {}
    told |= {"Content-Length": str(len(text.encode()))} | (headers or {})
    request: Entry = {
        "method": method, "url": url, "httpVersion": "HTTP/1.1", "cookies": [], "queryString": [],
        "headers": [{"name": k, "value": v} for k, v in {"Host": "api", **(asked or {})}.items()],
        "headersSize": -1, "bodySize": -1,
    }  # fmt: skip
    if sent is not None:
        request["headers"].append({"name": "Content-Type", "value": "application/json"})
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(sent)}
    response: Entry = {
        "status": status, "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [],
        "headers": [{"name": k, "value": v} for k, v in told.items()],
        "content": {"size": len(text.encode()), "mimeType": "application/json", "text": text},
        "redirectURL": "", "headersSize": -1, "bodySize": len(text.encode()),
    }  # fmt: skip
    response |= more.pop("response", {})
    return {
        "startedDateTime": moment(at), "time": time, "request": request, "response": response,
        "cache": {}, "timings": {"send": 0, "wait": time, "receive": 0}, **more,
    }  # fmt: skip


def moment(at: float) -> str:
    minutes, seconds = divmod(at, 60)
    return f"2024-05-01T10:{int(minutes):02}:{seconds:06.3f}Z"


def look(state: str, at: float = 0, id_: str = ID, **more: Any) -> Entry:
    return entry("GET", f"{DEFENDER}/{id_}", 200, machine_action(state, id_), at, **more)


def cancel(status: int = 200, at: float = 2, id_: str = ID, **more: Any) -> Entry:
    body = machine_action("Cancelled", id_) if status == 200 else error(target=f"t{at}")
    more.setdefault("sent", COMMENT)
    return entry("POST", f"{DEFENDER}/{id_}/cancel", status, more.pop("body", body), at, **more)


@dataclass
class Verdicts:
    """What a recording came to."""

    exit_code: int
    sentence: str
    warnings: list[str]
    violated: list[str]
    upheld: list[str]
    reasons: dict[str, str]
    out: str
    report: Entry = field(repr=False)

    @property
    def told(self) -> str:
        return " | ".join(self.warnings)


def har(entries: Sequence[Any]) -> str:
    return json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}
    )


def judge(folder: Path, source: Path | Sequence[Any], *argv: str, capsys: Any = None) -> Verdicts:
    """Judge a file, or a HAR of these entries; by the command where there is more to it."""
    path = source if isinstance(source, Path) else folder / "traffic.har"
    if not isinstance(source, Path):
        path.write_text(har(source), "utf-8")
    out = ""
    if argv or capsys:
        report = folder / "report.json"
        main(["judge", str(path), "--report-json", str(report), *argv])
        found = json.loads(report.read_text("utf-8"))
        out = capsys.readouterr().out if capsys else ""
    else:
        result = judge_recording(path, CONTRACTS, Options())
        found = record(result, decide(result.judgements(), nothing=result.nothing))
    clauses = [c for contract in found["contracts"] for c in contract["clauses"]]

    def named(word: str) -> list[str]:
        return [c["id"] for c in clauses if c["verdict"] == word]

    reasons = {c["id"]: c["reason"] for c in clauses if c["reason"]}
    return Verdicts(
        found["exit_code"], found["sentence"], found["warnings"], named("violated"),
        named("upheld"), reasons, " ".join(out.split()), found,
    )  # fmt: skip
