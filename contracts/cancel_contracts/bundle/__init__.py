"""A result that can be judged again: a zip file with the report of a run, its traffic, and what it
was judged by; a statement in it names the digest of each file. Judges nothing.
"""
