"""Custody moves tokens for the margin engine alone, and reports what arrived."""

from __future__ import annotations

import pytest

AMOUNT = 1_000


@pytest.mark.parametrize("caller", ["alice", "deployer", "guardian"])
def test_pull__not_the_margin_engine__refused(world, refuses, caller):
    sender = world.address(caller)
    with refuses("CollateralVault_NotMarginEngine", sender):
        world.custody.call(
            "pull", world.usdb.address, world.address("alice"), AMOUNT, sender=sender
        )


@pytest.mark.parametrize("caller", ["alice", "deployer", "guardian"])
def test_push__not_the_margin_engine__refused(world, refuses, caller):
    sender = world.address(caller)
    with refuses("CollateralVault_NotMarginEngine", sender):
        world.custody.call(
            "push", world.usdb.address, world.address("alice"), AMOUNT, sender=sender
        )


def test_push__other_parts_of_the_compartment__refused(world, refuses):
    for part in (world.perps, world.pool, world.fund, world.liquidation, world.breaker):
        with refuses("CollateralVault_NotMarginEngine", part.address):
            world.custody.call(
                "push", world.usdb.address, part.address, AMOUNT, sender=part.address
            )


def test_pull__margin_engine__returns_what_arrived(world):
    arguments = (world.usdb.address, world.address("alice"), AMOUNT)
    assert world.custody.call("pull", *arguments, sender=world.margin.address) == AMOUNT
    before = world.usdb.call("balanceOf", world.custody.address)
    world.custody.transact("pull", *arguments, sender=world.margin.address)
    assert world.usdb.call("balanceOf", world.custody.address) == before + AMOUNT


def test_pull__token_with_a_fee__returns_less(world):
    token = world.corrupt(world.usdb)
    token.transact("setFee", 100, sender=world.governor)
    arguments = (token.address, world.address("alice"), AMOUNT)
    assert world.custody.call("pull", *arguments, sender=world.margin.address) == 990


def test_pull__more_than_allowed_or_held__refused(world, refuses):
    alice = world.address("alice")
    held = world.usdb.call("balanceOf", alice)
    with refuses("ERC20InsufficientBalance", alice, held, held + 1):
        world.custody.call("pull", world.usdb.address, alice, held + 1, sender=world.margin.address)
    world.usdb.transact("approve", world.custody.address, 5, sender=alice)
    with refuses("ERC20InsufficientAllowance", world.custody.address, 5, 6):
        world.custody.call("pull", world.usdb.address, alice, 6, sender=world.margin.address)


def test_push__margin_engine__pays(world):
    bob = world.address("bob")
    before = world.usdb.call("balanceOf", bob)
    world.custody.transact("push", world.usdb.address, bob, AMOUNT, sender=world.margin.address)
    assert world.usdb.call("balanceOf", bob) == before + AMOUNT
