"""Random calls against a whole compartment; every invariant is checked after each."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

CALLS = (
    *("deposit", "withdraw", "convert", "poke", "breaker", "write_off"),
    *("trade", "close", "price", "crash", "advance", "liquidate", "start_auction"),
    *("take_auction", "end_auction", "pool_deposit", "pool_request", "pool_redeem"),
    *("fund_deposit", "fund_redeem"),
)

calls = st.lists(
    st.tuples(st.sampled_from(CALLS), st.integers(0, 2), st.integers(0, 11), st.integers(0, 10**6)),
    max_size=40,
)


@given(calls=calls, pool=st.sampled_from((10**3, 10**6)), fund=st.sampled_from((1, 10**5)))
@settings(max_examples=300, deadline=None)
def test_no_call_breaks_an_invariant(make_driver, calls, pool, fund):
    driver = make_driver(pool, fund)
    for call in calls:
        driver.run(*call)
        assert driver.violations == []


def test_the_calls_reach_every_entry_point(make_driver):
    done: dict[str, int] = {}
    for seed in range(150):
        dice, driver = random.Random(seed), make_driver(10**4, 10**3)
        for _ in range(60):
            # Trades and crashes are what makes the rest reachable.
            name = dice.choice((*CALLS, "trade", "crash", "liquidate", "take_auction"))
            driver.run(name, dice.randrange(3), dice.randrange(12), dice.randrange(10**6))
        assert driver.violations == []
        for name, count in driver.done.items():
            done[name] = done.get(name, 0) + count
    assert set(done) == set(CALLS)
