"""``examples/share-vault`` for stacks that send one transaction after the other."""

from __future__ import annotations

from typing import Any

from bulkhead import ROOT
from bulkhead.bench.target_workload import TargetWorkload
from bulkhead.bench.workload import Action, Mismatch
from bulkhead.fuzz.session import load_target

EXAMPLE = ROOT / "examples" / "share-vault"
SPEC = f"{EXAMPLE / 'fuzz_target.py'}:ShareVault"


class ShareVaultWorkload(TargetWorkload):
    """The example's operations; each call has to do what the model says, by one view.

    Args:
        spec: which vault, as for ``load_target``.
    """

    def __init__(self, spec: str = SPEC) -> None:
        super().__init__(load_target(spec))

    def judge(self, action: Action, accepted: bool, expected: bool, seen: Any) -> None:
        """Compare with the model.

        Raises:
            Mismatch: the vault took or refused what it should not, or its totals are wrong.
        """
        if accepted != expected:
            raise Mismatch(f"{action}: {'accepted' if accepted else 'refused'}")
        [totals] = self.target.expected()
        if tuple(seen) != totals:
            raise Mismatch(f"{action}: totals are {tuple(seen)}, expected {totals}")
