// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccountOperators} from "../interfaces/IAccountOperators.sol";
import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {IDelayedOrders} from "../interfaces/IDelayedOrders.sol";
import {ILiquidationEngine} from "../interfaces/ILiquidationEngine.sol";
import {ILedgerVault} from "../interfaces/ILedgerVault.sol";
import {ILiquidityVault} from "../interfaces/ILiquidityVault.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IRiskEngine} from "../interfaces/IRiskEngine.sol";
import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPegMonitor} from "../interfaces/IPegMonitor.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ISignedOrders} from "../interfaces/ISignedOrders.sol";
import {Compartment} from "../types/Compartment.sol";
import {DelayedOrder, Fixing} from "../types/DelayedOrder.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {
    AccountLedger,
    BorrowState,
    ExitRequest,
    LedgerTotals,
    MarketUnrealized,
    UnrealizedTotals
} from "../types/Ledger.sol";
import {Market, Position, Settlement} from "../types/Market.sol";
import {AssetId} from "../types/AssetId.sol";
import {Grant} from "../types/Permissions.sol";
import {PriceData, PriceStatus} from "../types/Price.sol";
import {AccountValuation, CollateralValuation} from "../types/Valuation.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Devnet only: a compartment's whole state as a list of words
/// @notice What a fuzzer compares with its model after every call. Words are packed as storage is, two 128-bit
/// numbers in one, and `bulkhead/fuzz/suite/words.py` writes the same list from the model.
contract StateProbe {
    IMarginEngine internal immutable _engine;
    IRiskEngine internal immutable _risk;
    IAccountOperators internal immutable _operators;
    IRiskParameters internal immutable _parameters;
    IPerpExchange internal immutable _exchange;
    ILiquidationEngine internal immutable _liquidation;
    IDelayedOrders internal immutable _delayed;
    ICircuitBreaker internal immutable _breaker;
    ISignedOrders internal immutable _orders;
    IOracleAggregator internal immutable _oracle;
    IPegMonitor internal immutable _peg;
    ILiquidityVault internal immutable _pool;
    ILedgerVault internal immutable _fund;
    IERC20 internal immutable _settlementToken;
    address internal immutable _custody;

    /// @dev Of delayed orders, so many are read: the last ones.
    uint256 internal constant ORDERS = 6;

    address[] internal _people;

    /// @param people Whose grants are read, five at most; of nonces it is the first word.
    constructor(Compartment memory wiring, address[] memory people) {
        _people = people;
        _engine = IMarginEngine(wiring.marginEngine);
        _risk = IRiskEngine(wiring.riskEngine);
        _operators = IAccountOperators(wiring.accountOperators);
        _parameters = IRiskParameters(wiring.riskParameters);
        _exchange = IPerpExchange(wiring.perpExchange);
        _liquidation = ILiquidationEngine(wiring.liquidationEngine);
        _delayed = IDelayedOrders(wiring.delayedOrders);
        _breaker = ICircuitBreaker(wiring.circuitBreaker);
        _orders = ISignedOrders(wiring.signedOrders);
        _oracle = IOracleAggregator(wiring.oracle);
        _peg = IPegMonitor(wiring.pegMonitor);
        _pool = ILiquidityVault(wiring.liquidityVault);
        _fund = ILedgerVault(wiring.insuranceFund);
        _settlementToken = IERC20(wiring.settlementToken);
        _custody = wiring.collateralVault;
    }

    /// @notice What is stored: the ledger, markets, collaterals, shares, the breaker, then each account.
    /// @param markets How many markets, from the first.
    /// @param tokens Collateral tokens by id less one.
    /// @param whole Also read balances of collateral that an account's mask says it does not hold.
    function stored(AccountId[] calldata ids, uint8 markets, address[] calldata tokens, bool whole)
        external
        view
        returns (uint256[] memory words)
    {
        uint256 perAccount = 8 + (tokens.length + 1) / 2 + 2 * uint256(markets);
        words = new uint256[](
            12 + 4 * ORDERS + 25 * uint256(markets) + 2 * tokens.length + perAccount * ids.length
        );
        uint256 n = _openOrders(words, _totals(words));
        for (uint8 m; m < markets; ++m) {
            n = _adaptive(MarketId.wrap(m), words, _market(MarketId.wrap(m), words, n));
            n = _recorded(MarketId.wrap(m), words, n);
        }
        for (uint8 c; c < tokens.length; ++c) {
            words[n++] = _pair(
                IERC20(tokens[c]).balanceOf(_custody),
                _engine.totalCollateral(CollateralId.wrap(c + 1))
            );
            IRiskEngine.DepthState memory d = _risk.depthState(CollateralId.wrap(c + 1));
            words[n++] = uint256(d.measured) | uint256(d.kept) << 104 | uint256(d.measuredAt) << 208;
        }
        for (uint256 i; i < ids.length; ++i) {
            _account(ids[i], uint8(tokens.length), markets, whole, words, n);
            n += perAccount;
            ExitRequest memory r = _pool.exitRequest(ids[i].owner());
            words[n - 5] =
                uint256(r.shares) | uint256(r.unlocksAt) << 176 | uint256(r.expiresAt) << 216;
            words[n - 4] = _grants(ids[i]);
            words[n - 3] = _operators.usedNonces(ids[i].owner(), 0);
            words[n - 2] = _orders.cancelledNonces(ids[i], 0);
            words[n - 1] = _orders.leastNonce(ids[i]);
        }
    }

    /// @notice What follows from it now: ratios, prices, valuations, auctions.
    /// @param markets How many markets, from the first.
    /// @param collaterals How many collaterals, from id 1.
    function derived(
        AccountId[] calldata ids,
        uint8 markets,
        uint8 collaterals,
        AssetId[] calldata assets,
        AssetId[] calldata pegs
    ) external view returns (uint256[] memory words) {
        words = new uint256[](
            8 + 6 * uint256(markets) + 6 * uint256(collaterals) + 6 * assets.length + 4
                * pegs.length + (13 + uint256(collaterals)) * ids.length
        );
        words[0] = _engine.haircutRatio();
        words[1] = _breaker.tier();
        (int256 toEnter, int256 toLeave) = _pool.netAssetValue();
        (words[2], words[3]) = (uint256(toEnter), uint256(toLeave));
        (uint256 initialStress, uint256 maintenanceStress) = _risk.stressLevels();
        words[4] = _pair(initialStress, maintenanceStress);
        (words[5], words[6]) = (_pool.maxDeposit(_custody), _fund.maxDeposit(_custody));
        words[7] = _pool.coverage();
        uint256 n = 8;
        for (uint8 m; m < markets; ++m) {
            n = _prices(MarketId.wrap(m), words, n);
        }
        for (uint8 c = 1; c <= collaterals; ++c) {
            CollateralValuation memory v = _risk.collateralValuation(CollateralId.wrap(c));
            (words[n], words[n + 1]) = (v.initialPrice, v.maintenancePrice);
            (words[n + 2], words[n + 3]) = (v.marketPrice, uint256(v.status));
            (words[n + 4], words[n + 5]) = _risk.depths(CollateralId.wrap(c));
            n += 6;
        }
        for (uint256 i; i < assets.length; ++i) {
            n = _asset(assets[i], words, n);
        }
        for (uint256 i; i < pegs.length; ++i) {
            IPegMonitor.PegState memory p = _peg.pegState(pegs[i]);
            words[n++] = _pair(p.fairRate, p.marketRate);
            words[n++] = _pair(
                p.stress, uint256(p.pokedAt) << 16 | uint256(p.condition) << 8 | uint256(p.status)
            );
            words[n++] = _pair(p.highestRate, p.backing);
            words[n++] = _pair(p.redemptionDelay, p.intrinsicHaircut);
        }
        for (uint256 i; i < ids.length; ++i) {
            n = _valuation(ids[i], collaterals, words, n);
        }
    }

    /// @notice Balances of every holder in every token, token by token.
    function balances(address[] calldata tokens, address[] calldata holders)
        external
        view
        returns (uint256[] memory words)
    {
        words = new uint256[](tokens.length * holders.length);
        uint256 n = 0;
        for (uint256 t; t < tokens.length; ++t) {
            for (uint256 h; h < holders.length; ++h) {
                words[n++] = IERC20(tokens[t]).balanceOf(holders[h]);
            }
        }
    }

    function _totals(uint256[] memory words) internal view returns (uint256) {
        LedgerTotals memory t = _engine.totals();
        words[0] = _pair(t.principal, t.debt);
        words[1] = _pair(t.claims, t.poolCash);
        words[2] = _pair(t.insuranceCash, t.feeReserve);
        UnrealizedTotals memory u = _engine.unrealizedTotals();
        words[3] = _pair(u.positive, uint128(u.net));
        words[4] = _settlementToken.balanceOf(_custody);
        words[5] = _pair(_pool.totalSupply(), _fund.totalSupply());
        ICircuitBreaker.BreakerState memory b = _breaker.breakerState();
        words[6] = uint256(b.tier) | uint256(b.since) << 8 | uint256(b.haltedAt) << 48
            | uint256(b.guardianTier) << 88 | uint256(b.guardianUntil) << 96;
        BorrowState memory borrow = _engine.borrowState();
        words[7] = _pair(borrow.index, uint256(borrow.rate) | uint256(borrow.updatedAt) << 64);
        words[8] = borrow.scaledDebt;
        IRiskEngine.Followed memory f = _risk.followedStress();
        words[9] = _pair(f.value, f.movedAt);
        return 10;
    }

    function _market(MarketId market, uint256[] memory words, uint256 n)
        internal
        view
        returns (uint256)
    {
        Market memory m = _exchange.marketState(market);
        words[n] = _pair(m.openInterestLong, m.openInterestShort);
        words[n + 1] = _pair(uint128(m.quote), uint128(m.cumulativeFundingPerUnit));
        words[n + 2] = _pair(
            uint256(uint64(m.fundingRate)) | uint256(uint64(m.matchedPremium)) << 64,
            uint256(m.fundingUpdatedAt) | uint256(m.fundingGain) << 40 | uint256(m.phase) << 56
                | uint256(m.matchedPremiumEndsAt) << 64
        );
        words[n + 3] = uint256(m.fundingEntryProduct);
        MarketUnrealized memory u = _engine.marketUnrealized(market);
        words[n + 4] = _pair(uint128(u.unrealized), u.updatedAt);
        Settlement memory s = _exchange.settlement(market);
        words[n + 5] = _pair(s.price, s.fixableAt);
        return n + 6;
    }

    /// @dev What is in escrow for orders, how many there were, and the last of them.
    function _openOrders(uint256[] memory words, uint256 n) internal view returns (uint256) {
        uint256 count = _delayed.orderCount();
        words[n] = _engine.orderEscrow();
        words[n + 1] = count;
        n += 2;
        for (uint256 i; i < ORDERS; ++i) {
            // Of ids from before the first one there is nothing.
            DelayedOrder memory o = _delayed.order(count > i ? count - i : 0);
            words[n] = uint256(AccountId.unwrap(o.account));
            words[n + 1] = _pair(uint128(o.sizeDelta), o.acceptablePrice);
            words[n + 2] = uint256(o.executorFee) | uint256(o.settleFrom) << 96
                | uint256(o.cancelFrom) << 136 | uint256(o.expiresAt) << 176
                | uint256(MarketId.unwrap(o.market)) << 216 | uint256(o.flags) << 224;
            words[n + 3] = o.triggerPrice;
            n += 4;
        }
        return n;
    }

    /// @dev The prices that were recorded for orders.
    function _recorded(MarketId market, uint256[] memory words, uint256 n)
        internal
        view
        returns (uint256)
    {
        (Fixing[16] memory ring, uint256 count) = _delayed.fixings(market);
        words[n++] = count;
        for (uint256 i; i < ring.length; ++i) {
            Fixing memory f = ring[i];
            words[n++] = uint256(f.price) | uint256(f.publishedAt) << 128 | uint256(f.recordedAt)
                << 168 | uint256(f.status) << 208;
        }
        return n;
    }

    /// @dev The maintenance rate as last moved, and the correlations with other markets.
    function _adaptive(MarketId market, uint256[] memory words, uint256 n)
        internal
        view
        returns (uint256)
    {
        IRiskEngine.Followed memory f = _risk.followedRatio(market);
        words[n] = _pair(f.value, f.movedAt);
        MarketId[] memory one = new MarketId[](1);
        one[0] = market;
        words[n + 1] = _parameters.correlationRows(one)[0];
        return n + 2;
    }

    function _account(
        AccountId id,
        uint8 collaterals,
        uint8 markets,
        bool whole,
        uint256[] memory words,
        uint256 n
    ) internal view {
        AccountLedger memory a = _engine.accountLedger(id);
        // As stored: without the interest since it was last booked.
        (uint256 debt, uint256 index) = _engine.bookedDebt(id);
        if (debt != 0) a.cash = -int128(uint128(debt));
        words[n++] = _pair(uint128(a.cash), a.claim);
        words[n++] = index;
        words[n++] = uint256(a.unvested) | uint256(a.vestingUpdatedAt) << 128
            | uint256(a.vestingEndsAt) << 168 | uint256(a.collateralMask) << 208
            | _engine.raisingOrders(id) << 224;
        for (uint8 c = 1; c <= collaterals; ++c) {
            if (!whole && (a.collateralMask >> c) & 1 == 0) continue;
            uint256 held = _engine.collateralBalance(id, CollateralId.wrap(c));
            words[n + (c - 1) / 2] |= held << (c % 2 == 1 ? 0 : 128);
        }
        n += (uint256(collaterals) + 1) / 2;
        for (uint8 m; m < markets; ++m) {
            Position memory p = _exchange.position(id, MarketId.wrap(m));
            words[n++] = _pair(uint128(p.size), uint128(p.quote));
            words[n++] = uint128(p.fundingEntry);
        }
    }

    function _grants(AccountId id) internal view returns (uint256 word) {
        for (uint256 i; i < _people.length; ++i) {
            Grant memory g = _operators.grantOf(id, _people[i]);
            word |= (uint256(g.permissions) | uint256(g.expiresAt) << 8) << (48 * i);
        }
    }

    function _prices(MarketId market, uint256[] memory words, uint256 n)
        internal
        view
        returns (uint256)
    {
        (uint256 price, PriceStatus status) = _exchange.indexPrice(market);
        (words[n], words[n + 1]) = (price, uint256(status));
        words[n + 2] = _exchange.markPrice(market);
        words[n + 3] = uint256(_exchange.fundingRate(market));
        words[n + 4] = uint256(_exchange.unrealizedPnl(market));
        (uint256 initial, uint256 maintenance) = _risk.marginRates(market);
        words[n + 5] = _pair(initial, maintenance);
        return n + 6;
    }

    function _asset(AssetId asset, uint256[] memory words, uint256 n)
        internal
        view
        returns (uint256)
    {
        PriceData memory d = _oracle.latest(asset);
        IOracleAggregator.Confirmation memory c = _oracle.confirmation(asset);
        words[n] = _pair(d.price, d.confidence);
        words[n + 1] = uint256(d.publishedAt) | uint256(d.recordedAt) << 40 | uint256(d.status)
            << 80 | uint256(c.candidateAt) << 88;
        words[n + 2] = _pair(c.anchor, c.candidate);
        words[n + 3] = _pair(_oracle.volatility(asset), _votes(asset));
        ICircuitBreaker.PriceReference memory r = _breaker.priceReference(asset);
        words[n + 4] = _pair(r.price, r.takenAt);
        words[n + 5] = _pair(r.previousPrice, r.previousTakenAt);
        return n + 6;
    }

    function _valuation(AccountId id, uint8 collaterals, uint256[] memory words, uint256 n)
        internal
        view
        returns (uint256)
    {
        words[n] = _engine.maturedClaim(id);
        try _engine.valuation(id) returns (AccountValuation memory v) {
            words[n + 1] = 1;
            (words[n + 2], words[n + 3]) = (uint256(v.equityInitial), uint256(v.equityMaintenance));
            (words[n + 4], words[n + 5]) = (v.initialMargin, v.maintenanceMargin);
            (words[n + 6], words[n + 7]) = (v.collateralMaintenance, uint256(v.unrealizedPnl));
            (words[n + 8], words[n + 9]) = (uint256(v.bufferAtIndex), v.uncertain);
            words[n + 10] = uint256(v.status);
        } catch {}
        for (uint8 c = 0; c < collaterals; ++c) {
            words[n + 11 + c] = _liquidation.auctionStartedAt(id, CollateralId.wrap(c + 1));
        }
        n += 11 + uint256(collaterals);
        words[n] = _pool.maxRedeem(id.owner());
        words[n + 1] = _pool.maxWithdraw(id.owner());
        return n + 2;
    }

    /// @dev Shares and reputations of an asset's sources, in one number that any change of one of them changes.
    function _votes(AssetId asset) internal view returns (uint256 sum) {
        IOracleAggregator.SourceState[] memory list = _oracle.sources(asset);
        for (uint256 i; i < list.length; ++i) {
            uint256 source = uint256(list[i].share) + list[i].reputation / 4 + list[i].targetShare;
            sum += (i + 1) * (list[i].isCounted ? 2 * source + 1 : 2 * source);
        }
    }

    /// @dev Two numbers that have 128 bits each.
    function _pair(uint256 low, uint256 high) internal pure returns (uint256) {
        return low | high << 128;
    }
}
