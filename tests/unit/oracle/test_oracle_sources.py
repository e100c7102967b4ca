"""Sources: how shares move, who may suspend one, and what repute does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_utils.crypto import keccak

WAD = 10**18
HOUR, DAY = 3_600, 86_400
SEASONING = DAY
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
ETH = b"ETH".ljust(32, b"\0")
ALL = (10_000,)


@pytest.fixture
def set_sources(lab):
    """Set the list: shares by the index of the source."""

    def _set(shares, **changed):
        config = replace(lab.defaults, **changed)
        listed = [(lab.adapters[i], share) for i, share in shares.items()]
        lab.transact("configure", ETH, tuple(getattr(config, f) for f in config.__slots__), listed)

    return _set


@pytest.fixture
def shares_of(lab):
    """Shares in force and aimed at, by the index of the source, in the contract's order."""

    def _shares():
        found = lab.view("sources", ETH)
        return {lab.adapters.index(s.adapter.lower()): (s.share, s.targetShare) for s in found}

    return _shares


@pytest.fixture
def reputation_of(lab):
    """A source's reputation, and whether it was counted."""

    def _reputation(index):
        state = lab.view("sources", ETH)[index]
        return state.reputation, state.isCounted

    return _reputation


# ------------------------------------------------------------------ shares


def test_configure__first_list__is_in_force_at_once(lab, set_sources, shares_of):
    set_sources({0: 7_000, 1: 3_000})
    assert shares_of() == {0: (7 * WAD // 10, 7_000), 1: (3 * WAD // 10, 3_000)}
    assert [s.reputation for s in lab.view("sources", ETH)] == [WAD, WAD]


def test_configure__another_list__shares_move_linearly_and_stop(lab, set_sources, shares_of):
    set_sources({0: 10_000})
    set_sources({1: 10_000})
    assert shares_of() == {1: (0, 10_000), 0: (WAD, 0)}
    lab.skip(SEASONING // 4)
    assert shares_of() == {1: (WAD // 4, 10_000), 0: (3 * WAD // 4, 0)}
    lab.skip(SEASONING // 2)
    assert shares_of() == {1: (3 * WAD // 4, 10_000), 0: (WAD // 4, 0)}
    lab.skip(SEASONING // 4)
    assert shares_of() == {1: (WAD, 10_000), 0: (0, 0)}
    lab.skip(10 * SEASONING)
    assert shares_of() == {1: (WAD, 10_000), 0: (0, 0)}


@pytest.mark.parametrize(
    ("elapsed", "price"), [(57_599, 100 * WAD), (57_600, 101 * WAD), (57_601, 102 * WAD)]
)
def test_aggregate__new_source_of_no_repute__outweighs_at_two_thirds(
    lab, set_sources, elapsed, price
):
    """Two thirds of the shares at half of the repute are as much as one third at all of it."""
    set_sources({0: 10_000})
    set_sources({1: 10_000})
    lab.skip(elapsed)
    lab.answers(100 * WAD, 102 * WAD)
    assert lab.view("aggregate", ETH).price == price


def test_configure__in_the_middle_of_a_glide__goes_on_from_there(set_sources, shares_of, lab):
    set_sources({0: 10_000})
    set_sources({1: 10_000})
    lab.skip(SEASONING // 4)
    set_sources({0: 5_000, 2: 5_000})
    assert shares_of() == {
        0: (WAD * 7_500 // 10_000, 5_000),
        2: (0, 5_000),
        1: (WAD * 2_500 // 10_000, 0),
    }
    lab.skip(SEASONING // 2)
    assert shares_of() == {
        0: (WAD * 6_250 // 10_000, 5_000),
        2: (WAD * 2_500 // 10_000, 5_000),
        1: (WAD * 1_250 // 10_000, 0),
    }
    lab.skip(SEASONING // 2)
    assert shares_of() == {0: (WAD // 2, 5_000), 2: (WAD // 2, 5_000), 1: (0, 0)}


def test_configure__share_not_whole__is_rounded_down(set_sources, shares_of, lab):
    """Ten seconds of a day: 9,998.8 and 1.2 basis points, in parts of 2^-24 of one."""
    set_sources({0: 10_000})
    set_sources({1: 10_000})
    lab.skip(10)
    set_sources({0: 10_000})
    whole = 10_000 * 2**24
    kept, gained = whole * (SEASONING - 10) // SEASONING, whole * 10 // SEASONING
    assert kept + gained == whole - 1
    assert shares_of() == {0: (WAD * kept // whole, 10_000), 1: (WAD * gained // whole, 0)}


def test_configure__same_list_again__moves_no_share(set_sources, shares_of, lab):
    set_sources({0: 3_334, 1: 3_333, 2: 3_333})
    before = shares_of()
    lab.skip(1_234)
    set_sources({0: 3_334, 1: 3_333, 2: 3_333})
    lab.skip(4_321)
    assert shares_of() == before


def test_configure__source_that_has_left__is_forgotten_with_its_repute(set_sources, shares_of, lab):
    set_sources({0: 10_000})
    set_sources({1: 10_000})
    lab.skip(SEASONING)
    set_sources({1: 10_000})
    assert list(shares_of()) == [1]
    set_sources({1: 5_000, 0: 5_000})
    states = lab.view("sources", ETH)
    assert [(s.share, s.reputation, s.isCounted) for s in states] == [
        (WAD, WAD // 2, False),
        (0, WAD // 2, False),
    ]


def test_configure__more_than_seven_with_those_that_leave__reverts(lab, set_sources, shares_of):
    set_sources({0: 2_500, 1: 2_500, 2: 2_500, 3: 2_500})
    listed = [(adapter, 2_500) for adapter in lab.adapters[4:]]
    rules = tuple(getattr(lab.defaults, f) for f in lab.defaults.__slots__)
    refused = ("OracleAggregator_SourceCount", 8, 7)
    assert lab.error("configure", ETH, rules, listed) == refused
    set_sources({0: 10_000})
    lab.skip(SEASONING // 2)
    assert lab.error("configure", ETH, rules, listed) == refused
    lab.skip(SEASONING // 2)
    lab.transact("configure", ETH, rules, listed)
    assert list(shares_of()) == [4, 5, 6, 7, 0]


def test_configure__seven_with_one_suspended__accepts_seven_others(lab, set_sources, shares_of):
    set_sources({0: 2_500, 1: 2_500, 2: 2_500, 3: 2_500})
    lab.transact("suspend", ETH, lab.adapters[0])
    set_sources({4: 2_500, 5: 2_500, 6: 2_500, 7: 2_500})
    assert list(shares_of()) == [4, 5, 6, 7, 1, 2, 3]


def test_configure__quorum__moves_with_the_shares(lab, set_sources):
    """From all of them (less seven basis points, for rounding) to 6,000 of 10,000."""
    set_sources({0: 6_000, 1: 4_000}, quorum=10_000)
    set_sources({0: 6_000, 1: 4_000}, quorum=6_000)
    lab.skip(SEASONING - 1)
    lab.answers(100 * WAD)
    assert lab.view("aggregate", ETH).status == STALE
    lab.skip(1)
    lab.answers(100 * WAD)
    assert lab.view("aggregate", ETH).status == VALID


# ------------------------------------------------------------------ suspension


@pytest.mark.parametrize("sender", ["guardian", "governor"])
def test_suspend__guardian_or_governor__takes_the_vote_at_once(lab, set_sources, shares_of, sender):
    set_sources({0: 3_334, 1: 3_333, 2: 3_333})
    lab.record(100 * WAD, 101 * WAD, 102 * WAD)
    assert lab.view("latest", ETH).price == 101 * WAD
    _, events = lab.transact("suspend", ETH, lab.adapters[0], sender=sender)
    ((name, args),) = events
    assert name == "SourceSuspended"
    assert (args.asset, args.adapter.lower()) == (ETH, lab.adapters[0])
    assert args.by.lower() == lab.who[sender]
    assert shares_of()[0] == (0, 0)
    assert [c.share for c in lab.view("assetConfig", ETH)[1]] == [3_333, 3_333]
    # The cache is not answered any more: the mean of the two that are left.
    assert lab.view("latest", ETH).price == 101 * WAD + WAD // 2


def test_suspend__no_quorum_without_it__cached_price_is_stale(lab, set_sources):
    set_sources({0: 3_334, 1: 3_333, 2: 3_333})
    lab.record(100 * WAD, 100 * WAD, 100 * WAD)
    lab.answer(1, 0)
    assert lab.view("latest", ETH).status == VALID
    lab.transact("suspend", ETH, lab.adapters[0], sender="guardian")
    assert lab.view("latest", ETH)[::4] == (100 * WAD, STALE)


def test_suspend__stranger__reverts(lab, set_sources):
    set_sources({0: 10_000})
    error = lab.error("suspend", ETH, lab.adapters[0], sender="stranger")
    assert error[0] == "RoleRegistry_MissingRole"
    assert (error[1].lower(), error[2]) == (lab.who["stranger"], keccak(text="GOVERNOR"))


def test_suspend__adapter_that_is_no_source__reverts(lab, set_sources):
    set_sources({0: 10_000})
    for asset in (ETH, b"NONE".ljust(32, b"\0")):
        name, known, adapter = lab.error("suspend", asset, lab.adapters[1], sender="guardian")
        assert (name, known) == ("OracleAggregator_UnknownSource", asset)
        assert adapter.lower() == lab.adapters[1]


@pytest.mark.parametrize(("quorum", "status"), [(6_666, VALID), (6_667, STALE)])
def test_suspend__its_share__still_counts_for_the_quorum(lab, set_sources, quorum, status):
    """Two of 3,333 are 6,666 of 10,000, not of 6,666."""
    set_sources({0: 3_334, 1: 3_333, 2: 3_333}, quorum=quorum)
    lab.transact("suspend", ETH, lab.adapters[0], sender="guardian")
    lab.answers(100 * WAD, 100 * WAD, 100 * WAD)
    assert lab.view("aggregate", ETH).status == status


def test_suspend__in_the_middle_of_a_glide__stays_suspended(lab, set_sources, shares_of):
    set_sources({0: 10_000})
    set_sources({1: 10_000})
    lab.skip(SEASONING // 2)
    lab.transact("suspend", ETH, lab.adapters[1], sender="guardian")
    assert shares_of() == {1: (0, 0), 0: (WAD // 2, 0)}
    lab.skip(SEASONING)
    assert shares_of() == {1: (0, 0), 0: (0, 0)}


def test_configure__suspended_source_named_again__begins_at_zero(lab, set_sources, shares_of):
    set_sources({0: 5_000, 1: 5_000})
    lab.transact("suspend", ETH, lab.adapters[0], sender="guardian")
    set_sources({0: 5_000, 1: 5_000})
    assert shares_of() == {0: (0, 5_000), 1: (WAD // 2, 5_000)}
    lab.skip(SEASONING // 2)
    assert shares_of() == {0: (WAD // 4, 5_000), 1: (WAD // 2, 5_000)}


# ------------------------------------------------------------------ repute


def record_all(lab, last=100 * WAD):
    """Record with the third source saying something else, or nothing; return the new repute."""
    lab.answers(100 * WAD, 100 * WAD, last)
    _, events = lab.transact("record", ETH)
    judged = [args for name, args in events if name == "ReputationChanged"]
    assert events[-1][0] == "PriceRecorded"
    assert all(args.adapter.lower() == lab.adapters[2] for args in judged)
    return [(args.asset, args.reputation, args.isCounted) for args in judged]


def test_record__source_misses_then_returns__falls_fast_and_recovers_slowly(
    lab, set_sources, reputation_of
):
    set_sources({0: 3_334, 1: 3_333, 2: 3_333})
    assert record_all(lab) == []
    lab.skip(60)
    # Counted before, not now: these seconds count for nothing.
    assert record_all(lab, last=0) == [(ETH, WAD, False)]
    lab.skip(60)
    # (86,400 + 86,400 − 24 · 60) / 172,800
    assert record_all(lab, last=0) == [(ETH, 991_666_666_666_666_666, False)]
    lab.skip(60)
    assert record_all(lab) == [(ETH, 991_666_666_666_666_666, True)]
    lab.skip(60)
    # (86,400 + 84,960 + 60) / 172,800
    assert record_all(lab) == [(ETH, 992_013_888_888_888_888, True)]
    assert reputation_of(2) == (992_013_888_888_888_888, True)
    assert reputation_of(0) == reputation_of(1) == (WAD, True)


def test_record__outlier__is_not_counted_either(lab, set_sources, reputation_of):
    set_sources({0: 3_334, 1: 3_333, 2: 3_333})
    record_all(lab)
    assert record_all(lab, last=200 * WAD) == [(ETH, WAD, False)]
    lab.skip(600)
    # (172,800 − 24 · 600) / 172,800
    assert record_all(lab, last=200 * WAD) == [(ETH, 916_666_666_666_666_666, False)]


def test_record__missing_for_an_hour_and_more__falls_to_one_half_and_no_further(
    lab, set_sources, reputation_of
):
    set_sources({0: 3_334, 1: 3_333, 2: 3_333})
    record_all(lab, last=0)
    lab.skip(HOUR - 1)
    # (172,800 − 24 · 3,599) / 172,800
    assert record_all(lab, last=0) == [(ETH, 500_138_888_888_888_888, False)]
    lab.skip(1)
    assert record_all(lab, last=0) == [(ETH, WAD // 2, False)]
    lab.skip(HOUR)
    assert record_all(lab, last=0) == []
    assert reputation_of(2) == (WAD // 2, False)


def test_record__long_interval__counts_no_more_than_max_staleness(lab, set_sources):
    set_sources({0: 3_334, 1: 3_333, 2: 3_333}, max_staleness=600)
    record_all(lab, last=0)
    lab.skip(10_000)
    # (172,800 − 24 · 600) / 172,800
    assert record_all(lab, last=0) == [(ETH, 916_666_666_666_666_666, False)]
    assert record_all(lab) == [(ETH, 916_666_666_666_666_666, True)]
    lab.skip(10_000)
    # (158,400 + 600) / 172,800
    assert record_all(lab) == [(ETH, 920_138_888_888_888_888, True)]


def test_record__counted_for_a_day__recovers_from_one_half_to_one(lab, set_sources, reputation_of):
    set_sources({0: 10_000})
    set_sources({1: 10_000}, max_staleness=DAY)
    lab.skip(SEASONING)
    lab.answer(1, 100 * WAD)
    lab.transact("record", ETH)
    assert reputation_of(0) == (WAD // 2, True)
    lab.skip(DAY // 2)
    lab.answer(1, 100 * WAD)
    lab.transact("record", ETH)
    assert reputation_of(0) == (3 * WAD // 4, True)
    lab.skip(DAY // 2 - 1)
    lab.answer(1, 100 * WAD)
    lab.transact("record", ETH)
    assert reputation_of(0)[0] == (172_799 * WAD) // 172_800
    lab.skip(DAY)
    lab.answer(1, 100 * WAD)
    lab.transact("record", ETH)
    assert reputation_of(0) == (WAD, True)


def test_record__no_quorum__judges_nobody(lab, set_sources, reputation_of):
    set_sources({0: 3_334, 1: 3_333, 2: 3_333})
    record_all(lab, last=0)
    lab.skip(600)
    lab.answers(100 * WAD, 0, 0)
    _, events = lab.transact("record", ETH)
    assert [name for name, _ in events] == ["PriceRecorded"]
    assert [reputation_of(i) for i in range(3)] == [(WAD, True), (WAD, True), (WAD, False)]


def test_record__unconfirmed__judges_too(lab, set_sources, reputation_of):
    set_sources({0: 3_334, 1: 3_333, 2: 3_333})
    record_all(lab)
    lab.skip(10)
    assert lab.record(300 * WAD, 300 * WAD, 0).status == UNCONFIRMED
    assert reputation_of(2) == (WAD, False)


def test_aggregate__shares_of_absent_majority__no_quorum_by_repute(lab, set_sources):
    """ORC-1: 4,000 of full repute outweigh 6,000 of none, but are no quorum."""
    set_sources({0: 10_000}, quorum=5_001)
    set_sources({0: 4_000, 1: 6_000}, quorum=5_001)
    lab.skip(SEASONING)
    lab.answers(100 * WAD, 0)
    assert lab.view("aggregate", ETH).status == STALE
    lab.answers(0, 100 * WAD)
    assert lab.view("aggregate", ETH).status == VALID


@pytest.mark.parametrize(("quorum", "status"), [(6_667, DEGRADED), (6_668, STALE)])
def test_aggregate__outlier__counts_not_for_the_quorum(lab, set_sources, quorum, status):
    set_sources({0: 3_334, 1: 3_333, 2: 3_333}, quorum=quorum)
    lab.answers(100 * WAD, 100 * WAD, 200 * WAD)
    assert lab.view("aggregate", ETH).status == status
