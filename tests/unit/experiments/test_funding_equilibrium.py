"""The experiment on funding: what moves the premium, and that a run is repeatable."""

from __future__ import annotations

from bulkhead.experiments import funding_equilibrium as experiment
from bulkhead.experiments.funding_market import FundingMarket, Habits
from bulkhead.model.math import WAD

SOME = experiment.HABITS["some"]


def test_shock__no_funding__premium_stays_where_it_pays_the_arbitrageur():
    found = experiment.shock(0, SOME, hours=72)
    assert (found.half_life, found.rate, found.overshoot) == (None, 0, 0)
    # premium = demand − elasticity · (premium − hurdle): (150 + 0.25 · 10) / 1.25 basis points.
    assert found.path[-1] in range(121_999 * WAD // 10**7, 122_001 * WAD // 10**7)


def test_shock__no_arbitrageur__nothing_opposes_the_crowd():
    market = FundingMarket(experiment.DEFAULT, None)
    demand = market.rules.skew_scale * experiment.SHOCK_BPS // 10**4
    path = [market.hour(demand) for _ in range(48)]
    assert {hour.premium for hour in path} == {WAD * experiment.SHOCK_BPS // 10**4}
    assert path[-1].funding_rate == market.rules.max_funding_rate


def test_shock__faster_funding__halves_sooner():
    hours = [experiment.shock(v, SOME, hours=120).half_life for v in (WAD // 32, WAD // 8, WAD)]
    assert None not in hours
    assert hours == sorted(hours, reverse=True)
    assert hours[0] > 2 * hours[-1]


def test_shock__held_down__rate_persists_without_a_premium():
    """What velocity funding is for: the arbitrageur is paid although mark is at the index."""
    found = experiment.shock(experiment.DEFAULT, SOME)
    assert abs(found.path[-1]) <= 5 * WAD // 10**4
    assert found.rate > WAD // 20


def test_long_run__same_seed__same_path_and_nearer_with_funding():
    runs = [experiment.long_run(v, 10, lambda _: None, "") for v in (0, WAD // 2, WAD // 2)]
    assert runs[1].path == runs[2].path
    assert sum(runs[1].sizes) < sum(runs[0].sizes) // 2


def test_hour__crowd_beyond_the_cap__is_refused_and_counted():
    market = FundingMarket(0, Habits(elasticity=0))
    market.hour(market.rules.max_open_interest + WAD)
    assert market.refused == 1
    market.hour(market.rules.max_open_interest)
    assert market.refused == 1
    market.check()
