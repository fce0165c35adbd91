"""The faults, one module a family: each is a table of name, saying, what it breaks, where it applies, and the change."""
