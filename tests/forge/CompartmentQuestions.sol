// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action} from "../../contracts/types/Action.sol";
import {AccountId, AccountIdLib, CollateralId, MarketId} from "../../contracts/types/Ids.sol";
import {AccountLedger} from "../../contracts/types/Ledger.sol";
import {AccountValuation} from "../../contracts/types/Valuation.sol";
import {Deployment, DeploymentLoader, IDevFeed} from "./Deployment.sol";
import {VM} from "./Vm.sol";

/// @title How the fuzzer's numbers are read, relative to a compartment's state
/// @notice The counterpart of `questions.py` and `fields.py` in `bulkhead/fuzz/suite`. Where nothing fits, forge is
/// told to choose anew, as the Python harness does, and no step is counted.
abstract contract CompartmentQuestions {
    uint256 internal constant WAD = 1e18;
    uint256 internal constant BPS = 10_000;
    uint256 internal constant BLOCK_SECONDS = 12;
    /// @dev A market or collateral that is not listed.
    uint8 internal constant UNLISTED = 200;
    uint256 internal constant RARE = 8;
    /// @dev Of 16: this one takes anything, it and the one before try what the breaker forbids.
    uint256 internal constant STRAY = 15;

    Deployment internal _d;

    // ------------------------------------------------------------------ numbers

    /// @dev 0 … 10,000 basis points; everything and a bit more than everything come up far more often.
    function _bps(uint256 word) internal pure returns (uint256) {
        uint256 number = word % 0x10000;
        if (number < 0x2000) return BPS;
        if (number >= 0xE000) return BPS + 500;
        return (number - 0x2000) * BPS / 0xC000;
    }

    function _part(uint256 amount, uint256 word) internal pure returns (uint256) {
        uint256 bps = _bps(word);
        return amount * bps / BPS + (bps > BPS ? 1 : 0);
    }

    function _min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    /// @dev One of `count` ids, rarely one that is not listed.
    function _listed(uint256 word, uint256 count) internal pure returns (uint8) {
        uint256 value = word % (RARE * count + 1);
        return value == RARE * count ? UNLISTED : uint8(value % count);
    }

    function _actor(uint256 index) internal view returns (address) {
        return _d.actors[index % _d.actors.length];
    }

    function _account(uint256 actor, uint256 sub) internal view returns (AccountId) {
        return AccountIdLib.pack(_actor(actor), uint96(sub % DeploymentLoader.SUB_ACCOUNTS));
    }

    // ------------------------------------------------------------------ what fits

    /// @dev Gives up where the breaker forbids an act, unless this is one that tries it anyway.
    function _unlessForbidden(Action action, uint256 stray) internal view {
        if (stray % 16 < STRAY - 1) VM.assume(_d.breaker.isAllowed(action));
    }

    /// @dev The first account from `index` on that fits; any, if it goes astray.
    function _target(
        function(AccountId, uint256) view returns (bool) fits,
        uint256 argument,
        uint256 index,
        uint256 stray
    ) internal view returns (AccountId account) {
        uint256 count = _d.accounts.length;
        for (uint256 i; i < count; i++) {
            account = _d.accounts[(index % count + i) % count];
            if (stray % 16 == STRAY || fits(account, argument)) return account;
        }
        VM.assume(false);
    }

    /// @dev One of the bits that are set in a mask; `otherwise` if there is none, or if it goes astray.
    function _item(uint256 mask, uint256 index, uint8 otherwise, uint256 stray)
        internal
        pure
        returns (uint8)
    {
        if (stray % 16 == STRAY || mask == 0) return otherwise;
        for (uint256 i = index % 16;; i = (i + 1) % 16) {
            if (mask >> i & 1 == 1) return uint8(i);
        }
        return otherwise;
    }

    function _hasFree(AccountId account, uint256 collateral) internal view returns (bool) {
        return _free(account, uint8(collateral)) != 0;
    }

    function _hasPosition(AccountId account, uint256 market) internal view returns (bool) {
        if (account.owner() == _d.keeper) return false;
        return _d.exchange.position(account, MarketId.wrap(uint8(market))).size != 0;
    }

    function _canTrade(AccountId account, uint256) internal view returns (bool) {
        if (account.owner() == _d.keeper) return false;
        AccountLedger memory a = _d.engine.accountLedger(account);
        return a.cash > 0 || a.collateralMask != 0;
    }

    function _isActors(AccountId account, uint256) internal view returns (bool) {
        return account.owner() != _d.keeper;
    }

    function _hasMatured(AccountId account, uint256) internal view returns (bool) {
        return _d.engine.maturedClaim(account) != 0;
    }

    function _isExposed(AccountId account, uint256) internal view returns (bool) {
        return _markets(account) != 0;
    }

    function _isLiquidatable(AccountId account, uint256) internal view returns (bool) {
        return _markets(account) != 0 && _isUnhealthy(account);
    }

    function _isDue(AccountId account, uint256) internal view returns (bool) {
        return _debt(account) != 0 && _sellable(account) != 0 && _isUnhealthy(account);
    }

    function _isForSale(AccountId account, uint256) internal view returns (bool) {
        return _auctions(account, true) != 0 && _isUnhealthy(account);
    }

    function _isOver(AccountId account, uint256) internal view returns (bool) {
        if (_auctions(account, false) == 0) return false;
        return _debt(account) == 0 || _auctions(account, true) == 0 || !_isUnhealthy(account);
    }

    function _isBare(AccountId account, uint256) internal view returns (bool) {
        AccountLedger memory a = _d.engine.accountLedger(account);
        return a.cash < 0 && a.collateralMask == 0 && _markets(account) == 0;
    }

    // ------------------------------------------------------------------ accounts

    function _debt(AccountId account) internal view returns (uint256) {
        int256 cash = _d.engine.accountLedger(account).cash;
        return cash < 0 ? uint256(-cash) : 0;
    }

    function _held(AccountId account, uint8 collateral) internal view returns (uint256) {
        if (collateral == UNLISTED) return 0;
        if (collateral != 0) {
            return _d.engine.collateralBalance(account, CollateralId.wrap(collateral));
        }
        int256 cash = _d.engine.accountLedger(account).cash;
        return cash > 0 ? uint256(cash) / _d.cashScale : 0;
    }

    /// @dev About the token units of a collateral that the account's margin can do without.
    function _free(AccountId account, uint8 collateral) internal view returns (uint256) {
        uint256 held = _held(account, collateral);
        if (held == 0 || (_markets(account) == 0 && _debt(account) == 0)) return held;
        (bool valued, AccountValuation memory v) = _valuation(account);
        if (!valued) return held;
        uint256 free = _freeMargin(v);
        if (collateral == 0) return _min(held, free / _d.cashScale);
        uint256 price = _d.risk.collateralValuation(CollateralId.wrap(collateral)).initialPrice;
        if (price == 0) return held;
        return _min(held, free * WAD / price / 10 ** (18 - _d.tokens[collateral].decimals()));
    }

    function _freeMargin(AccountValuation memory v) internal pure returns (uint256) {
        int256 free = v.equityInitial - int256(v.initialMargin);
        return free > 0 ? uint256(free) : 0;
    }

    function _valuation(AccountId account) internal view returns (bool, AccountValuation memory v) {
        try _d.engine.valuation(account) returns (AccountValuation memory found) {
            return (true, found);
        } catch {
            return (false, v);
        }
    }

    function _isUnhealthy(AccountId account) internal view returns (bool) {
        try _d.liquidation.isLiquidatable(account) returns (bool unhealthy) {
            return unhealthy;
        } catch {
            return false;
        }
    }

    /// @dev Bit i is set where the account has a position in market i.
    function _markets(AccountId account) internal view returns (uint256 mask) {
        for (uint8 i; i < _d.markets; i++) {
            if (_d.exchange.position(account, MarketId.wrap(i)).size != 0) mask |= 1 << i;
        }
    }

    /// @dev Bit i is set where collateral i is held and not being sold.
    function _sellable(AccountId account) internal view returns (uint256) {
        return _d.engine.accountLedger(account).collateralMask & ~_auctions(account, true);
    }

    /// @dev Bit i is set where collateral i is up for auction, or was until that ended unless only running ones count.
    function _auctions(AccountId account, bool running) internal view returns (uint256 mask) {
        uint256 most = 2 * uint256(_d.parameters.compartmentParameters().auctionDuration);
        for (uint8 i = 1; i < _d.tokens.length; i++) {
            uint256 since = _d.liquidation.auctionStartedAt(account, CollateralId.wrap(i));
            if (since != 0 && (!running || since + most >= block.timestamp)) mask |= 1 << i;
        }
    }

    /// @dev Roughly the base units that the account's free margin carries.
    function _affordableSize(AccountId account, uint8 market) internal view returns (uint256) {
        if (market == UNLISTED) return WAD;
        (bool valued, AccountValuation memory v) = _valuation(account);
        if (!valued) return WAD;
        (uint256 price,) = _d.exchange.indexPrice(MarketId.wrap(market));
        if (price == 0) return 0;
        // The fee and the price impact take a part of what the ratio alone would allow.
        uint256 ratio =
            _d.parameters.marketTrading(MarketId.wrap(market)).initialMarginRatio + WAD / 500;
        return _freeMargin(v) * WAD / ratio * WAD / price;
    }

    /// @dev The first of the vault's holders from `index` on.
    function _holder(uint256 index, uint256 vault) internal view returns (address holder) {
        uint256 count = _d.people.length;
        for (uint256 i; i < count; i++) {
            holder = _d.people[(index % count + i) % count];
            if (_d.vaults[vault].balanceOf(holder) != 0) return holder;
        }
        VM.assume(false);
    }

    function _answer(IDevFeed feed) internal view returns (int256 answer) {
        (, answer,,,) = feed.latestRoundData();
    }
}
