"""The workloads play on a real node, over IPC, and notice what they should."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.bench import baselines
from bulkhead.bench.baselines import SEQUENCE, raw_ipc
from bulkhead.bench.forge_suite import KINDS
from bulkhead.bench.share_vault import EXAMPLE, ShareVaultWorkload
from bulkhead.bench.suite import SuiteWorkload
from bulkhead.bench.workload import Action, Mismatch


class Watched(SuiteWorkload):
    """Counts, and wants the model to be in step, which the measurement does not ask."""

    begun = judged = 0

    def begin(self) -> None:
        self.begun += 1
        super().begin()

    def judge(self, action: Action, accepted: bool, expected: bool, seen: Any) -> None:
        super().judge(action, accepted, expected, seen)
        self.judged += 1
        assert accepted == expected, action
        probe = self.target.contract(self.view.contract)
        assert probe.decode(self.view.function, self.target.expected()[0]) == tuple(seen), action


def test_suite__played_by_transactions__stays_in_step_with_the_model() -> None:
    workload = Watched(KINDS)
    result = raw_ipc(workload, 2)
    assert result.steps == workload.judged - baselines.WARM_UP_STEPS
    assert 2 <= result.seconds < 5
    assert 0 < result.refused < result.steps / 2
    # Once when it is deployed, and at the beginning of each sequence.
    assert workload.begun == 1 + -(-workload.judged // SEQUENCE)


def test_suite__where_money_is_missing__is_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    workload = SuiteWorkload(KINDS)
    observe = workload.target.observe

    def robbed(views: Any) -> Any:
        [words] = views
        return observe(([words[0] + 1, *words[1:]],))

    monkeypatch.setattr(workload.target, "observe", robbed)
    with pytest.raises(Mismatch, match="CUS-1"):
        raw_ipc(workload, 1)


def test_example__refusing_what_it_should_take__is_a_mismatch() -> None:
    workload = ShareVaultWorkload()
    workload.begin()
    action = Action("vault", "deposit", (1,), "0x")
    workload.judge(action, True, True, (0, 0))
    with pytest.raises(Mismatch, match="refused"):
        workload.judge(action, False, True, (0, 0))
    with pytest.raises(Mismatch, match=r"totals are \(0, 1\), expected \(0, 0\)"):
        workload.judge(action, True, True, (0, 1))


def test_example__with_the_planted_bug__is_a_mismatch() -> None:
    workload = ShareVaultWorkload(f"{EXAMPLE / 'fuzz_target.py'}:BuggyShareVault")
    with pytest.raises(Mismatch, match="withdraw"):
        raw_ipc(workload, 20)
