"""The suite: nothing is left over between sequences, and nothing after a refused call."""

from __future__ import annotations

from random import Random

import pytest

from bulkhead.fuzz.sequence import generate
from bulkhead.fuzz.suite.words import Stored
from bulkhead.model.errors import ModelRevert

SEQUENCES = 20


def sequence(universe, seed: int) -> list:
    """A random sequence after an opening."""
    rng = Random(seed)
    catalogue = universe.catalogue
    tape = [rng.randbytes(catalogue.tape_bytes) for _ in range(50)]
    openings = universe.openings()
    return [*openings[seed % len(openings)], *catalogue.from_tape(tape), *universe.epilogue(seed)]


def whole(universe) -> tuple:
    """All that the views show, and all that can be undone."""
    return universe.expected_data(deep=True), len(universe.model.context.undo)


def test_reset_brings_back_the_deployed_state(universe):
    universe.reset()
    first = whole(universe)
    for seed in range(SEQUENCES):
        generate(universe, sequence(universe, seed))
        universe.reset()
        assert whole(universe) == first


def test_the_same_operations_are_the_same_sequence(universe):
    for seed in range(SEQUENCES):
        operations = sequence(universe, seed)
        once = [(p.transaction, p.expected.views) for p in generate(universe, operations).played]
        again = [(p.transaction, p.expected.views) for p in generate(universe, operations).played]
        assert once == again


def test_a_refused_call_leaves_nothing_anywhere(universe, monkeypatch):
    """Also not in oracle, peg monitor, feeds, roles and tokens."""
    play, refused = universe.play, []

    def watched(call):
        before = whole(universe)
        try:
            return play(call)
        except ModelRevert as error:
            refused.append(error.name)
            assert whole(universe) == before
            raise

    monkeypatch.setattr(universe, "play", watched)
    for seed in range(SEQUENCES):
        generate(universe, sequence(universe, seed), deep_every=10**6)
    assert len(set(refused)) > 20


def test_words_written_piece_by_piece_are_those_written_at_once(universe, monkeypatch):
    look, seen = universe.look, []

    def watched():
        views, state = look()
        fresh = Stored(universe.model, universe.accounts, universe.grantees).data()
        seen.append(views[0] == fresh)
        return views, state

    monkeypatch.setattr(universe, "look", watched)
    for seed in range(SEQUENCES):
        generate(universe, sequence(universe, seed), deep_every=10**6)
    assert all(seen)
    assert len(seen) > 500


def test_snapshots_say_what_the_words_say(universe, monkeypatch):
    look, compared = universe.look, []

    def watched():
        views, state = look()
        decoded = universe.decode_view(0, views[0])
        observed = universe.observe([decoded])
        compared.append(
            (observed.snapshot, observed.stored, observed.tier)
            == (state.snapshot, state.stored, state.tier)
        )
        return views, state

    monkeypatch.setattr(universe, "look", watched)
    for seed in range(4):
        generate(universe, sequence(universe, seed), deep_every=10**6)
    assert all(compared)


@pytest.mark.parametrize("seed", range(6))
def test_chain_and_model_agree_on_random_sequences(suite, universe, seed):
    suite.run(sequence(universe, 100 + seed))
