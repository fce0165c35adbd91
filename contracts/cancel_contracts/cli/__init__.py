"""The command line: the single edge where errors become a message and an exit code."""

from cancel_contracts.cli.edge import console_main, main

__all__ = ["console_main", "main"]
