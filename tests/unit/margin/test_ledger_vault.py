"""What both vaults share: ERC-4626 to the unit, limits that hold, no dilution of a first share."""

from __future__ import annotations

import pytest

WAD = 10**18
VIRTUAL = 10**6
NOBODY = "0x" + "00" * 20
VAULTS = ("pool", "fund")
OWNERS = {"pool": "lp", "fund": "staker"}
ENTER, LEAVE = {"pool": 8, "fund": 10}, {"pool": 9, "fund": 11}
LARGEST = (2**128 - 1) // (1_000 * 10**12)


def ceil_div(n, d):
    return -(-n // d)


def ask(world, vault, who):
    """Request all shares that somebody has not requested yet, where that is needed."""
    if vault is not world.pool:
        return
    address = world.address(who)
    free = vault.call("balanceOf", address) - vault.call("exitRequest", address).shares
    vault.transact("requestRedeem", free, sender=address)


@pytest.fixture(params=VAULTS)
def name(request):
    return request.param


@pytest.fixture
def vault(world, name):
    """The vault; bob, carol and its first owner have approved it."""
    contract = getattr(world, name)
    for who in ("bob", "carol", OWNERS[name]):
        world.usdb.transact("approve", contract.address, 2**256 - 1, sender=world.address(who))
    world.set_pool(cooldown=0)
    ask(world, contract, OWNERS[name])
    return contract


@pytest.fixture
def owner(world, name):
    return world.address(OWNERS[name])


@pytest.fixture
def uneven(world):
    """Both vaults are worth an awkward number of units more than was paid in."""
    world.deposit("dave", 2_000_000 * 10**6)
    world.settle("dave", -1_234_567_891_234_567_891_234_567 // 1_000, 777_777_777_777_777_777_777)


@pytest.fixture
def enter(world, vault):
    """Deposit; return the shares."""

    def _enter(who, assets):
        address = world.address(who)
        receipt = vault.transact("deposit", assets, address, sender=address)
        ask(world, vault, who)
        return vault.events(receipt, "Deposit")[0].args.shares

    return _enter


def value(world, name):
    """Token units behind all shares: of the pool while nobody has a claim, debt or position."""
    t = world.totals()
    cash = t.poolCash if name == "pool" else t.insuranceCash
    return ceil_div(cash, 10**12), cash // 10**12


def test_deploy__share_token__has_six_more_decimals(world, vault, name):
    title, symbol = {
        "pool": ("Bulkhead Liquidity", "bhLP"),
        "fund": ("Bulkhead Insurance", "bhINS"),
    }[name]
    assert (vault.call("name"), vault.call("symbol")) == (title, symbol)
    assert vault.call("decimals") == 12
    assert vault.call("asset") == world.usdb.address


def test_deposit__first__mints_a_million_shares_per_unit(world, vault, name):
    paid_in = (20_000_000 if name == "pool" else 1_000_000) * 10**6
    assert vault.call("totalSupply") == paid_in * VIRTUAL
    assert vault.call("totalAssets") == paid_in


@pytest.mark.parametrize("amount", [1, 7, 10**6 + 1, 123_456_789])
def test_preview__each_way__is_exact_by_hand_and_by_deed(world, vault, name, owner, uneven, amount):
    supply = vault.call("totalSupply")
    to_enter, to_leave = value(world, name)
    bob = world.address("bob")
    shares = amount * VIRTUAL
    by_hand = {
        "Deposit": (amount, amount * (supply + VIRTUAL) // (to_enter + 1)),
        "Mint": (shares, ceil_div(shares * (to_enter + 1), supply + VIRTUAL)),
        "Withdraw": (amount, ceil_div(amount * (supply + VIRTUAL), to_leave + 1)),
        "Redeem": (shares, shares * (to_leave + 1) // (supply + VIRTUAL)),
    }
    for kind, (argument, result) in by_hand.items():
        assert vault.call(f"preview{kind}", argument) == result
        entering = kind in ("Deposit", "Mint")
        arguments = (argument, bob) if entering else (argument, bob, owner)
        if result:
            sender = bob if entering else owner
            assert vault.call(kind.lower(), *arguments, sender=sender) == result
    assert vault.call("convertToShares", amount) == amount * (supply + VIRTUAL) // (to_leave + 1)
    assert vault.call("convertToAssets", shares) == shares * (to_leave + 1) // (supply + VIRTUAL)
    assert vault.call("totalAssets") == to_leave


@pytest.mark.parametrize("kind", ["deposit", "mint"])
def test_enter__books_what_arrived(world, vault, name, uneven, kind):
    bob, carol = world.address("bob"), world.address("carol")
    before, supply = world.totals(), vault.call("totalSupply")
    held = world.usdb.call("balanceOf", world.custody.address)
    assets = vault.call("previewMint", 10**13) if kind == "mint" else 10_000_000
    shares = 10**13 if kind == "mint" else vault.call("previewDeposit", assets)
    world.freeze()
    receipt = vault.transact(kind, shares if kind == "mint" else assets, carol, sender=bob)

    [event] = vault.events(receipt, "Deposit")
    assert tuple(event.args) == (bob, carol, assets, shares)
    assert vault.call("balanceOf", carol) == shares
    assert vault.call("totalSupply") == supply + shares
    assert world.usdb.call("balanceOf", world.custody.address) == held + assets
    field = "poolCash" if name == "pool" else "insuranceCash"
    booked = getattr(before, field) + assets * 10**12
    assert world.totals() == before._replace(**{field: booked})
    changed = "PoolCashChanged" if name == "pool" else "InsuranceCashChanged"
    [moved] = world.margin.events(receipt, changed)
    assert tuple(moved.args) == (assets * 10**12, booked)


@pytest.mark.parametrize("kind", ["withdraw", "redeem"])
def test_leave__pays_out_of_custody(world, vault, name, owner, uneven, kind):
    bob = world.address("bob")
    before, supply = world.totals(), vault.call("totalSupply")
    held = world.usdb.call("balanceOf", bob)
    assets = vault.call("previewRedeem", 10**13) if kind == "redeem" else 10_000_000
    shares = 10**13 if kind == "redeem" else vault.call("previewWithdraw", assets)
    world.freeze()
    argument = shares if kind == "redeem" else assets
    receipt = vault.transact(kind, argument, bob, owner, sender=owner)

    [event] = vault.events(receipt, "Withdraw")
    assert tuple(event.args) == (owner, bob, owner, assets, shares)
    assert vault.call("totalSupply") == supply - shares
    assert world.usdb.call("balanceOf", bob) == held + assets
    field = "poolCash" if name == "pool" else "insuranceCash"
    booked = getattr(before, field) - assets * 10**12
    assert world.totals() == before._replace(**{field: booked})
    changed = "PoolCashChanged" if name == "pool" else "InsuranceCashChanged"
    [moved] = world.margin.events(receipt, changed)
    assert tuple(moved.args) == (-assets * 10**12, booked)


def test_round_trip__any_size__never_pays(world, vault, uneven, enter):
    bob = world.address("bob")
    for assets in (3, 999_999, 10**9 + 7):
        shares = enter("bob", assets)
        assert vault.call("previewRedeem", shares) <= assets
        back = vault.call("redeem", shares, bob, bob, sender=bob)
        assert assets - 2 <= back <= assets
        vault.transact("redeem", shares, bob, bob, sender=bob)
        assert vault.call("balanceOf", bob) == 0


def test_enter_and_leave__of_others__do_not_lower_a_share(world, vault, name, owner, uneven, enter):
    shares = 10**13
    before = vault.call("convertToAssets", shares)
    for assets in (1, 10**6 + 1, 10**12 + 3):
        enter("bob", assets)
        assert vault.call("convertToAssets", shares) >= before
    for part in (1, 10**6 + 1, 10**12 + 3):
        vault.transact("withdraw", part, owner, owner, sender=owner)
        assert vault.call("convertToAssets", shares) >= before


# ---------------------------------------------------------------------- allowance


def test_redeem__by_a_third_party__uses_up_an_allowance(world, vault, owner, refuses):
    bob = world.address("bob")
    with refuses("ERC20InsufficientAllowance", bob, 0, 10**12):
        vault.call("redeem", 10**12, bob, owner, sender=bob)
    vault.transact("approve", bob, 3 * 10**12, sender=owner)
    vault.transact("redeem", 10**12, bob, owner, sender=bob)
    assert vault.call("allowance", owner, bob) == 2 * 10**12
    vault.transact("withdraw", 10**6, bob, owner, sender=bob)
    assert vault.call("allowance", owner, bob) == 10**12
    with refuses("ERC20InsufficientAllowance", bob, 10**12, 10**12 + 1):
        vault.call("redeem", 10**12 + 1, bob, owner, sender=bob)


def test_redeem__more_than_owned__refused(world, vault, name, refuses):
    bob = world.address("bob")
    if name == "pool":
        for function in ("redeem", "withdraw"):
            with refuses("LedgerVault_NotRequested", bob):
                vault.call(function, 1, bob, bob, sender=bob)
        return
    with refuses("ERC4626ExceededMaxRedeem", bob, 1, 0):
        vault.call("redeem", 1, bob, bob, sender=bob)
    with refuses("ERC4626ExceededMaxWithdraw", bob, 1, 0):
        vault.call("withdraw", 1, bob, bob, sender=bob)


# ---------------------------------------------------------------------- limits


def test_max__open__is_what_is_accepted_to_the_unit(world, vault, owner, uneven, refuses):
    shares = vault.call("balanceOf", owner)
    assets = vault.call("maxWithdraw", owner)
    assert vault.call("maxRedeem", owner) == shares
    assert assets == vault.call("previewRedeem", shares)
    vault.call("redeem", shares, owner, owner, sender=owner)
    vault.call("withdraw", assets, owner, owner, sender=owner)
    with refuses("ERC4626ExceededMaxRedeem", owner, shares + 1, shares):
        vault.call("redeem", shares + 1, owner, owner, sender=owner)
    with refuses("ERC4626ExceededMaxWithdraw", owner, assets + 1, assets):
        vault.call("withdraw", assets + 1, owner, owner, sender=owner)


def test_max__entering__is_accepted_by_the_ledger_to_the_unit(world, vault, refuses):
    bob = world.address("bob")
    assert vault.call("maxDeposit", bob) == LARGEST
    assert vault.call("maxMint", bob) == vault.call("previewDeposit", LARGEST)
    with refuses("ERC4626ExceededMaxDeposit", bob, LARGEST + 1, LARGEST):
        vault.call("deposit", LARGEST + 1, bob, sender=bob)
    most = vault.call("maxMint", bob)
    with refuses("ERC4626ExceededMaxMint", bob, most + 1, most):
        vault.call("mint", most + 1, bob, sender=bob)
    world.usdb.transact("mint", bob, LARGEST, sender=world.governor)
    vault.transact("deposit", LARGEST, bob, sender=bob)


@pytest.mark.parametrize("tier", [1, 2, 3, 4])
def test_max_and_entry_points__by_tier__agree(world, vault, name, owner, refuses, tier):
    world.raise_tier(tier)
    bob = world.address("bob")
    enters, leaves = tier <= 3, tier <= 1
    for function, who, allowed in (
        ("maxDeposit", bob, enters),
        ("maxMint", bob, enters),
        ("maxWithdraw", owner, leaves),
        ("maxRedeem", owner, leaves),
    ):
        assert (vault.call(function, who) > 0) == allowed
    for function in ("deposit", "mint"):
        if enters:
            vault.call(function, 10**7, bob, sender=bob)
        else:
            with refuses("CircuitBreaker_Blocked", ENTER[name], tier, 3):
                vault.call(function, 10**7, bob, sender=bob)
    for function in ("withdraw", "redeem"):
        if leaves:
            vault.call(function, 10**7, owner, owner, sender=owner)
        else:
            with refuses("CircuitBreaker_Blocked", LEAVE[name], tier, 1):
                vault.call(function, 10**7, owner, owner, sender=owner)


@pytest.mark.parametrize("function", ["deposit", "mint", "withdraw", "redeem"])
def test_entry_points__of_nothing__refused(world, vault, owner, refuses, function):
    rest = (owner,) if function in ("deposit", "mint") else (owner, owner)
    with refuses("LedgerVault_ZeroAmount"):
        vault.call(function, 0, *rest, sender=owner)


def test_redeem__shares_worth_less_than_a_unit__refused(world, vault, owner, refuses):
    with refuses("LedgerVault_ZeroAmount"):
        vault.call("redeem", VIRTUAL - 1, owner, owner, sender=owner)


def test_leave__to_nobody_or_custody__refused(world, vault, owner, refuses):
    for receiver in (NOBODY, world.custody.address):
        with refuses("MarginEngine_InvalidReceiver", receiver):
            vault.call("redeem", 10**12, receiver, owner, sender=owner)


# ---------------------------------------------------------------------- tokens that misbehave


def test_deposit__token_with_a_fee__refused(world, vault, refuses):
    token = world.corrupt(world.usdb)
    token.transact("setFee", 100, sender=world.governor)
    bob = world.address("bob")
    for function, amount in (("deposit", 10**6), ("mint", 10**12)):
        with refuses("LedgerVault_TransferFee", 990_000, 10**6):
            vault.call(function, amount, bob, sender=bob)


def test_round_trip__token_that_returns_nothing__works(world, vault, enter):
    world.corrupt(world.usdb).transact("setSilent", True, sender=world.governor)
    bob = world.address("bob")
    held = world.usdb.call("balanceOf", bob)
    shares = enter("bob", 10**6)
    vault.transact("redeem", shares, bob, bob, sender=bob)
    assert world.usdb.call("balanceOf", bob) == held


# ---------------------------------------------------------------------- the first depositor


@pytest.fixture
def empty(world, vault, owner):
    """Nobody has a share any more."""
    vault.transact("redeem", vault.call("balanceOf", owner), owner, owner, sender=owner)
    assert vault.call("totalSupply") == 0


def test_donate__to_vault_or_custody__changes_no_price(world, vault, empty, enter):
    shares = enter("bob", 1)
    price = vault.call("convertToAssets", 10**18)
    for receiver in (vault.address, world.custody.address):
        world.usdb.transact("transfer", receiver, 10**12, sender=world.address("bob"))
    assert vault.call("convertToAssets", 10**18) == price
    assert vault.call("totalAssets") <= 2
    assert enter("carol", 10**6) == shares * 10**6


def test_inflate__first_share_by_real_losses__costs_a_million_times_what_the_next_one_loses(
    world, name, vault, empty, enter
):
    """VLT-1. The only way to inflate a share is to give the vault real cash."""
    enter("bob", 1)
    given = 10_000 * 10**6
    world.deposit("dave", 2 * given)
    if name == "pool":
        world.settle("dave", -given * 10**12)
    else:
        world.set_compartment(insuranceFeeShare=WAD, poolFeeShare=0)
        world.settle("dave", 0, given * 10**12)
    assert vault.call("totalAssets") >= given

    deposit = given + 1
    shares = enter("carol", deposit)
    assert shares > 0
    loss = deposit - vault.call("previewRedeem", shares)
    # Half of the gift went to the virtual shares: the attacker cannot get it back.
    bob = world.address("bob")
    back = vault.call("previewRedeem", vault.call("balanceOf", bob))
    assert loss <= deposit // VIRTUAL + 1
    assert given + 1 - back >= given // 3
    assert given + 1 - back > 1_000 * loss
