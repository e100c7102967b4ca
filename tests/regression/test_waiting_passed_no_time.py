"""An operation that only lets time pass, without a call, let no time pass."""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead import ROOT
from bulkhead.fuzz.operation import Operation, Step
from bulkhead.fuzz.sequence import generate
from bulkhead.fuzz.testing import session_for

VAULT = f"{ROOT / 'examples' / 'share-vault' / 'fuzz_target.py'}:ShareVault"


@dataclass(frozen=True)
class Idle(Operation):
    """Ten minutes in which nothing happens."""

    def resolve(self, u: object) -> Step:
        return Step((), 600)


def test_step_without_calls__lets_its_seconds_pass() -> None:
    target = session_for(VAULT).target
    act = target.catalogue.from_json({"kind": "Act", "what": 0, "share": 10_000})
    at_once = generate(target, [act]).played[0].transaction.timestamp
    later = generate(target, [Idle(), Idle(), act]).played[0].transaction.timestamp
    assert later - at_once == 2 * 600
