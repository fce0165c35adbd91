"""Put text on a terminal: wrapped, in colour where there is colour, harmless whatever it holds.

Knows rich and no record. Nothing reaches the terminal but through `Screen.text`, which escapes what
does not show and what the terminal's encoding cannot carry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cancel_contracts.report.text import plain, tame

LABEL_COLUMNS = 10
MAX_COLUMNS, USUAL_COLUMNS = 1000, 80
PLAINER = {ord("…"): "...", ord("·"): "-"}


def plain_table(title: str | None = None, **settings: Any) -> Table:
    """Return a table as this suite shows every one: columns with blanks between, no boxes."""
    return Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False,
        padding=(0, 2, 0, 0), header_style="dim", **settings,
    )  # fmt: skip


class Outlet(Console):
    """The standard output, or error, of a width that can be laid out. `verbose`: whoever reads
    wants every clause.
    """

    def __init__(self, verbose: bool = False, *, stderr: bool = False) -> None:
        self.verbose = verbose
        super().__init__(highlight=False, stderr=stderr)
        if self.width > MAX_COLUMNS:  # COLUMNS says what it likes, and rich fills lines up
            self.width = MAX_COLUMNS
        elif self.width < 1:  # where nothing at all would be shown
            self.width = USUAL_COLUMNS


class Screen:
    """A console and how this suite writes to it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        # A terminal that cannot show "…" or a target's letters is sent what it can show.
        self.encoding = console.encoding
        self.ascii = console.options.ascii_only

    def can(self, text: str) -> str:
        if self.ascii:
            text = text.translate(PLAINER)
        try:
            return text.encode(self.encoding, "backslashreplace").decode(self.encoding)
        except LookupError:
            return text

    def text(self, text: str, style: str = "") -> Text:
        return Text(self.can(tame(plain(text))), style=style)

    def out(self, shown: RenderableType, indent: int = 0) -> None:
        """Print what rich lays out, without the blanks that it fills lines up with."""
        whole = Padding(shown, (0, 0, 0, indent)) if indent else shown
        for row in self.console.render_lines(whole, pad=False):
            text = Text.assemble(*((s.text, s.style or "") for s in row if not s.control))
            text.rstrip()
            self.console.print(text, soft_wrap=True, highlight=False)

    def say(self, text: Text | str = "", indent: int = 0) -> None:
        self.out(text if isinstance(text, Text) else self.text(text), indent)

    def parts(
        self,
        head: Text,
        parts: Sequence[str],
        indent: int = 2,
        before: str = "  ",
        between: str = " · ",
    ) -> None:
        """Print a head and parts: a line breaks between two parts, not within one that fits."""
        row, dot = head.copy(), self.can(between)
        end = dot.rstrip(self.can(" ·"))
        if len(head):
            row.append(before)
        for at, part in enumerate(map(self.text, parts)):
            after = len(end) if at < len(parts) - 1 else 0
            if at and len(row) + len(dot) + len(part) + after > self.console.width:
                row.append(end)
                self.say(row)
                row = self.text(" " * indent)
            elif at:
                row.append(dot)
            row.append(part)
        self.say(row)

    def row(self, label: str, value: str | Text, indent: int = 2) -> None:
        """Print a label and a value that wraps beside it."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=LABEL_COLUMNS, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(
            Text(label, style="dim"), value if isinstance(value, Text) else self.text(value)
        )
        self.out(grid, indent)

    def whole(self, text: str, indent: int = 2) -> None:
        """Print a line that the terminal may wrap but we never break: it is there to be copied."""
        self.console.print(
            self.text(" " * indent + text), soft_wrap=True, highlight=False, crop=False
        )
