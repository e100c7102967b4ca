"""The handler in ``tests/forge`` has a function for each kind that is compared."""

from __future__ import annotations

import re
from fractions import Fraction

from bulkhead import ROOT
from bulkhead.bench.forge_suite import KINDS, TRANSACTIONS, choices, function_of
from bulkhead.fuzz.suite.catalogue import OPERATIONS

FORGE = ROOT / "tests" / "forge"
FUNCTIONS = sorted(map(function_of, KINDS))


def test_functions__of_the_handler__are_the_kinds() -> None:
    parts = ("CompartmentHandler.sol", "OutsideWorld.sol")
    text = "".join((FORGE / part).read_text(encoding="utf-8") for part in parts)
    assert sorted(re.findall(r"function (\w+)\([^)]*\)\s*external", text)) == FUNCTIONS


def test_functions__that_forge_chooses_from__are_the_kinds() -> None:
    text = (FORGE / "CompartmentInvariants.t.sol").read_text(encoding="utf-8")
    found = re.findall(r'_add\(json, "(\w+)", \w+\.(\w+)\.selector\);', text)
    assert all(name == selector for name, selector in found)
    assert sorted(name for name, _ in found) == FUNCTIONS


def test_choices__are_as_many_as_the_weights_say() -> None:
    weights = {function_of(kind.__name__): kind.weight for kind in OPERATIONS}
    assert choices() == {name: weights[name] for name in FUNCTIONS}


def test_transactions__are_those_of_functions() -> None:
    assert TRANSACTIONS.keys() <= set(FUNCTIONS)


def test_transactions__are_what_the_kinds_send_on_average() -> None:
    # Who is told, by the field's eight values, of an asset that is pegged and of two that are not.
    moves = [
        2 + told + (told > 0) * pegged for told in (0, 0, 0, 0, 1, 1, 2, 2) for pegged in (1, 0, 0)
    ]
    assert TRANSACTIONS["movePrice"] == Fraction(sum(moves), len(moves))
    # Three short waits, of which the longest pokes, and four long ones; two of sixteen are silent.
    waits = [n * (silent < 14) for n in (0, 0, 1, 7, 7, 7, 7) for silent in range(16)]
    assert TRANSACTIONS["wait"] == Fraction(sum(waits), len(waits))
    assert TRANSACTIONS["convert"] == Fraction(7 * 3 + 1, 8)
    assert TRANSACTIONS["squeeze"] == Fraction(4 * 2 + 2 * 3 + 2 * 4, 8)
