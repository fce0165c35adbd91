"""Provider states for WireMock: a handler in Pact's wire form that keeps each resource as a few stubs in WireMock.

Each resource is a scenario of WireMock, named by its id. It starts "Started"; a cancel takes it to "Cancelled", and the GET
shows that. Set-up imports the stubs through WireMock's admin API, tear-down removes them. Only the standard library is needed:

    python3 provider_states.py PORT WIREMOCK_URL
"""

import json
import sys
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request, urlopen

ECHO = {
    "request-id": "{{randomValue type='UUID'}}",
    "client-request-id": "{{request.headers.client-request-id}}",
}
CONTRACTS = {
    "security-action": {
        "resource": "/security/securityActions/{}",
        "cancel": "/security/securityActions/{}/cancelSecurityAction",
        "cancellable": ["NotStarted", "Running"],
        "shows": "status",
        "entity": {"name": "blockIp", "actionReason": "Test"},
        "headers": ECHO,
    },
    "machine-action": {
        "resource": "/api/machineactions/{}",
        "cancel": "/api/machineactions/{}/cancel",
        "cancellable": ["Pending", "InProgress"],
        "shows": "status",
        "entity": {
            "type": "Isolate",
            "requestorComment": "Isolated for investigation",
            "creationDateTimeUtc": "2024-01-01T00:00:00Z",
        },
        "headers": {},
        "returns": {
            "cancellationRequestor": "analyst@contoso.example",
            "cancellationComment": "COMMENT",
            "cancellationDateTimeUtc": "{{now}}",
        },
    },
    "access-package-assignment-request": {
        "resource": "/identityGovernance/entitlementManagement/accessPackageAssignmentRequests/{}",
        "cancel": "/identityGovernance/entitlementManagement/accessPackageAssignmentRequests/{}/cancel",
        "cancellable": [
            "accepted",
            "pendingApproval",
            "pendingNotBefore",
            "pendingApprovalEscalated",
        ],
        "shows": "requestStatus",
        "entity": {"requestType": "UserAdd", "justification": "Needed for the project"},
        "headers": ECHO,
        "owners": True,
    },
}
# The comment as it came, whatever characters it holds: as a JSON value and not as text.
COMMENT = "{{{toJson (lookup (parseJson request.body) 'Comment')}}}"


def answer(contract, status, body):
    headers = {**contract["headers"], **({"Content-Type": "application/json"} if body else {})}
    text = json.dumps(body).replace('"COMMENT"', COMMENT) if body else ""
    return {"status": status, "headers": headers, "body": text}


def error(contract, status, code, message):
    target = {} if contract["headers"] else {"target": "{{randomValue type='UUID'}}"}
    return answer(contract, status, {"error": {"code": code, "message": message, **target}})


def stubs(name, state, owner, id_):
    """Return the stubs of one resource. They rank behind the refusals of mappings/ (1 to 5) and before its 404 (9)."""
    contract = CONTRACTS[name]
    shown = {"id": id_, **contract["entity"]}
    cancel = {"method": "POST", "urlPath": contract["cancel"].format(id_)}
    look = {"method": "GET", "urlPath": contract["resource"].format(id_)}
    scenario = {"scenarioName": id_, "metadata": {"resource": id_}}
    started, done = ({**scenario, "requiredScenarioState": s} for s in ("Started", "Cancelled"))
    states = contract["shows"], "canceled" if contract.get("owners") else "Cancelled"
    entity = {**shown, states[0]: states[1]}
    refused = error(contract, 409, "Conflict", "It is in a state that cannot be cancelled.")
    made = [
        {
            **started,
            "request": look,
            "response": answer(contract, 200, {**shown, contract["shows"]: state}),
        },
        {**done, "request": look, "response": answer(contract, 200, entity)},
        {"metadata": scenario["metadata"], "priority": 8, "request": cancel, "response": refused},
    ]
    if state in contract["cancellable"]:
        body = {**entity, **contract["returns"]} if "returns" in contract else None
        success = {
            **started,
            "newScenarioState": "Cancelled",
            "priority": 7,
            "response": answer(contract, 200, body),
        }
        made.append({**success, "request": cancel})
    if contract.get("owners"):
        foreign = f"(?i:Bearer) ({'other-user' if owner == 'user' else 'user|other-user'})-token"
        made.append(
            {
                "metadata": scenario["metadata"],
                "priority": 6,
                "request": {**cancel, "headers": {"Authorization": {"matches": foreign}}},
                "response": error(contract, 403, "Forbidden", "It belongs to somebody else."),
            }
        )
        made.append(
            {
                "metadata": scenario["metadata"],
                "priority": 6,
                "request": {
                    **cancel,
                    "headers": {"Authorization": {"matches": "(?i:Bearer) user-token"}},
                    "bodyPatterns": [{"matchesJsonPath": f"$[?(@.id != '{id_}')]"}],
                },
                "response": error(contract, 400, "BadRequest", "The id must be that of the path."),
            }
        )
    return made


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        params = call["params"]
        if call["action"] == "teardown":
            matching = {"matchesJsonPath": f"$[?(@.resource == '{params['id']}')]"}
            self.tell("remove-by-metadata", matching)
            return self.answer({})
        id_ = str(uuid.uuid4())
        made = stubs(params["contract"], params["state"], params.get("owner"), id_)
        self.tell("import", {"mappings": made})
        return self.answer({"id": id_})

    def tell(self, what, document):
        url = f"{self.server.wiremock}/__admin/mappings/{what}"
        data = json.dumps(document).encode()
        with urlopen(Request(url, data, {"Content-Type": "application/json"}), timeout=10):
            pass

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.wiremock = sys.argv[2]
    server.serve_forever()
