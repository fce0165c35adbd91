"""Cancels an access package request as an administrator and a security action as an application, by
Microsoft's Graph SDK.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from typing import Any

import httpx
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.request_information import RequestInformation
from msgraph_beta import GraphRequestAdapter, GraphServiceClient
from msgraph_core import GraphClientFactory
from recorder import Recorder

EFFECT_SECONDS = 4.2  # how long after a success its effect may take to show


class Token(AuthenticationProvider):
    """A token that is at hand."""

    def __init__(self, value: str) -> None:
        self.value = value

    async def authenticate_request(
        self,
        request: RequestInformation,
        additional_authentication_context: dict[str, Any] | None = None,
    ) -> None:
        request.headers.add("Authorization", f"Bearer {self.value}")


def client(recorder: Recorder, token: str) -> GraphServiceClient:
    """Return the SDK's client on the mock, in place of graph.microsoft.com."""
    made = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(transport=recorder)
    )
    adapter = GraphRequestAdapter(Token(token), made)
    adapter.base_url = f"{os.environ['BASE_URL']}/beta"
    return GraphServiceClient(request_adapter=adapter)


async def main(file: str) -> None:
    """Look, cancel, and look again; write the traffic to a file."""
    trusted = ssl.create_default_context(cafile=os.environ["CA_FILE"])
    recorder = Recorder(httpx.AsyncHTTPTransport(verify=trusted))
    management = client(
        recorder, os.environ["ADMIN_TOKEN"]
    ).identity_governance.entitlement_management
    security = client(recorder, os.environ["APP_TOKEN"]).security
    request = management.access_package_assignment_requests.by_access_package_assignment_request_id(
        os.environ["REQUEST"]
    )
    action = security.security_actions.by_security_action_id(os.environ["ACTION"])

    await request.get()
    await action.get()
    await request.cancel.post()
    await action.cancel_security_action.post()
    await asyncio.sleep(EFFECT_SECONDS)
    shown = await request.get()
    print("request:", shown.request_status if shown else None)
    await action.get()
    recorder.save(file)


asyncio.run(main(sys.argv[1]))
