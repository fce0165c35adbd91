"""Servers of the three cancel endpoints that share nothing with the package or its mock.

Written from the vendor's pages and the RFCs on the standard library alone, as a user's own mock
would be. `front` speaks HTTP, `service` keeps the contract, `variants` differ and conform,
`faults_*` break it, `trial` starts one and lets the suite judge it. Only `trial` may import
`contracts`, and never `cancel_contracts.mock`.
"""
