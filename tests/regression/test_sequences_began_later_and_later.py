"""A sequence began at the time at which the one before it had ended."""

from __future__ import annotations

from bulkhead import ROOT
from bulkhead.fuzz.sequence import generate
from bulkhead.fuzz.testing import session_for

VAULT = f"{ROOT / 'examples' / 'share-vault' / 'fuzz_target.py'}:ShareVault"


def test_sequence__played_again__has_the_same_times() -> None:
    target = session_for(VAULT).target
    act = target.catalogue.from_json({"kind": "Act", "what": 0, "share": 10_000})
    first, second = (generate(target, [act, act]) for _ in range(2))
    assert first.transactions == second.transactions
