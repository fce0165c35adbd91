"""Dredd, Specmatic and Portman with newman: each is told a document with real ids, and a token."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

from benchmarks.documents import for_peers, unknown
from benchmarks.site import UNKNOWN, Site
from benchmarks.tool import BIN, HERE, Said, call, no_node


def pinned(package: str) -> str:
    """Return the version that package.json pins."""
    rows = json.loads((HERE / "package.json").read_text("utf-8"))["devDependencies"]
    return str(rows[package])


class Dredd:
    name = "Dredd"
    how = (
        "`dredd openapi.json URL --header 'Authorization: …'`: our document taken down to 3.0.3, with the id of a resource that can be "
        "cancelled as the example. Hooks (benchmarks/dredd_hooks.js) turn on the 404, which Dredd leaves out by default, with an unknown id. "
        "The GET is left out: its entity is not judged by us either."
    )

    def version(self) -> str:
        return pinned("dredd")

    def missing(self) -> str | None:
        return no_node("dredd")

    def prepare(self, site: Site) -> None:
        (id_,) = site.ids(1)
        site.write("openapi.json", for_peers(site.contract, site.url, id_, observe=False))
        site.write("ids.json", {"known": id_, "unknown": UNKNOWN})

    def run(self, site: Site) -> Said:
        command = [str(BIN / "dredd"), "openapi.json", site.url, "--loglevel", "warning"]
        command += ["--header", f"Authorization: Bearer {site.token}"]
        command += ["--hookfiles", str(HERE / "dredd_hooks.js")]
        code, told = call(command, site)
        told = re.sub(r"\x1b\[\d+m", "", told)
        found = {f"{a} {b}" for a, b in re.findall(r"^fail: (\S+) \((\d+)\)", told, re.M)}
        return Said(code != 0, frozenset(found or ({f"exit code {code}"} if code else ())))


class Specmatic:
    name = "Specmatic"
    how = (
        "`specmatic test openapi.json --testBaseURL URL`: our document taken down to 3.0.3, with the id of a resource that can be cancelled "
        "as the example, external examples for that id and for the unknown one with its 404, and the token in these. "
        "The GET is left out."
    )

    def version(self) -> str:
        return pinned("specmatic")

    def missing(self) -> str | None:
        return no_node("specmatic")

    def prepare(self, site: Site) -> None:
        (id_,) = site.ids(1)
        document = for_peers(site.contract, site.url, id_, observe=False)
        site.write("openapi.json", document)
        operation = document["paths"][site.contract.path]["post"]
        content = operation.get("requestBody", {}).get("content", {})
        body = next((m.get("example") for m in content.values()), None)
        for name, status, path in (
            ("done", 200, site.contract.path.replace("{" + _parameter(site) + "}", id_)),
            ("unknown", 404, unknown(site.contract.path)),
        ):
            request: dict[str, Any] = {"method": "POST", "path": path}
            request["headers"] = {"Authorization": f"Bearer {site.token}"}
            if body is not None:
                request["headers"]["Content-Type"] = "application/json"
                request["body"] = body
            response: dict[str, Any] = {"status": status}
            if status == 404:
                response["headers"] = {"Content-Type": "application/json"}
                response["body"] = {"error": {"code": "NotFound", "message": "Not found"}}
            elif operation["responses"]["200"].get("content"):
                response["headers"] = {"Content-Type": "application/json"}
                response["body"] = {"id": id_, "status": "Cancelled"}
            example = {"http-request": request, "http-response": response}
            site.write(f"openapi_examples/{name}.json", example)

    def run(self, site: Site) -> Said:
        command = [str(BIN / "specmatic"), "test", "openapi.json", "--testBaseURL", site.url]
        command += ["--junitReportDir", "junit"]
        code, _ = call(command, site)
        found = set()
        for path in sorted((site.folder / "junit").glob("*.xml")):
            for case in ET.parse(path).getroot().iter("testcase"):  # noqa: S314 - our own run's
                if case.find("failure") is not None or case.find("error") is not None:
                    found.add(case.get("name", "")[:120])
        if code and not found:
            found.add(f"exit code {code}")
        return Said(bool(found), frozenset(_steady(site, x) for x in found))


def _steady(site: Site, text: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text.replace(site.url, ""))


def _parameter(site: Site) -> str:
    path = site.contract.path
    return path[path.index("{") + 1 : path.index("}")]


class Portman:
    name = "Portman with newman"
    how = (
        "`portman` with contract tests for status, content type, body and schema of every operation, and a variation test for the 404 of an "
        "unknown id; `newman run` on the collection. Our document taken down to 3.0.3, the id and the token as examples and variables."
    )

    def version(self) -> str:
        return f"{pinned('@apideck/portman')}, newman {pinned('newman')}"

    def missing(self) -> str | None:
        return no_node("portman") or no_node("newman")

    def prepare(self, site: Site) -> None:
        (id_,) = site.ids(1)
        site.write("openapi.json", for_peers(site.contract, site.url, id_, observe=False))
        tests = [
            {"statusSuccess": {"enabled": True}},
            {"contentType": {"enabled": True}},
            {"jsonBody": {"enabled": True}},
            {"schemaValidation": {"enabled": True}},
        ]
        everything = "*::/*"
        wrong = {"key": _parameter(site), "value": UNKNOWN, "overwrite": True}
        config = {
            "version": 1.0,
            "tests": {
                "contractTests": [{"openApiOperation": everything, **t} for t in tests],
                "variationTests": [
                    {
                        "openApiOperation": everything,
                        "openApiResponse": "404",
                        "variations": [
                            {
                                "name": "unknown",
                                "openApiResponse": "404",
                                "overwrites": [{"overwriteRequestPathVariables": [wrong]}],
                                "tests": {
                                    "contractTests": [
                                        {"statusCode": {"enabled": True, "code": 404}},
                                        {"jsonBody": {"enabled": True}},
                                        {"schemaValidation": {"enabled": True}},
                                    ]
                                },
                            }
                        ],
                    }
                ],
            },
            "overwrites": [
                {
                    "openApiOperation": everything,
                    "overwriteRequestPathVariables": [
                        {"key": _parameter(site), "value": id_, "overwrite": True}
                    ],
                }
            ],
        }
        site.write("portman.json", config)

    def run(self, site: Site) -> Said:
        command = [str(BIN / "portman"), "--local", "openapi.json", "--baseUrl", site.url]
        command += ["--portmanConfigFile", "portman.json", "--output", "collection.json"]
        code, _ = call(command, site)
        if code:
            return Said(True, frozenset({f"portman: exit code {code}"}))
        command = [str(BIN / "newman"), "run", "collection.json", "--reporters", "json"]
        command += ["--reporter-json-export", "newman.json"]
        command += ["--env-var", f"bearerToken={site.token}"]
        code, _ = call(command, site)
        report = json.loads((site.folder / "newman.json").read_text("utf-8"))
        found = {
            f"{row['error'].get('test') or row['error'].get('name')}"
            for row in report["run"]["failures"]
        }
        return Said(code != 0, frozenset(found))
