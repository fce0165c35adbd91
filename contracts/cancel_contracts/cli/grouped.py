"""A command whose help has its options in groups, each under what it is about."""

from __future__ import annotations

import click

# Group -> the options in it, by name of their parameter, in the order of the help.
GROUPS = {
    "The target": ("target_file", "cacert", "timeout", "wait", "allow_destructive", "ledger"),
    "Which clauses": (
        "specs", "names", "edition", "only", "skip", "levels", "topics", "sources",
    ),
    "How much is sent": (
        "profile", "plan_only", "max_requests", "seed", "rate", "quota_store", "max_wait", "jobs",
    ),
    "When a run fails": ("strict", "caller", "min_covered", "dialects", "baseline_file"),
    "Reports": (
        "verbose", "report_json", "report_junit", "report_markdown", "report_html", "record",
        "bundle", "debug",
    ),
}  # fmt: skip
REST = "Other options"


class Grouped(click.Command):
    """A command with its options in groups. One that no group names stands among the others."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {p.name: row for p in self.get_params(ctx) if (row := p.get_help_record(ctx))}
        for title, names in GROUPS.items():
            found = [rows.pop(name) for name in names if name in rows]
            if found:
                with formatter.section(title):
                    formatter.write_dl(found)
        if rows:
            with formatter.section(REST):
                formatter.write_dl(list(rows.values()))
