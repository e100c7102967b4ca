"""The matcher's benchmark does what it says it does: mixed operations, none refused."""

from __future__ import annotations

import io

from rich.console import Console

from bulkhead.bench import matcher


def test_measure__for_a_moment__counts_every_operation(monkeypatch) -> None:
    monkeypatch.setattr(matcher, "_PER_SECOND", 600)
    told: list[str] = []
    result = matcher.measure(0.5, told.append)
    details = result["details"]
    assert len(told) == len(details) == 3
    for name in matcher.FIGURES:
        assert result[name] > 0
    direct = details["book_and_store"]
    assert direct["operations"] % matcher.GROUP == 0
    assert 0.2 < direct["cancelled"] / direct["operations"] < 0.4
    assert direct["matches"] > direct["operations"] / 4
    assert details["http"]["operations"] == details["http_many"]["operations"] == 300
    assert details["http"]["cancelled_too_late"] < 100


def test_print_matcher__shows_both_speeds_and_the_aim() -> None:
    details = {
        "per_processor_second": None,
        "cores_used_by_others": None,
    }
    result = {
        **dict.fromkeys(matcher.FIGURES, 1_234.5),
        "details": dict.fromkeys(matcher.FIGURES, details),
    }
    out = io.StringIO()
    matcher.print_matcher(result, Console(file=out, width=130))
    assert out.getvalue().count("1,234 |                    – | 2,000") == 3
