"""EVT-1: what was logged since the first block tells what is stored, and each event is needed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkhead.fuzz.campaign import Campaign
from bulkhead.fuzz.judge import Disagreement
from bulkhead.fuzz.profiles import PROFILES
from bulkhead.fuzz.suite import oracles, reading
from bulkhead.fuzz.suite.event_log import EventLog, told_by
from bulkhead.fuzz.suite.market_operations import Wait
from bulkhead.fuzz.suite.trips import RoundTrip
from bulkhead.model.rebuilt import EMITTERS, Rebuilt

TOLD_ELSEWHERE = (
    *("custody of S", "breaker state", "stress", "stress moved at"),
    *("maintenance rate", "rate moved at", "correlations", "in custody", "depth"),
)
"""Tokens, guard and margin rates: not the ledger."""
SUPERFLUOUS = {
    # A transfer of shares and a change of cash say the same.
    *("LiquidityVault.Deposit", "InsuranceFund.Deposit", "InsuranceFund.Withdraw"),
    *("LiquidityVault.Approval", "InsuranceFund.Approval"),
}
TRIES, STEPS = 4, 4_000
LONG = (*oracles.RUIN, *oracles.RUSH, *oracles.epilogue(7))


@pytest.fixture(scope="module")
def log(universe) -> EventLog:
    return universe._event_log


@pytest.fixture(scope="module")
def played(suite):
    """A sequence with bad debt, a write-off, profit, and everybody leaving."""
    return suite.run(LONG)


def names_of(universe, judged) -> list[tuple[int, int, str]]:
    """Return every event of the ledger: number of its call, place among the logs, its name."""
    emitters = {universe.contract(name).address.lower(): name for name in EMITTERS}
    found = []
    for at, j in enumerate(judged):
        for place, log in enumerate(j.outcome.logs):
            name = emitters.get(log.address)
            if name is not None:
                event = universe.contract(name).decode_log(log).name
                found.append((at, place, f"{name}.{event}"))
    return found


def without(judged, at: int, place: int):
    """Return the sequence as if one event had not been logged."""
    changed = list(judged)
    logs = judged[at].outcome.logs
    outcome = replace(judged[at].outcome, logs=(*logs[:place], *logs[place + 1 :]))
    changed[at] = replace(judged[at], outcome=outcome)
    return changed


def test_told_by__state__is_all_but_tokens_guard_and_rates(universe, log) -> None:
    told = told_by(log.begin(), *universe.layout, universe.grantees)
    labels = {name for label in reading.labels(*universe.layout) for name in label}
    missing = {name for name in labels - set(told) if not name.endswith(TOLD_ELSEWHERE)}
    # Of an odd number of collaterals the last half is empty, as is U of a market never touched.
    assert {n for n in missing if "collateral" not in n and "reported" not in n} == set()
    assert set(told) <= labels


def test_review__first_block__is_where_it_begins(universe, log) -> None:
    """Nothing is taken from the chain but its logs: a fresh replay knows the pool's cash."""
    assert log.begin().totals.pool_cash == universe.model.margin_engine.totals().pool_cash > 0
    assert Rebuilt(1).totals.pool_cash == 0


@pytest.mark.parametrize("opening", range(len(oracles.OPENINGS)))
def test_review__every_opening__tells_what_is_stored(suite, log, opening: int) -> None:
    judged = suite.run([*oracles.OPENINGS[opening], RoundTrip(0, 0, 0, 0, 9_000)])
    assert list(log.review(judged)) == []


def test_review__long_sequence__tells_what_is_stored(universe, log, played) -> None:
    assert list(log.review(played)) == []
    seen = {name.partition(".")[2] for _, _, name in names_of(universe, played)}
    assert {"BadDebtWrittenOff", "ProfitApplied", "LossApplied", "InterestAccrued"} <= seen
    assert {"Converted", "Withdrawn", "FundingAccrued", "UnrealizedReported"} <= seen


@pytest.fixture(scope="module")
def sequences(suite, universe, tmp_path_factory) -> list:
    """What a small campaign played."""
    kept = []

    def keep(judged):
        kept.append(list(judged))
        return universe._event_log.review(judged)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(universe, "review", keep)
        profile = replace(PROFILES["ci"], steps=STEPS)
        campaign = Campaign(suite, profile, folder=tmp_path_factory.mktemp("failures"))
        campaign.run()
    assert campaign.found == {}
    return kept


def test_review__any_event_missing__is_noticed(universe, log, sequences) -> None:
    """Every kind that was logged is dropped once; some only tell what others tell as well."""
    places: dict[str, list[tuple[int, int, int]]] = {}
    for number, judged in enumerate(sequences):
        for at, place, name in names_of(universe, judged):
            places.setdefault(name, []).append((number, at, place))
    assert len(places) > 30

    def is_noticed(number: int, at: int, place: int) -> bool:
        changed = without(sequences[number], at, place)
        found = [v.id for _, v in log._wrong(changed, range(at, len(changed)))]
        assert found in ([], ["EVT-1"])
        return bool(found)

    unnoticed = {
        name
        for name, where in places.items()
        if not any(is_noticed(*place) for place in where[:TRIES])
    }
    assert unnoticed <= SUPERFLUOUS


def test_judge__log_that_lies__is_a_failure_of_evt_1(suite, monkeypatch) -> None:
    real = Rebuilt._MarginEngine_FeeCharged

    def forgetful(self, e, now) -> None:
        real(self, e._replace(toInsurance=0), now)

    monkeypatch.setattr(Rebuilt, "_MarginEngine_FeeCharged", forgetful)
    with pytest.raises(
        Disagreement, match="EVT-1: the log tells another ledger: I: events"
    ) as found:
        suite.run([Wait(how_long=1, silent=0), RoundTrip(0, 0, 0, 0, 9_000)])
    assert found.value.oracle == "EVT-1"
    assert found.value.judged[-1].call.function == "trade"
