"""Who may do what: one administrator of every role, and checks that name caller and role."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

GOVERNOR, RISK_ADMIN, GUARDIAN = (keccak(text=n) for n in ("GOVERNOR", "RISK_ADMIN", "GUARDIAN"))
OPERATOR = keccak(text="LST_OPERATOR")
DEFAULT_ADMIN = bytes(32)


def test_deploy__governor__holds_that_role_alone(world):
    registry = world.deploy("RoleRegistry", world.address("alice"))
    assert registry.call("hasRole", GOVERNOR, world.address("alice"))
    for role in (DEFAULT_ADMIN, RISK_ADMIN, GUARDIAN):
        assert not registry.call("hasRole", role, world.address("alice"))
    assert not registry.call("hasRole", GOVERNOR, world.governor)


@pytest.mark.parametrize("role", [GOVERNOR, RISK_ADMIN, GUARDIAN, OPERATOR, DEFAULT_ADMIN])
def test_role_admin__any_role__is_the_governor(world, role):
    assert world.roles.call("getRoleAdmin", role) == GOVERNOR


def test_require_role__holder__passes(world):
    world.roles.call("requireRole", GOVERNOR, world.governor)
    world.roles.call("requireRole", GUARDIAN, world.address("guardian"))


def test_require_role__others__refused_by_name(world, refuses):
    for role, caller in (
        (GOVERNOR, world.address("guardian")),
        (GUARDIAN, world.governor),
        (RISK_ADMIN, world.address("alice")),
        (DEFAULT_ADMIN, world.governor),
    ):
        with refuses("RoleRegistry_MissingRole", caller, role):
            world.roles.call("requireRole", role, caller)


def test_grant_role__governor__grants_and_revokes(world):
    alice = world.address("alice")
    receipt = world.roles.transact("grantRole", GUARDIAN, alice, sender=world.governor)
    [event] = world.roles.events(receipt)
    assert (event.name, tuple(event.args)) == ("RoleGranted", (GUARDIAN, alice, world.governor))
    world.roles.call("requireRole", GUARDIAN, alice)
    receipt = world.roles.transact("revokeRole", GUARDIAN, alice, sender=world.governor)
    [event] = world.roles.events(receipt)
    assert (event.name, tuple(event.args)) == ("RoleRevoked", (GUARDIAN, alice, world.governor))
    assert not world.roles.call("hasRole", GUARDIAN, alice)


@pytest.mark.parametrize("function", ["grantRole", "revokeRole"])
@pytest.mark.parametrize("role", [GOVERNOR, GUARDIAN, DEFAULT_ADMIN])
def test_grant_role__not_the_governor__refused(world, refuses, function, role):
    guardian = world.address("guardian")
    with refuses("AccessControlUnauthorizedAccount", guardian, GOVERNOR):
        world.roles.call(function, role, guardian, sender=guardian)


def test_renounce_role__oneself__gives_it_up(world, refuses):
    guardian = world.address("guardian")
    with refuses("AccessControlBadConfirmation"):
        world.roles.call("renounceRole", GUARDIAN, guardian, sender=world.governor)
    world.roles.transact("renounceRole", GUARDIAN, guardian, sender=guardian)
    assert not world.roles.call("hasRole", GUARDIAN, guardian)
