"""Tell whether an HTTP server keeps the documented contract of a cancel endpoint."""

from functools import cache

TOOL = "cancel-contracts"


@cache
def version() -> str:
    """Return the version of what is installed."""
    from importlib import metadata

    try:
        return metadata.version(TOOL)
    except metadata.PackageNotFoundError:
        return "unbuilt"  # a checkout that was never installed
