"""The handler in ``tests/forge`` has the functions that are counted, as often as the harness."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from bulkhead import ROOT
from bulkhead.bench.forge_suite import CHOICES_PER_WEIGHT, FUNCTIONS, KINDS, choices
from bulkhead.fuzz.suite.catalogue import OPERATIONS

FORGE = ROOT / "tests" / "forge"
HANDLER = "".join(
    (FORGE / f"{name}.sol").read_text() for name in ("CompartmentHandler", "OutsideWorld")
)


def test_functions__of_the_handler__are_those_that_are_counted() -> None:
    found = re.findall(r"function (\w+)\([^)]*\)\s*external", HANDLER)
    assert sorted(found) == sorted(FUNCTIONS)


def test_functions__that_forge_chooses_from__are_those_that_are_counted() -> None:
    test = (FORGE / "CompartmentInvariants.t.sol").read_text(encoding="utf-8")
    found = re.findall(r'_add\(json, "(\w+)", \w+\.(\w+)\.selector\);', test)
    assert all(name == selector for name, selector in found)
    assert sorted(name for name, _ in found) == sorted(FUNCTIONS)


@pytest.mark.parametrize("kind", KINDS)
def test_shares__of_a_kind__add_up_to_one(kind: str) -> None:
    assert sum(f.share for f in FUNCTIONS.values() if f.kind == kind) == Fraction(1)


def test_choices__are_as_many_as_the_weights_say() -> None:
    weights = {kind.__name__: kind.weight for kind in OPERATIONS}
    found = choices()
    for kind in KINDS:
        parts = [found[name] for name, f in FUNCTIONS.items() if f.kind == kind]
        assert min(parts) > 0
        # Each part is rounded.
        assert abs(sum(parts) - CHOICES_PER_WEIGHT * weights[kind]) <= len(parts) / 2
