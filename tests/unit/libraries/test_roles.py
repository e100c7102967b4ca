"""Role identifiers are the hashes of their names: what tools and other deployments compute too."""

from __future__ import annotations

from eth_utils.crypto import keccak


def test_roles__identifiers__are_hashes_of_their_names(harness):
    roles = harness.call("roles")
    assert tuple(roles) == tuple(keccak(text=n) for n in ("GOVERNOR", "RISK_ADMIN", "GUARDIAN"))
