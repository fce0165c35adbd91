"""The faults, one module a family.

Each row is a name, a saying, what it breaks, the change, and where it applies.
"""
