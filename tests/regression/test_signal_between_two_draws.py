"""SIGTERM between two draws made Hypothesis raise an error of its own, and the report was lost."""

from __future__ import annotations

import pytest
from hypothesis.errors import FlakyStrategyDefinition

from bulkhead.fuzz.command import _ended_behind


def met_by(sent: BaseException) -> None:
    """Do what Hypothesis does when a signal comes between two draws."""
    try:
        raise sent
    finally:
        raise FlakyStrategyDefinition("drew less")


@pytest.mark.parametrize(("sent", "status"), [(SystemExit(143), 143), (KeyboardInterrupt(), 130)])
def test_ended_behind__signal_under_an_error__is_found(sent: BaseException, status: int) -> None:
    with pytest.raises(FlakyStrategyDefinition) as caught:
        met_by(sent)
    assert _ended_behind(caught.value) == status


def test_ended_behind__error_of_its_own__is_none() -> None:
    assert _ended_behind(FlakyStrategyDefinition("drew less")) == 0
