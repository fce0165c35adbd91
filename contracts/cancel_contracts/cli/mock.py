"""The command `mock`: the contracts' faithful server for whoever writes a client, and resources on
it.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from cancel_contracts.cli.completing import CONTRACTS, FAULTS, VARIANTS
from cancel_contracts.cli.options import (
    PATH,
    cacert_option,
    check_file,
    check_writable,
    load_contracts,
    put,
    spec_options,
)
from cancel_contracts.errors import UsageError

CA_FILE = "mock-ca.pem"


@click.group(invoke_without_command=True)
@spec_options
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option(
    "--tls",
    is_flag=False,
    flag_value=CA_FILE,
    type=PATH,
    metavar="[FILE]",
    help=f"Serve https, and write the certificate of its authority here ({CA_FILE}).",
)
@click.option(
    "--key", envvar="CANCEL_CONTRACTS_MOCK_KEY", help="Trust JWTs signed with this (HS256)."
)
@click.option(
    "--fault", "faults", multiple=True, type=FAULTS, metavar="NAME", help="Deviate deliberately."
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    type=VARIANTS,
    metavar="NAME",
    help="Differ and still conform.",
)
@click.option("--list", "list_", is_flag=True, help="List the faults and variants.")
@click.pass_context
def mock(ctx: click.Context, specs: tuple[Path, ...], names: tuple[str, ...], host: str, port: int,
         tls: Path | None, key: str | None, faults: tuple[str, ...], variants: tuple[str, ...],
         list_: bool) -> None:  # fmt: skip
    """Serve the contracts' faithful mock until interrupted."""
    if ctx.invoked_subcommand is not None:
        return
    from cancel_contracts.builtin import serve_forever
    from cancel_contracts.cli.interrupt import orderly
    from cancel_contracts.report.clauses import catalogue

    contracts = load_contracts(specs, names)
    if list_:
        put(catalogue(contracts))
        return
    if tls is not None:
        check_file("--tls", tls)
        check_writable("--tls", tls)
    with orderly():
        serve_forever(contracts, host, port, key, faults, variants, put, tls)


@mock.command()
@click.argument("contract", type=CONTRACTS)
@click.argument("state")
@click.option("--owner", metavar="IDENTITY", help="Whose it is to be, such as user.")
@click.option("--base-url", required=True, metavar="URL", help="Where the mock runs.")
@cacert_option
def new(contract: str, state: str, owner: str | None, base_url: str, cacert: Path | None) -> None:
    """Put a resource of a CONTRACT in a STATE on a running mock, and print its id."""
    from cancel_contracts.exchange import Sent
    from cancel_contracts.mock.states import PATH as HANDLER
    from cancel_contracts.transport.certificates import trusted
    from cancel_contracts.transport.client import Transport

    params = {"contract": contract, "state": state} | ({"owner": owner} if owner else {})
    body = json.dumps({"action": "setup", "params": params}).encode()
    url = base_url.rstrip("/") + HANDLER
    sent = Sent("POST", url, (("Content-Type", "application/json"),), body)
    with Transport(verify=trusted(cacert), local_only=True) as transport:
        answer = transport.send(sent)
    if answer.received is None:
        raise UsageError("--base-url", f"no mock answers there ({answer.why})", "start one")
    told = answer.received.json()
    if answer.received.status == 200 and isinstance(told, dict) and "id" in told:
        put(str(told["id"]))
        return
    error = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, dict) and error.get("code") == "ProviderState":
        raise UsageError(f"{contract} {state}", str(error.get("message")), "name one of these")
    problem = f"what answers there is no mock of this project ({answer.received.status})"
    raise UsageError("--base-url", problem, "name the URL that `mock` prints")
