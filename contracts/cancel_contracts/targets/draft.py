"""A target file to start from: every key with a comment, or a short one for some contracts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib import resources

from cancel_contracts.contract.edition import today
from cancel_contracts.contract.model import Contract

HEAD = """\
# yaml-language-server: $schema=target.schema.json
# (`cancel-contracts schema target > target.schema.json` writes that file; `init` shows every key)

# Where the routes begin. It stands for
{servers}
base_url: http://127.0.0.1:8080

# The edition of the pages that it holds to. Clauses that are newer are judged and reported, but not
# held against it.
edition: {today}
"""
SERVES = """
# The target serves no more than this: no other contract is run.
serves: [{names}]
"""
HANDLER = """
# Puts a resource into a state. It is sent
#   POST {{"consumer": "cancel-contracts", "state": "{article} {name} in state {state}",
#         "action": "setup", "params": {{"contract": "{name}", "state": "{state}"}}}}
# and answers 2xx with a JSON object that has an "id". After the run the same comes as "teardown",
# with that id in "params".
# It needs no token: let it through before tokens are checked.
provider_states: http://127.0.0.1:8080/_pact/provider-states
"""
IDENTITIES = """
# Who calls. Where the target checks tokens: token, token_env, token_file or token_command.
# identities:
#   admin: {token_env: ADMIN_TOKEN}
"""
IDS = """
# Ids that the stub knows, by state. A run of # stands for a number: a call that may cancel uses one
# up. Leave out the states that the stub does not have.
contracts:
"""


PARAMETERS = """
# What the target takes for a parameter, where that is not what the spec gives.
# parameters:
"""


def _parameters(contracts: Sequence[Contract]) -> str:
    """Return the parameters with their values, commented out; nothing where there are none."""
    every = (p for c in contracts for p in (*c.parameters, *c.observe_parameters))
    said = {p.name: p.value for p in every if p.value is not None}
    rows = "".join(f"#   {name}: {json.dumps(value)}\n" for name, value in said.items())
    return PARAMETERS + rows if rows else ""


def example() -> str:
    """Return the file with every key, its edition that of today."""
    file = resources.files("cancel_contracts.targets").joinpath("target.example.yaml")
    return re.sub(r"(?m)^edition: .*$", f"edition: {today()}", file.read_text("utf-8"))


def draft(contracts: Sequence[Contract], how: str, *, whole: bool) -> str:
    """Return a short file. `how` is handler or ids; `whole`: the target serves all contracts."""
    first = contracts[0]
    servers = "\n".join(dict.fromkeys(f"#   {c.server}" for c in contracts))
    text = HEAD.format(servers=servers, today=today())
    if not whole:
        text += SERVES.format(names=", ".join(c.name for c in contracts))
    if how == "handler":
        text += HANDLER.format(
            article="an" if first.name[0] in "aeiou" else "a",
            name=first.name,
            state=first.lifecycle.states[0],
        )
    text += IDENTITIES
    if any(c.scheme.basic for c in contracts):
        text += "# (the token of Basic is user:password)\n"
    text += _parameters(contracts)
    if how == "ids":
        text += IDS
        number = 0
        for contract in contracts:
            text += f"  {contract.name}:\n    provider_states:\n"
            for state in contract.lifecycle.states:
                number += 1
                text += f'      {state}: ["{number:08}-0000-4000-8000-############"]\n'
    return text
