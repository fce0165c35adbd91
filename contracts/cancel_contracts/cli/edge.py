"""The edge: runs a command and turns whatever it raises into one line and an exit code.

Commands load their rooms when they run: `--help` and `clauses` load neither Hypothesis nor
schemathesis nor a server.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from cancel_contracts.cli.again import replay, token
from cancel_contracts.cli.board import board
from cancel_contracts.cli.bundle import recheck
from cancel_contracts.cli.draft import new_contract
from cancel_contracts.cli.ledger import ledger
from cancel_contracts.cli.look import baseline, clauses, compare, explain, init, prove, schema
from cancel_contracts.cli.mock import mock
from cancel_contracts.cli.pages import pages
from cancel_contracts.cli.run import judge, verify
from cancel_contracts.errors import SUITE_FAILED, ContractsError, UsageError, clip, crash, one_line
from cancel_contracts.pipes import papers


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(None, "-V", "--version", package_name="cancel-contracts")
def cli() -> None:
    """Tell whether a server keeps the documented contract of a cancel endpoint.

    \b
    Exit codes: 0 conforms, 1 a clause is violated or an excuse or baseline entry stale,
    2 bad usage, 3 the suite itself failed, 4 inconclusive (unreachable, refused, throttled, or
    something not exercised or covered), 5 nothing selected.
    """


for command in (
    verify,
    judge,
    recheck,
    replay,
    token,
    compare,
    board,
    baseline,
    clauses,
    explain,
    mock,
    prove,
    ledger,
    pages,
    new_contract,
    init,
    schema,
):
    cli.add_command(command)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    A stream that cannot be written changes none: who only prints says so by itself (2).
    """
    with papers() as out:
        code = _run(argv)
        out.flush()
        if out.lost and code != UsageError.exit_code:
            _complain(f"standard output: {out.lost}", code)
        return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        code = cli.main(args=list(argv) if argv is not None else None, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except ContractsError as err:
        return _complain(str(err), err.exit_code)
    except click.exceptions.NoArgsIsHelpError as err:
        click.echo(err.ctx.get_help() if err.ctx else "")
        return 2
    except click.UsageError as err:
        where = f"`{err.ctx.command_path} --help`" if err.ctx else "`cancel-contracts --help`"
        return _complain(f"{clip(err.format_message()).rstrip('.')}; see {where}", 2)
    except click.ClickException as err:
        return _complain(err.format_message(), 2)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", 130)
    except Exception as err:  # noqa: BLE001 - the edge: a fault of the suite is said, never hidden
        return _complain(crash(err), SUITE_FAILED)


def _complain(text: str, code: int) -> int:
    click.echo("cancel-contracts: " + one_line(text), err=True)
    return code
