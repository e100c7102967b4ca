"""Grants and signatures: who may act for whom, until when, and which signatures count."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.model import eip712
from bulkhead.model.context import Context
from bulkhead.model.operators import ALL, AccountOperators
from bulkhead.model.parts import Parts
from bulkhead.model.types import Addresses

DEPOSIT, TRADE, WITHDRAW, CONVERT, MANAGE_ORDERS = BITS = (1, 2, 4, 8, 16)
NOBODY = "0x" + "00" * 20
CHAIN = 31_337
DAY = 86_400


class Signed(NamedTuple):
    """The arguments of ``setOperatorBySignature``, in order, without the signature."""

    account: bytes
    operator: str
    permissions: int
    expires_at: int
    nonce: int
    deadline: int


@pytest.fixture
def twin(world):
    """Return the twin, at the contract's address."""
    where = Addresses(account_operators=world.operators.address.lower())
    return AccountOperators(Parts(Context(world.now), where), CHAIN)


@pytest.fixture
def grant(world):
    """Return what Alice could sign: everything to Bob, for a day."""
    now = world.now
    return Signed(world.account("alice"), world.address("bob"), ALL, now + DAY, 7, now + 60)


@pytest.fixture
def sign(world, twin):
    """Sign a grant with somebody's key, by the model's own digest."""

    def _sign(signed: Signed, who: str = "alice") -> bytes:
        account = int.from_bytes(signed.account, "big")
        message = twin.digest(account, signed.operator.lower(), *signed[2:])
        return eip712.sign(world.keys[world.address(who)], message)

    return _sign


def stored(world: Any) -> tuple[Any, ...]:
    """Return all that the tests write."""
    accounts = [world.account("alice", sub) for sub in (0, 1)]
    grants = [
        world.operators.call("grantOf", account, world.address(who))
        for account in accounts
        for who in ("bob", "carol")
    ]
    return (
        *grants,
        *(world.operators.call("usedNonces", world.address("alice"), w) for w in (0, 1)),
    )


# ---------------------------------------------------------------------- by the owner


def test_set_operator__by_the_owner__grants_until_the_expiry(world):
    account, bob, alice = world.account("alice"), world.address("bob"), world.address("alice")
    expires_at = world.now + 100
    receipt = world.operators.transact("setOperator", account, bob, 5, expires_at, sender=alice)
    assert tuple(world.operators.call("grantOf", account, bob)) == (5, expires_at)
    [event] = world.operators.events(receipt)
    assert (event.name, tuple(event.args)) == ("OperatorSet", (account, bob, 5, expires_at, alice))

    world.rpc.mine(expires_at - 1)
    assert world.operators.call("permissionsOf", account, bob) == 5
    assert world.operators.call("isAuthorized", account, bob, 4) is True
    world.rpc.mine(expires_at)
    assert world.operators.call("permissionsOf", account, bob) == 0
    assert world.operators.call("isAuthorized", account, bob, 4) is False
    assert tuple(world.operators.call("grantOf", account, bob)) == (5, expires_at)


def test_set_operator__again__replaces_what_was_granted(world):
    account, bob = world.account("alice"), world.address("bob")
    world.grant("alice", "bob", DEPOSIT | TRADE)
    world.grant("alice", "bob", WITHDRAW)
    assert world.operators.call("permissionsOf", account, bob) == WITHDRAW
    # Neither another account of hers nor another person has anything.
    assert world.operators.call("permissionsOf", world.account("alice", 1), bob) == 0
    assert world.operators.call("permissionsOf", account, world.address("carol")) == 0


def test_set_operator__nothing__revokes_and_leaves_nothing(world):
    account, bob, alice = world.account("alice"), world.address("bob"), world.address("alice")
    world.grant("alice", "bob", ALL)
    receipt = world.operators.transact("setOperator", account, bob, 0, 1, sender=alice)
    assert tuple(world.operators.call("grantOf", account, bob)) == (0, 0)
    assert tuple(world.operators.events(receipt)[0].args) == (account, bob, 0, 0, alice)


def test_set_operator__bad_input__refused_by_name(world, refuses):
    account, bob, alice = world.account("alice"), world.address("bob"), world.address("alice")
    now = world.now
    bad = [
        (("AccountOperators_InvalidOperator", NOBODY), (account, NOBODY, 1, now + 9)),
        (("AccountOperators_InvalidOperator", alice), (account, alice, 1, now + 9)),
        (("AccountOperators_UnknownPermissions", 32, ALL), (account, bob, 32, now + 9)),
        (("AccountOperators_UnknownPermissions", 255, ALL), (account, bob, 255, now + 9)),
        (("AccountOperators_ExpiryInPast", now, now), (account, bob, 1, now)),
    ]
    for error, arguments in bad:
        with refuses(*error):
            world.operators.call("setOperator", *arguments, sender=alice)
    with refuses("AccountOperators_NotOwner", account, bob):
        world.operators.call("setOperator", account, bob, 1, now + 9, sender=bob)
    # A second later than now is late enough.
    world.operators.call("setOperator", account, bob, 1, now + 1, sender=alice)


@pytest.mark.parametrize("held", range(ALL + 1))
def test_is_authorized__any_permissions__needs_every_bit_asked_for(world, refuses, held):
    account, bob, alice = world.account("alice"), world.address("bob"), world.address("alice")
    if held:
        world.grant("alice", "bob", held)
    for asked in (*BITS, DEPOSIT | WITHDRAW, ALL, 32, 0):
        allowed = asked != 0 and held & asked == asked
        assert world.operators.call("isAuthorized", account, bob, asked) is allowed
        assert world.operators.call("isAuthorized", account, alice, asked) is True
        if allowed:
            world.operators.call("requireAuthorized", account, bob, asked)
        else:
            with refuses("AccountOperators_NotAuthorized", account, bob, asked):
                world.operators.call("requireAuthorized", account, bob, asked)


def test_renounce__by_the_operator__ends_the_grant(world, refuses):
    account, bob = world.account("alice"), world.address("bob")
    world.grant("alice", "bob", ALL)
    receipt = world.operators.transact("renounce", account, sender=bob)
    assert tuple(world.operators.events(receipt)[0].args) == (account, bob, 0, 0, bob)
    assert tuple(world.operators.call("grantOf", account, bob)) == (0, 0)
    with refuses("AccountOperators_NoGrant", account, bob):
        world.operators.call("renounce", account, sender=bob)


# ---------------------------------------------------------------------- by signature


def test_digest__of_any_grant__is_the_models(world, twin):
    @given(
        st.binary(min_size=52, max_size=52),
        st.tuples(*(st.integers(0, 2**bits - 1) for bits in (8, 40, 256, 256))),
    )
    def check(where, numbers):
        account, address = where[:32], "0x" + where[32:].hex()
        expected = twin.digest(int.from_bytes(account, "big"), address, *numbers)
        assert world.operators.call("digest", account, address, *numbers) == expected

    check()


def test_by_signature__of_the_owner__counts_for_whoever_brings_it(world, grant, sign):
    signature, carol = sign(grant), world.address("carol")
    receipt = world.operators.transact("setOperatorBySignature", *grant, signature, sender=carol)
    assert tuple(world.operators.call("grantOf", grant.account, grant.operator)) == (
        ALL,
        grant.expires_at,
    )
    assert world.operators.call("isNonceUsed", world.address("alice"), 7) is True
    assert [(e.name, tuple(e.args)) for e in world.operators.events(receipt)] == [
        ("NoncesUsed", (world.address("alice"), 0, 1 << 7)),
        ("OperatorSet", (grant.account, grant.operator, ALL, grant.expires_at, carol)),
    ]


def test_by_signature__twice__refused_even_after_it_was_revoked(world, grant, sign, refuses):
    carol, alice = world.address("carol"), world.address("alice")
    world.operators.transact("setOperatorBySignature", *grant, sign(grant), sender=carol)
    world.operators.transact(
        "setOperator", grant.account, grant.operator, 0, 0, sender=world.address("alice")
    )
    with refuses("AccountOperators_NonceUsed", alice, 7):
        world.operators.call("setOperatorBySignature", *grant, sign(grant), sender=carol)
    # The nonce is used for her other account, too.
    other = grant._replace(account=world.account("alice", 1))
    with refuses("AccountOperators_NonceUsed", alice, 7):
        world.operators.call("setOperatorBySignature", *other, sign(other), sender=carol)


def test_by_signature__nonces__count_in_any_order(world, grant, sign):
    for nonce in (2**256 - 1, 300, 0, 255, 256):
        one = grant._replace(nonce=nonce)
        world.operators.transact(
            "setOperatorBySignature", *one, sign(one), sender=world.address("carol")
        )
    owner = world.address("alice")
    assert world.operators.call("usedNonces", owner, 0) == 1 | 1 << 255
    assert world.operators.call("usedNonces", owner, 1) == 1 | 1 << 44
    assert world.operators.call("usedNonces", owner, 2**248 - 1) == 1 << 255


def test_by_signature__deadline__is_the_last_second(world, grant, sign, refuses):
    one = grant._replace(deadline=world.now)
    world.operators.call("setOperatorBySignature", *one, sign(one), sender=world.governor)
    late = grant._replace(deadline=world.now - 1)
    with refuses("AccountOperators_SignatureExpired", late.deadline, world.now):
        world.operators.call("setOperatorBySignature", *late, sign(late), sender=world.governor)


def test_by_signature__grant_that_cannot_be__refused_as_by_call(world, grant, sign, refuses):
    now, alice = world.now, world.address("alice")
    for changes, error in (
        ({"operator": NOBODY}, ("AccountOperators_InvalidOperator", NOBODY)),
        ({"operator": alice}, ("AccountOperators_InvalidOperator", alice)),
        ({"permissions": 32}, ("AccountOperators_UnknownPermissions", 32, ALL)),
        ({"expires_at": now}, ("AccountOperators_ExpiryInPast", now, now)),
    ):
        one = grant._replace(**changes)
        with refuses(*error):
            world.operators.call("setOperatorBySignature", *one, sign(one), sender=world.governor)


def test_by_signature__any_field_altered__refused_and_nothing_changes(world, grant, sign, refuses):
    signature = sign(grant)
    before = stored(world)

    @given(st.sampled_from(Signed._fields), st.data())
    def check(name, data):
        others = {
            "account": st.integers(1, 2**96 - 1).map(lambda sub: world.account("alice", sub)),
            "operator": st.sampled_from([world.address("carol"), world.address("lp")]),
            "permissions": st.integers(0, ALL - 1),
            "expires_at": st.integers(world.now + 1, 2**40 - 1).filter(grant.expires_at.__ne__),
            "nonce": st.integers(0, 2**256 - 1).filter(grant.nonce.__ne__),
            "deadline": st.integers(world.now, 2**256 - 1).filter(grant.deadline.__ne__),
        }
        altered = grant._replace(**{name: data.draw(others[name], name)})
        with refuses("AccountOperators_InvalidSignature", world.address("alice")):
            world.operators.call(
                "setOperatorBySignature", *altered, signature, sender=world.governor
            )

    check()
    # Another owner's account: it is she who has not signed.
    theirs = grant._replace(account=world.account("carol"))
    with refuses("AccountOperators_InvalidSignature", world.address("carol")):
        world.operators.call("setOperatorBySignature", *theirs, signature, sender=world.governor)
    assert stored(world) == before
    world.operators.call("setOperatorBySignature", *grant, signature, sender=world.governor)


def test_by_signature__any_bit_of_it_altered__refused(world, grant, sign, refuses):
    signature = sign(grant)

    @given(st.integers(0, 8 * len(signature) - 1))
    def check(bit):
        altered = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(65, "big")
        with refuses("AccountOperators_InvalidSignature", world.address("alice")):
            world.operators.call("setOperatorBySignature", *grant, altered, sender=world.governor)

    check()
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    s = order - int.from_bytes(signature[32:64], "big")
    mirrored = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
    for bad in (b"", signature[:64], signature + b"\0", mirrored, bytes(65)):
        with refuses("AccountOperators_InvalidSignature", world.address("alice")):
            world.operators.call("setOperatorBySignature", *grant, bad, sender=world.governor)


def test_by_signature__for_another_contract_or_chain__refused(world, grant, refuses):
    alice, key = world.address("alice"), world.keys[world.address("alice")]
    second = world.deploy("AccountOperators")
    elsewhere = eip712.sign(key, second.call("digest", *grant))
    with refuses("AccountOperators_InvalidSignature", alice):
        world.operators.call("setOperatorBySignature", *grant, elsewhere, sender=world.governor)
    second.call("setOperatorBySignature", *grant, elsewhere, sender=world.governor)

    here = eip712.sign(key, world.operators.call("digest", *grant))
    world.operators.call("setOperatorBySignature", *grant, here, sender=world.governor)
    other_chain = Parts(
        Context(world.now), Addresses(account_operators=world.operators.address.lower())
    )
    account = int.from_bytes(grant.account, "big")
    message = AccountOperators(other_chain, CHAIN + 1).digest(
        account, grant.operator.lower(), *grant[2:]
    )
    with refuses("AccountOperators_InvalidSignature", alice):
        world.operators.call(
            "setOperatorBySignature", *grant, eip712.sign(key, message), sender=world.governor
        )


# ---------------------------------------------------------------------- by a contract that owns


NORMAL, ALWAYS = 0, 1
HOSTILE = ("Revert", "BurnGas", "ReturnBomb", "ShortAnswer", "Garbage", "DirtyMagic", "Nothing")


@pytest.fixture
def owned(world, grant):
    """Return the signer contract of Alice, and a grant on the contract's own account."""
    signer = world.deploy("HostileSigner", world.address("alice"))
    return signer, grant._replace(account=bytes.fromhex(signer.address[2:]) + bytes(12))


def test_by_signature__owner_with_code__is_asked(world, owned, sign, refuses):
    signer, grant = owned
    with refuses("AccountOperators_InvalidSignature", signer.address):
        world.operators.call(
            "setOperatorBySignature", *grant, sign(grant, "bob"), sender=world.governor
        )
    world.operators.transact("setOperatorBySignature", *grant, sign(grant), sender=world.governor)
    assert world.operators.call("permissionsOf", grant.account, grant.operator) == ALL
    with refuses("AccountOperators_NonceUsed", signer.address, 7):
        world.operators.call("setOperatorBySignature", *grant, sign(grant), sender=world.governor)


def test_by_signature__owner_that_agrees_to_all__still_spends_its_nonce(world, owned, refuses):
    signer, grant = owned
    signer.transact("setMode", ALWAYS, sender=world.governor)
    world.operators.transact("setOperatorBySignature", *grant, b"", sender=world.governor)
    with refuses("AccountOperators_NonceUsed", signer.address, 7):
        world.operators.call("setOperatorBySignature", *grant, b"", sender=world.governor)


@pytest.mark.parametrize("mode", range(2, 2 + len(HOSTILE)), ids=HOSTILE)
def test_by_signature__owner_that_misbehaves__refused(world, owned, sign, refuses, mode):
    signer, grant = owned
    signer.transact("setMode", mode, sender=world.governor)
    with refuses("AccountOperators_InvalidSignature", signer.address):
        world.operators.call("setOperatorBySignature", *grant, sign(grant), sender=world.governor)


# ---------------------------------------------------------------------- nonces


def test_invalidate_nonces__of_the_caller__cancels_what_was_signed(world, grant, sign, refuses):
    alice = world.address("alice")
    world.operators.transact("invalidateNonces", 0, 1 << 3, sender=alice)
    receipt = world.operators.transact("invalidateNonces", 0, 1 << 7, sender=alice)
    # The log says all that is used now.
    assert tuple(world.operators.events(receipt)[0].args) == (alice, 0, 1 << 3 | 1 << 7)
    with refuses("AccountOperators_NonceUsed", alice, 7):
        world.operators.call("setOperatorBySignature", *grant, sign(grant), sender=world.governor)
    # Bob's cancelling cancels nothing of hers.
    one = grant._replace(nonce=8)
    world.operators.transact("invalidateNonces", 0, 2**256 - 1, sender=world.address("bob"))
    world.operators.call("setOperatorBySignature", *one, sign(one), sender=world.governor)
