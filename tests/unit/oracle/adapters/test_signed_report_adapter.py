"""Signed reports as a price source: whose signature counts, over what, and when."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import outcome
from bulkhead.model.adapters import Report, SignedReportAdapter, median_of

WAD = 10**18
ASSET = b"ETH".ljust(32, b"\0")
MAX_AGE = 600
DRIFT = 15
MAX_PRICE = 2**127 - 1
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ZERO = "0x" + "00" * 20
(
    NORMAL,
    ALWAYS,
    REVERT,
    BURN_GAS,
    RETURN_BOMB,
    SHORT_ANSWER,
    GARBAGE,
    DIRTY_MAGIC,
    NOTHING,
    WITHIN_ALLOWANCE,
) = range(10)

KEYS = sorted(
    (Account.from_key(i.to_bytes(32, "big")) for i in range(1, 6)), key=lambda a: int(a.address, 16)
)
"""Five signers, in ascending order of address; three are enough."""
STRANGER = Account.from_key(b"\x77" * 32)
NAMES = tuple(key.address.lower() for key in KEYS)

PER_EXAMPLE = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def adapter(project, governor):
    addresses = [key.address for key in KEYS]
    return governor.deploy(project.SignedReportAdapter, ASSET, addresses, 3, MAX_AGE)


@pytest.fixture(scope="module")
def deployed_pair(project, governor):
    """A signer that is a contract, and an adapter of it and of the fifth key; both must report.

    One fixture: one that is deployed anew without the other would leave the adapter a stranger.
    """
    signer = governor.deploy(project.HostileSigner, KEYS[0].address)
    pair = sorted([signer.address, KEYS[4].address], key=lambda a: int(a, 16))
    return signer, governor.deploy(project.SignedReportAdapter, ASSET, pair, 2, MAX_AGE)


@pytest.fixture
def contract_signer(deployed_pair):
    """Signs with the first key, or misbehaves."""
    return deployed_pair[0]


@pytest.fixture
def mixed(deployed_pair):
    """The adapter of the pair."""
    return deployed_pair[1]


@pytest.fixture(scope="module", autouse=True)
def _deployed(adapter, deployed_pair, aggregator):
    """Deploy before any test's own state."""


@pytest.fixture
def now(chain):
    return chain.blocks.head.timestamp


@pytest.fixture
def digest(adapter, chain):
    """What a signer signs, by an implementation of EIP-712 that is not the contract's."""

    def _digest(price, timestamp, at=adapter.address, chain_id=None, asset=ASSET, version="1"):
        message = encode_typed_data(
            domain_data={
                "name": "Bulkhead SignedReportAdapter",
                "version": version,
                "chainId": chain.chain_id if chain_id is None else chain_id,
                "verifyingContract": at,
            },
            message_types={
                "PriceReport": [
                    {"name": "asset", "type": "bytes32"},
                    {"name": "price", "type": "uint256"},
                    {"name": "timestamp", "type": "uint256"},
                ]
            },
            message_data={"asset": asset, "price": price, "timestamp": timestamp},
        )
        return _hash_eip191_message(message)

    return _digest


@pytest.fixture
def signed(digest):
    """A report, signed by a key in a signer's name."""

    def _signed(key, price, timestamp, signer=None, **domain):
        made = key.unsafe_sign_hash(digest(price, timestamp, **domain))
        return (signer or key.address, price, timestamp, bytes(made.signature))

    return _signed


@pytest.fixture
def submit(calls, adapter):
    """How a submission ends."""

    def _submit(reports, to=adapter, **options):
        return outcome(lambda: calls.call(to, "submit", reports, **options))

    return _submit


@pytest.fixture
def three(signed, now):
    """Good reports of the first three signers, with one of them exchanged."""

    def _three(*replaced, prices=(100, 101, 102), ages=(0, 0, 0)):
        reports = [
            signed(key, price, now - age)
            for key, price, age in zip(KEYS, prices, ages, strict=False)
        ]
        for i, report in replaced:
            reports[i] = report
        return reports

    return _three


# ------------------------------------------------------------------ deployment


@pytest.mark.parametrize(
    ("signers", "threshold", "max_age"),
    [
        ((), 1, 1),
        (NAMES * 4, 11, 1),
        (NAMES, 2, 1),
        (NAMES, 6, 1),
        (NAMES, 0, 1),
        (NAMES, 2**256 - 1, 1),
        (NAMES[:4], 2, 1),
        (NAMES, 3, 0),
        (NAMES, 3, 86_401),
        ((NAMES[1], NAMES[0]), 2, 1),
        ((NAMES[0], NAMES[0]), 2, 1),
        ((ZERO, NAMES[0]), 2, 1),
        (NAMES, 3, 1),
        (NAMES, 5, 86_400),
        (NAMES[:1], 1, 1),
    ],
)
def test_deploy__any_arguments__equals_the_model(project, calls, signers, threshold, max_age):
    arguments = (ASSET, list(signers), threshold, max_age)
    actual = outcome(lambda: calls.deploy(project.SignedReportAdapter, *arguments))
    expected = outcome(lambda: SignedReportAdapter(signers, threshold, max_age))
    assert actual == (expected if isinstance(expected, tuple) else None)


def test_deploy__valid__shows_its_parameters(calls, adapter, chain):
    assert calls.call(adapter, "signers") == NAMES
    assert calls.call(adapter, "threshold") == 3
    assert calls.call(adapter, "maxAge") == MAX_AGE
    assert calls.call(adapter, "asset") == ASSET
    assert calls.call(adapter, "isSigner", NAMES[4])
    assert not calls.call(adapter, "isSigner", ZERO)
    domain = calls.call(adapter, "eip712Domain")
    expected = ("Bulkhead SignedReportAdapter", "1", chain.chain_id, adapter.address.lower())
    assert domain[1:5] == expected


def test_digest_of__any_report__is_eip_712s(calls, adapter, digest):
    for price, timestamp in ((0, 0), (WAD, 1_800_000_000), (2**256 - 1, 2**256 - 1)):
        assert calls.call(adapter, "digestOf", price, timestamp) == digest(price, timestamp)


# ------------------------------------------------------------------ what is recorded


def test_submit__anyone__records_median_and_oldest_time(
    calls, adapter, three, now, stranger, chain
):
    receipt = adapter.submit(three(prices=(300, 100, 200), ages=(5, 9, 2)), sender=stranger)
    (event,) = receipt.decode_logs(adapter.PriceReported)
    logged = event.event_arguments  # The event's own `timestamp` is hidden by the block's.
    assert logged == {"price": 200, "timestamp": now - 9, "reportCount": 3}
    assert calls.call(adapter, "recorded") == (200, now - 9)
    assert calls.call(adapter, "latest") == (200, 0, now - 9)


@pytest.mark.parametrize(
    ("prices", "median"),
    [
        ((1, 2, 3), 2),
        ((3, 2, 1), 2),
        ((1, 1, 9), 1),
        ((1, 9, 9), 9),
        ((10, 20, 31, 40), 25),  # 25.5, rounded down
        ((40, 31, 20, 10), 25),
        ((5, 1, 4, 2, 3), 3),
        ((MAX_PRICE, MAX_PRICE, MAX_PRICE, MAX_PRICE), MAX_PRICE),
    ],
)
def test_submit__any_number_of_reports__median_of_all(submit, signed, now, prices, median):
    reports = [signed(key, price, now) for key, price in zip(KEYS, prices, strict=False)]
    assert submit(reports) == (median, now)


def test_latest__nothing_submitted__reverts(calls, adapter):
    error = outcome(lambda: calls.call(adapter, "latest"))
    assert error == ("SignedReportAdapter_NoReport",)


def test_latest__older_than_the_maximum__reverts(calls, adapter, three, now, chain, governor):
    adapter.submit(three(), sender=governor)
    chain.mine(timestamp=now + MAX_AGE)
    assert calls.call(adapter, "latest") == (101, 0, now)
    chain.mine(timestamp=now + MAX_AGE + 1)
    error = outcome(lambda: calls.call(adapter, "latest"))
    assert error == ("SignedReportAdapter_Expired", MAX_AGE + 1, MAX_AGE)


# ------------------------------------------------------------------ who may report


@pytest.mark.parametrize("count", [0, 1, 2, 6])
def test_submit__too_few_or_too_many_reports__reverts(submit, signed, now, count):
    keys = [*KEYS, STRANGER][:count]
    reports = [signed(key, 100, now) for key in keys]
    assert submit(reports) == ("SignedReportAdapter_ReportCount", count, 3, 5)


def test_submit__duplicate_signer__reverts(submit, signed, three, now):
    duplicate = signed(KEYS[1], 99, now - 1)
    expected = ("SignedReportAdapter_NotAscending", NAMES[1], NAMES[1])
    assert submit(three((2, duplicate))) == expected


def test_submit__signers_out_of_order__reverts(submit, three):
    reports = three()
    expected = ("SignedReportAdapter_NotAscending", NAMES[1], NAMES[0])
    assert submit([reports[1], reports[0], reports[2]]) == expected


def test_submit__unknown_signer__reverts(submit, signed, now):
    reports = [signed(key, 100, now) for key in KEYS[:3]]
    i = sum(int(STRANGER.address, 16) > int(key.address, 16) for key in KEYS[:3])
    reports.insert(i, signed(STRANGER, 100, now))
    assert submit(reports) == ("SignedReportAdapter_UnknownSigner", STRANGER.address.lower())


def test_submit__zero_signer_with_a_signature_that_recovers_nobody__reverts(submit, three, now):
    """ECRECOVER says zero where there is no signer: zero must never be one."""
    expected = ("SignedReportAdapter_NotAscending", ZERO, ZERO)
    assert submit(three((0, (ZERO, 100, now, b"\0" * 65)))) == expected


def test_submit__false_signatures__revert_with_the_signer(submit, signed, three, digest, now):
    good = signed(KEYS[1], 101, now)
    r, s, v = good[3][:32], int.from_bytes(good[3][32:64]), good[3][64]
    high_s = (CURVE_ORDER - s).to_bytes(32, "big")
    parity = (v - 27) << 255
    false = {
        "another key's": signed(KEYS[2], 101, now, signer=KEYS[1].address),
        "another price": (*good[:1], 102, *good[2:]),
        "another time": (*good[:2], now - 1, good[3]),
        "malleable": (*good[:3], r + high_s + bytes([55 - v])),
        "compact": (*good[:3], r + (s | parity).to_bytes(32, "big")),
        "v of zero": (*good[:3], good[3][:64] + bytes([v - 27])),
        "empty": (*good[:3], b""),
        "short": (*good[:3], good[3][:64]),
        "long": (*good[:3], good[3] + b"\0"),
        "zero": (*good[:3], b"\0" * 65),
        "personal message": (*good[:3], _personal(KEYS[1], digest(101, now))),
    }
    assert submit(three((1, good))) == (101, now)
    for what, report in false.items():
        expected = ("SignedReportAdapter_BadSignature", NAMES[1])
        assert submit(three((1, report))) == expected, what


def _personal(key, digest):
    from eth_account.messages import encode_defunct

    return bytes(key.sign_message(encode_defunct(digest)).signature)


@pytest.mark.parametrize(
    "domain",
    [
        {"chain_id": 1},
        {"at": "0x" + "11" * 20},
        {"asset": b"BTC".ljust(32, b"\0")},
        {"version": "2"},
    ],
)
def test_submit__signed_for_elsewhere__reverts(submit, signed, three, now, domain):
    expected = ("SignedReportAdapter_BadSignature", NAMES[0])
    assert submit(three((0, signed(KEYS[0], 100, now, **domain)))) == expected


def test_submit__replayed_on_another_adapter__reverts(project, submit, governor, three):
    addresses = [key.address for key in KEYS]
    twin = governor.deploy(project.SignedReportAdapter, ASSET, addresses, 3, MAX_AGE)
    assert submit(three(), to=twin) == ("SignedReportAdapter_BadSignature", NAMES[0])


def test_submit__replayed_on_a_fork_of_the_chain__reverts(submit, three, chain, signed, now):
    """The domain follows the chain's id, not the one at deployment."""
    reports = three()
    old = chain.chain_id
    moved = [signed(key, 100, now, chain_id=old + 1) for key in KEYS[:3]]
    chain.provider.make_request("anvil_setChainId", [old + 1])
    try:
        assert submit(reports) == ("SignedReportAdapter_BadSignature", NAMES[0])
        assert submit(moved) == (100, now)
    finally:
        chain.provider.make_request("anvil_setChainId", [old])


# ------------------------------------------------------------------ prices and times


@pytest.mark.parametrize("price", [0, MAX_PRICE + 1, 2**128, 2**256 - 1])
def test_submit__price_out_of_range__reverts(submit, signed, three, now, price):
    expected = ("SignedReportAdapter_PriceOutOfRange", NAMES[2], price, MAX_PRICE)
    assert submit(three((2, signed(KEYS[2], price, now)))) == expected


@pytest.mark.parametrize("price", [1, MAX_PRICE])
def test_submit__price_at_its_bounds__counts(submit, signed, three, now, price):
    assert submit(three((2, signed(KEYS[2], price, now))))[1] == now


@pytest.mark.parametrize("ahead", [DRIFT + 1, 3_600, 2**255])
def test_submit__from_the_future__reverts(submit, signed, three, now, ahead):
    report = signed(KEYS[0], 100, now + ahead)
    expected = ("SignedReportAdapter_FromTheFuture", NAMES[0], now + ahead, now + DRIFT)
    assert submit(three((0, report))) == expected


@pytest.mark.parametrize("age", [MAX_AGE + 1, 10**6])
def test_submit__too_old__reverts(submit, signed, three, now, age):
    report = signed(KEYS[0], 100, now - age)
    expected = ("SignedReportAdapter_TooOld", NAMES[0], now - age, now - MAX_AGE)
    assert submit(three((0, report))) == expected


def test_submit__times_at_their_bounds__count(submit, three, now):
    assert submit(three(ages=(-DRIFT, 0, MAX_AGE)))[1] == now - MAX_AGE


def test_submit__all_ahead_of_the_clock__published_now_and_recorded_as_signed(
    calls, adapter, three, now, governor, chain
):
    reports = three(ages=(-DRIFT, -DRIFT, -DRIFT))
    chain.pending_timestamp = now + 1
    adapter.submit(reports, sender=governor)
    assert calls.call(adapter, "recorded") == (101, now + DRIFT)
    assert calls.call(adapter, "latest") == (101, 0, now + 1)
    # The same reports do not count again while their time is still ahead.
    error = outcome(lambda: calls.call(adapter, "submit", reports))
    assert error == ("SignedReportAdapter_NotNewer", now + DRIFT, now + DRIFT)


def test_submit__replayed__reverts(submit, adapter, three, now, governor):
    reports = three()
    adapter.submit(reports, sender=governor)
    assert submit(reports) == ("SignedReportAdapter_NotNewer", now, now)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_submit__one_report_not_newer__reverts(submit, adapter, three, now, governor, position):
    adapter.submit(three(ages=(5, 5, 5)), sender=governor)
    ages = [0, 0, 0]
    ages[position] = 5
    assert submit(three(ages=ages)) == ("SignedReportAdapter_NotNewer", now - 5, now - 5)
    ages[position] = 4
    assert submit(three(ages=ages)) == (101, now - 4)


# ------------------------------------------------------------------ contracts that sign


@pytest.fixture
def pair(signed, mixed, contract_signer, now):
    """Reports of the contract and of the fifth key, in their order."""

    def _pair(key=KEYS[0]):
        reports = [
            signed(key, 100, now, signer=contract_signer.address, at=mixed.address),
            signed(KEYS[4], 200, now, at=mixed.address),
        ]
        return sorted(reports, key=lambda report: int(report[0], 16))

    return _pair


def test_submit__contract_signs__counts(submit, mixed, pair, now):
    assert submit(pair(), to=mixed) == (150, now)


def test_submit__contract_refuses_another_key__reverts(submit, mixed, pair, contract_signer):
    expected = ("SignedReportAdapter_BadSignature", contract_signer.address.lower())
    assert submit(pair(KEYS[1]), to=mixed) == expected


def test_submit__contract_accepts_anything__is_its_own_business(
    submit, mixed, pair, contract_signer, now
):
    overrides = {contract_signer.address: {0: ALWAYS}}
    assert submit(pair(STRANGER), to=mixed, overrides=overrides) == (150, now)


@pytest.mark.parametrize(
    "mode", [REVERT, BURN_GAS, RETURN_BOMB, SHORT_ANSWER, GARBAGE, DIRTY_MAGIC, NOTHING]
)
def test_submit__contract_misbehaves__reverts_within_its_allowance(
    submit, mixed, pair, contract_signer, mode
):
    overrides = {contract_signer.address: {0: mode}}
    expected = ("SignedReportAdapter_BadSignature", contract_signer.address.lower())
    assert submit(pair(), to=mixed, overrides=overrides, gas=260_000) == expected


@pytest.mark.parametrize("gas", [500_000, 20_000_000])
def test_submit__contract_signer__gets_its_allowance_and_no_more(
    submit, calls, mixed, pair, contract_signer, now, gas
):
    """Whoever pays for a submission bounds what a signer can burn of it."""
    assert calls.call(mixed, "SIGNATURE_GAS") == 100_000
    overrides = {contract_signer.address: {0: WITHIN_ALLOWANCE}}
    assert submit(pair(), to=mixed, overrides=overrides, gas=gas) == (150, now)


def test_submit__contract_without_code_now__its_address_is_no_key(
    submit, mixed, pair, contract_signer, chain
):
    code = chain.provider.web3.eth.get_code(contract_signer.address)
    chain.provider.set_code(contract_signer.address, b"")
    try:
        expected = ("SignedReportAdapter_BadSignature", contract_signer.address.lower())
        assert submit(pair(), to=mixed) == expected
    finally:
        chain.provider.set_code(contract_signer.address, bytes(code))


# ------------------------------------------------------------------ scenarios


def test_submit__forged_forwarder_scenario__the_sender_means_nothing(
    submit, calls, adapter, signed, now, chain
):
    """An oracle that believed a forwarder about who had called it was made to report any price.
    Here a report is what was signed: neither calling as a signer nor naming one behind the call
    data, as meta-transactions do, makes up for a signature."""
    forged = [signed(STRANGER, 1, now, signer=key.address) for key in KEYS[:3]]
    expected = ("SignedReportAdapter_BadSignature", NAMES[0])
    assert submit(forged) == expected
    for key in KEYS:
        assert submit(forged, sender=key.address) == expected
        data = bytes(adapter.submit.encode_input(forged)) + bytes.fromhex(key.address[2:])
        request = {"to": adapter.address, "from": key.address, "data": "0x" + data.hex()}
        assert outcome(lambda request=request: calls._request([request, "latest"])) == expected


def test_submit__minority_lies_and_the_submitter_chooses__stays_among_the_honest(
    submit, signed, now
):
    """Two of five report nonsense, and whoever submits picks the three reports that suit her."""
    honest = [
        signed(key, price, now) for key, price in zip(KEYS[:4], (99, 100, 101, 102), strict=True)
    ]
    for false in (1, 10**30):
        lie = signed(KEYS[4], false, now)
        for pair in ((0, 1), (0, 3), (2, 3)):
            price, _ = submit([honest[pair[0]], honest[pair[1]], lie])
            assert 99 <= price <= 102


prices = st.integers(0, 3) | st.integers(90, 110) | st.sampled_from([MAX_PRICE, MAX_PRICE + 1])
ages = st.integers(-DRIFT - 2, 3) | st.integers(MAX_AGE - 2, MAX_AGE + 2)
drawn_reports = st.lists(
    st.tuples(st.integers(0, 5), prices, ages, st.sampled_from([True] * 6 + [False])),
    min_size=2,
    max_size=6,
)


@PER_EXAMPLE
@given(
    drawn=drawn_reports,
    in_order=st.sampled_from([True] * 5 + [False]),
    last=st.none() | st.integers(0, 5),
)
def test_submit__any_reports__equals_the_model(
    submit, adapter, signed, chain, drawn, in_order, last
):
    now = chain.blocks.head.timestamp
    keys = [*KEYS, STRANGER]
    if in_order:
        drawn = sorted({d[0]: d for d in drawn}.values(), key=lambda d: int(keys[d[0]].address, 16))
    twin = SignedReportAdapter(NAMES, 3, MAX_AGE)
    if last is not None:
        twin.price, twin.timestamp = 7, now - last
    # EIP712's two strings take slots 0 and 1, isSigner 2, the list 3.
    overrides = {adapter.address: {4: twin.price | twin.timestamp << 128}}
    reports, expected = [], []
    for i, price, age, is_signed in drawn:
        key = keys[i]
        by = key if is_signed else Account.from_key(b"\x55" * 32)
        reports.append(signed(by, price, now - age, signer=key.address))
        expected.append(Report(key.address.lower(), price, now - age, is_signed))
    actual = submit(reports, overrides=overrides)
    assert actual == outcome(lambda: twin.submit(expected, now))


@settings(max_examples=500, deadline=None)
@given(drawn=st.lists(st.tuples(st.integers(1, MAX_PRICE), st.booleans()), min_size=1, max_size=15))
def test_median__false_minority__inside_the_honest_range(drawn):
    honest = [price for price, is_false in drawn if not is_false]
    if 2 * len(honest) > len(drawn):
        assert min(honest) <= median_of([price for price, _ in drawn]) <= max(honest)


def test_latest__gas(adapter, three, governor):
    receipt = adapter.submit(three(), sender=governor)
    print("SignedReportAdapter.submit, 3 accounts:", receipt.gas_used)
    used = adapter.latest.estimate_gas_cost(sender=governor) - 21_000
    print("SignedReportAdapter.latest:", used)
    assert used < 10_000
