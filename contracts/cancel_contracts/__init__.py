"""Tell whether an HTTP server keeps the documented contract of a cancel endpoint."""
