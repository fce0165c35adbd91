"""Tokens from Microsoft Entra ID through azure-identity, an optional extra.

The one module that imports it, and only where a target file asks for it. It opens connections of
its own, to the authority alone. What it complains of becomes one line without a secret.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, Protocol

from cancel_contracts.contract.model import Contract
from cancel_contracts.deadline import Overdue, within
from cancel_contracts.errors import Inconclusive, UsageError
from cancel_contracts.hosts import host_of, is_below
from cancel_contracts.identity.sources import read_source
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.file import Endpoint, TokenSource

EXTRA = "pip install 'cancel-contracts[azure]'"
MESSAGE_CHARS = 300
FOR_THE_VENDOR = ("Trace ID", "Correlation ID", "Timestamp", "To mitigate")
# Asked again so often where nobody answers. Its own ten times take minutes.
RETRIES = 2
TOKEN_SECONDS = 60.0  # in all, as a command has


class AccessToken(Protocol):
    """What a credential of azure-identity returns."""

    @property
    def token(self) -> str: ...
    @property
    def expires_on(self) -> int: ...


class Gives(Protocol):
    """A credential of azure-identity, as far as it is used."""

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken: ...


class Credential:
    """A credential of azure-identity that fails in one line. `chain`: it tries several."""

    def __init__(
        self,
        place: str,
        gives: Gives,
        redactor: Redactor,
        tenant: str | None = None,
        *,
        chain: bool = False,
    ) -> None:
        self.place, self.gives, self.redactor, self.chain = place, gives, redactor, chain
        self.more = {"tenant_id": tenant} if tenant else {}

    def token(self, scope: str) -> tuple[str, float]:
        """Return a token and when it expires, in seconds since 1970.

        Raises UsageError where no credential is configured, Inconclusive where it is refused or
        nobody answers.
        """
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.identity import CredentialUnavailableError

        try:
            found = within(TOKEN_SECONDS, lambda: self.gives.get_token(scope, **self.more))
        except Overdue:
            problem = f"no token (no credential gave one within {TOKEN_SECONDS:g} s)"
            raise Inconclusive(self.place, problem, "check the way to the authority") from None
        except (AzureError, ValueError) as err:
            # A chain that comes to its end has found no credential that it could use.
            found_none = self.chain and isinstance(err, ClientAuthenticationError)
            if found_none or isinstance(err, (CredentialUnavailableError, ValueError)):
                fix = "sign in, or name a credential"
                raise UsageError(self.place, self._words(err), fix) from None
            fix = "check the credential, and the way to the authority"
            raise Inconclusive(self.place, self._words(err), fix) from None
        self.redactor.learn(found.token)
        return found.token, float(found.expires_on)

    def _words(self, err: Exception) -> str:
        """Return a complaint as far as it can be shown, without what only the vendor reads."""
        lines = self.redactor.text(str(err)).splitlines()
        told = " ".join(line.strip() for line in lines if not line.startswith(FOR_THE_VENDOR))
        return f"no token ({(told or type(err).__name__)[:MESSAGE_CHARS].rstrip('. ')})"


def scope_of(contract: Contract, endpoint: Endpoint, source: TokenSource) -> str:
    """Return what a token is asked of the platform with: the target file's scope, or that of the
    server which the target is, or else of the page's.
    """
    options = _options(source)
    if own := options.get("scope"):
        return str(own)
    known = [server for server in contract.servers if server.scope]
    same = [server for server in known if is_below(host_of(endpoint.base_url), host_of(server.url))]
    # The name that says most: that of a region goes before that of all.
    for server in (*sorted(same, key=lambda s: -len(host_of(s.url))), *known):
        assert server.scope is not None
        return server.scope
    raise UsageError(
        f"{source.place}/azure", f"no scope is known for {contract.name}", "give it as `scope`"
    )


def credential_of(
    source: TokenSource, redactor: Redactor, environ: Mapping[str, str]
) -> Credential:
    """Return the credential that a target file describes. Asks nobody yet."""
    options, place = _options(source), f"{source.place}/azure"
    try:
        import azure.identity as azure
    except ImportError:
        raise UsageError(place, "azure-identity is not installed", EXTRA) from None
    for name in ("azure", "msal"):
        # What they log may hold a secret that the authority sends back.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    tenant, client = options.get("tenant_id"), options.get("client_id")
    more: dict[str, Any] = {}
    if "authority" in options:
        # Whoever names an authority has chosen it: nobody else is asked whether it is one.
        named = str(options["authority"])
        url = named if "://" in named else f"https://{named}"
        more = {"authority": url, "disable_instance_discovery": True}
    gives: Gives
    try:
        if "client_secret_env" in options:
            name = options["client_secret_env"]
            secret = redactor.learn(read_source("env", name, place, environ))
            more["retry_total"] = RETRIES
            gives = azure.ClientSecretCredential(str(tenant), str(client), secret, **more)
        elif "certificate_file" in options:
            path = os.path.expanduser(options["certificate_file"])
            more["retry_total"] = RETRIES
            gives = azure.CertificateCredential(str(tenant), str(client), path, **more)
        elif options.get("managed_identity"):
            gives = azure.ManagedIdentityCredential(client_id=client)
        else:
            if client:
                more |= {
                    "managed_identity_client_id": client,
                    "workload_identity_client_id": client,
                }
            if tenant:
                more["additionally_allowed_tenants"] = [tenant]
            gives = azure.DefaultAzureCredential(**more)
            return Credential(place, gives, redactor, tenant, chain=True)
    except (ValueError, OSError) as err:
        words = " ".join(redactor.text(str(err)).split())[:MESSAGE_CHARS]
        raise UsageError(place, words or type(err).__name__, "fix it") from None
    return Credential(place, gives, redactor)


def _options(source: TokenSource) -> Mapping[str, Any]:
    assert isinstance(source.value, Mapping)
    return source.value
