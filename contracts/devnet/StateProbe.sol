// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {ILiquidationEngine} from "../interfaces/ILiquidationEngine.sol";
import {ILiquidityVault} from "../interfaces/ILiquidityVault.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPegMonitor} from "../interfaces/IPegMonitor.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {AccountLedger, LedgerTotals, MarketUnrealized, UnrealizedTotals} from "../types/Ledger.sol";
import {Market, Position} from "../types/Market.sol";
import {AssetId} from "../types/AssetId.sol";
import {PriceData, PriceStatus} from "../types/Price.sol";
import {AccountValuation, CollateralValuation} from "../types/Valuation.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Devnet only: a compartment's whole state as a list of words
/// @notice What a fuzzer compares with its model after every call. Words are packed as storage is, two 128-bit
/// numbers in one, and `bulkhead/fuzz/suite/words.py` writes the same list from the model.
contract StateProbe {
    Compartment internal _at;

    constructor(Compartment memory wiring) {
        _at = wiring;
    }

    /// @notice What is stored: the ledger, markets, collaterals, shares, the breaker, then each account.
    function stored(AccountId[] calldata ids) external view returns (uint256[] memory words) {
        IMarginEngine engine = IMarginEngine(_at.marginEngine);
        IPerpExchange exchange = IPerpExchange(_at.perpExchange);
        uint8 markets = uint8(IRiskParameters(_at.riskParameters).marketCount());
        uint8 collaterals = uint8(IRiskParameters(_at.riskParameters).collateralCount());
        uint256 perAccount = 2 + (uint256(collaterals) + 1) / 2 + 2 * uint256(markets);
        words = new uint256[](7 + 5 * uint256(markets) + collaterals + perAccount * ids.length);
        uint256 n = _totals(engine, words);
        for (uint8 m; m < markets; ++m) {
            n = _market(engine, exchange, MarketId.wrap(m), words, n);
        }
        for (uint8 c = 1; c <= collaterals; ++c) {
            address token =
                IRiskParameters(_at.riskParameters).collateralConfig(CollateralId.wrap(c)).token;
            words[n++] = _pair(
                IERC20(token).balanceOf(_at.collateralVault),
                engine.totalCollateral(CollateralId.wrap(c))
            );
        }
        for (uint256 i; i < ids.length; ++i) {
            _account(engine, exchange, ids[i], collaterals, markets, words, n);
            n += perAccount;
        }
    }

    /// @notice What follows from it now: ratios, prices, valuations, auctions.
    function derived(AccountId[] calldata ids, AssetId[] calldata assets, AssetId[] calldata pegs)
        external
        view
        returns (uint256[] memory words)
    {
        uint8 markets = uint8(IRiskParameters(_at.riskParameters).marketCount());
        uint8 collaterals = uint8(IRiskParameters(_at.riskParameters).collateralCount());
        words = new uint256[](
            4 + 5 * uint256(markets) + 4 * uint256(collaterals) + 6 * assets.length + 2
                * pegs.length + (11 + uint256(collaterals)) * ids.length
        );
        words[0] = IMarginEngine(_at.marginEngine).haircutRatio();
        words[1] = ICircuitBreaker(_at.circuitBreaker).tier();
        (int256 toEnter, int256 toLeave) = ILiquidityVault(_at.liquidityVault).netAssetValue();
        (words[2], words[3]) = (uint256(toEnter), uint256(toLeave));
        uint256 n = 4;
        for (uint8 m; m < markets; ++m) {
            n = _prices(MarketId.wrap(m), words, n);
        }
        for (uint8 c = 1; c <= collaterals; ++c) {
            CollateralValuation memory v =
                IMarginEngine(_at.marginEngine).collateralValuation(CollateralId.wrap(c));
            (words[n], words[n + 1]) = (v.initialPrice, v.maintenancePrice);
            (words[n + 2], words[n + 3]) = (v.marketPrice, uint256(v.status));
            n += 4;
        }
        for (uint256 i; i < assets.length; ++i) {
            n = _asset(assets[i], words, n);
        }
        for (uint256 i; i < pegs.length; ++i) {
            IPegMonitor.PegState memory p = IPegMonitor(_at.pegMonitor).pegState(pegs[i]);
            words[n++] = _pair(p.fairRate, p.marketRate);
            words[n++] = _pair(p.stress, uint256(p.pokedAt) << 8 | uint256(p.marketStatus));
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
        uint256 n;
        for (uint256 t; t < tokens.length; ++t) {
            for (uint256 h; h < holders.length; ++h) {
                words[n++] = IERC20(tokens[t]).balanceOf(holders[h]);
            }
        }
    }

    function _totals(IMarginEngine engine, uint256[] memory words) internal view returns (uint256) {
        LedgerTotals memory t = engine.totals();
        words[0] = _pair(t.principal, t.debt);
        words[1] = _pair(t.claims, t.poolCash);
        words[2] = _pair(t.insuranceCash, t.feeReserve);
        UnrealizedTotals memory u = engine.unrealizedTotals();
        words[3] = _pair(u.positive, uint128(u.net));
        words[4] = IERC20(_at.settlementToken).balanceOf(_at.collateralVault);
        words[5] = _pair(
            IERC20(_at.liquidityVault).totalSupply(), IERC20(_at.insuranceFund).totalSupply()
        );
        ICircuitBreaker.BreakerState memory b = ICircuitBreaker(_at.circuitBreaker).breakerState();
        words[6] = uint256(b.tier) | uint256(b.since) << 8 | uint256(b.haltedAt) << 48
            | uint256(b.guardianTier) << 88 | uint256(b.guardianUntil) << 96;
        return 7;
    }

    function _market(
        IMarginEngine engine,
        IPerpExchange exchange,
        MarketId market,
        uint256[] memory words,
        uint256 n
    ) internal view returns (uint256) {
        Market memory m = exchange.marketState(market);
        words[n] = _pair(m.openInterestLong, m.openInterestShort);
        words[n + 1] = _pair(uint128(m.quote), uint128(m.cumulativeFundingPerUnit));
        words[n + 2] = _pair(uint64(m.fundingRate), m.fundingUpdatedAt);
        words[n + 3] = uint256(m.fundingEntryProduct);
        MarketUnrealized memory u = engine.marketUnrealized(market);
        words[n + 4] = _pair(uint128(u.unrealized), u.updatedAt);
        return n + 5;
    }

    function _account(
        IMarginEngine engine,
        IPerpExchange exchange,
        AccountId id,
        uint8 collaterals,
        uint8 markets,
        uint256[] memory words,
        uint256 n
    ) internal view {
        AccountLedger memory a = engine.accountLedger(id);
        words[n++] = _pair(uint128(a.cash), a.claim);
        words[n++] = uint256(a.unvested) | uint256(a.vestingUpdatedAt) << 128
            | uint256(a.vestingEndsAt) << 168 | uint256(a.collateralMask) << 208;
        for (uint8 c = 1; c <= collaterals; ++c) {
            uint256 held = engine.collateralBalance(id, CollateralId.wrap(c));
            words[n + (c - 1) / 2] |= held << (c % 2 == 1 ? 0 : 128);
        }
        n += (uint256(collaterals) + 1) / 2;
        for (uint8 m; m < markets; ++m) {
            Position memory p = exchange.position(id, MarketId.wrap(m));
            words[n++] = _pair(uint128(p.size), uint128(p.quote));
            words[n++] = uint128(p.fundingEntry);
        }
    }

    function _prices(MarketId market, uint256[] memory words, uint256 n)
        internal
        view
        returns (uint256)
    {
        IPerpExchange exchange = IPerpExchange(_at.perpExchange);
        (uint256 price, PriceStatus status) = exchange.indexPrice(market);
        (words[n], words[n + 1]) = (price, uint256(status));
        words[n + 2] = exchange.markPrice(market);
        words[n + 3] = uint256(exchange.fundingRate(market));
        words[n + 4] = uint256(exchange.unrealizedPnl(market));
        return n + 5;
    }

    function _asset(AssetId asset, uint256[] memory words, uint256 n)
        internal
        view
        returns (uint256)
    {
        PriceData memory d = IOracleAggregator(_at.oracle).latest(asset);
        words[n] = d.price;
        words[n + 1] = d.publishedAt;
        words[n + 2] = d.recordedAt;
        words[n + 3] = uint256(d.status);
        ICircuitBreaker.PriceReference memory r =
            ICircuitBreaker(_at.circuitBreaker).priceReference(asset);
        words[n + 4] = _pair(r.price, r.takenAt);
        words[n + 5] = _pair(r.previousPrice, r.previousTakenAt);
        return n + 6;
    }

    function _valuation(AccountId id, uint8 collaterals, uint256[] memory words, uint256 n)
        internal
        view
        returns (uint256)
    {
        words[n] = IMarginEngine(_at.marginEngine).maturedClaim(id);
        try IMarginEngine(_at.marginEngine).valuation(id) returns (AccountValuation memory v) {
            words[n + 1] = 1;
            (words[n + 2], words[n + 3]) = (uint256(v.equityInitial), uint256(v.equityMaintenance));
            (words[n + 4], words[n + 5]) = (v.initialMargin, v.maintenanceMargin);
            (words[n + 6], words[n + 7]) = (v.collateralMaintenance, uint256(v.unrealizedPnl));
            (words[n + 8], words[n + 9]) = (uint256(v.bufferAtIndex), v.uncertain);
            words[n + 10] = uint256(v.status);
        } catch {}
        for (uint8 c; c < collaterals; ++c) {
            words[n + 11 + c] = ILiquidationEngine(_at.liquidationEngine)
                .auctionStartedAt(id, CollateralId.wrap(c + 1));
        }
        return n + 11 + collaterals;
    }

    /// @dev Two numbers that have 128 bits each.
    function _pair(uint256 low, uint256 high) internal pure returns (uint256) {
        return low | high << 128;
    }
}
