"""What is measured: a sample of the mock's faults and variants, over every category of the catalogue.

Chosen by category, few enough that a run takes minutes. A fault stands for one contract.
"""

from __future__ import annotations

from dataclasses import dataclass

Sample = dict[str, dict[str, tuple[str, ...]]]

SAMPLE: Sample = {
    "machine-action": {
        "faults": (
            "unknown-id-answered-200",
            "404-as-html",
            "entity-of-another-id",
            "text-truncated",
            "first-final-state-cancelled",
            "no-permission-accepted",
            "get-performs",
            "body-array-answered-500",
            "every-7th-call-answered-500",
            "401-without-challenge",
            "anonymous-accepted",
            "second-cancel-answered-500",
        ),
        "variants": ("absent-text-refused", "media-type-with-parameters"),
    },
    "security-action": {
        "faults": (
            "success-with-null",
            "wire-bytes-after",
            "success-as-201",
            "odd-id-nul-answered-500",
        ),
        "variants": ("final-state-answered-as-done",),
    },
    "access-package-assignment-request": {
        "faults": (
            "anothers-resource-cancelled",
            "neighbour-cancelled-too",
            "race-answered-500",
            "success-code-alternates",
        ),
        "variants": ("other-success-code",),
    },
}
TINY: Sample = {
    "machine-action": {
        "faults": ("404-as-html", "401-without-challenge"),
        "variants": ("media-type-with-parameters",),
    }
}


@dataclass(frozen=True)
class Subject:
    """One server to be told from the others: a contract, and one entry of the catalogue or none."""

    contract: str
    kind: str  # conforming | fault | variant
    entry: str = ""

    @property
    def faults(self) -> tuple[str, ...]:
        return (self.entry,) if self.kind == "fault" else ()

    @property
    def variants(self) -> tuple[str, ...]:
        return (self.entry,) if self.kind == "variant" else ()


def subjects(sample: Sample) -> list[Subject]:
    """Return the subjects, of each contract the conforming one first."""
    found = []
    for contract, rows in sample.items():
        found.append(Subject(contract, "conforming"))
        found += [Subject(contract, "fault", name) for name in rows["faults"]]
        found += [Subject(contract, "variant", name) for name in rows["variants"]]
    return found
