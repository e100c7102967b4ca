// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICollateralVault} from "../../contracts/interfaces/ICollateralVault.sol";
import {ExitRequest} from "../../contracts/types/Ledger.sol";
import {Action} from "../../contracts/types/Action.sol";
import {AccountId, CollateralId, MarketId} from "../../contracts/types/Ids.sol";
import {Deployment} from "./Deployment.sol";
import {OutsideWorld} from "./OutsideWorld.sol";
import {VM} from "./Vm.sol";

/// @title What is done to a compartment, one function per kind of operation
/// @notice The counterpart of operations in `bulkhead/fuzz/suite`, which `bulkhead/bench/forge_suite.py` lists with
/// their weights. Nothing is caught: what the compartment refuses is forge's revert.
contract CompartmentHandler is OutsideWorld {
    /// @dev So many full deposits a wallet lasts for.
    uint256 private constant DEPOSITS = 20;

    constructor(Deployment memory deployment) OutsideWorld(deployment) {}

    // ------------------------------------------------------------------ users

    /// @notice Deposits a share of a part of the wallet, rarely of all of it or to somebody else's account.
    function deposit(uint256 actor, uint256 sub, uint256 collateral, uint256 how, uint256 share)
        external
        inNextBlock
    {
        address sender = _actor(actor);
        AccountId account = _account(how % 24 == 23 ? actor % 4 + 1 : actor, sub);
        uint8 id = _listed(collateral, _d.tokens.length);
        uint256 wallet = id == UNLISTED ? 0 : _d.tokens[id].balanceOf(sender);
        uint256 amount =
            how % 24 == 21 ? 1 : _part(how % 24 == 22 ? wallet : wallet / DEPOSITS, share);
        VM.prank(sender);
        _d.engine.deposit(account, CollateralId.wrap(id), amount);
    }

    /// @notice Withdraws a share of what the margin leaves free, or of all; at times what is not one's own.
    function withdraw(uint256 target, uint256 collateral, uint256 how, uint256 stray, uint256 share)
        external
        inNextBlock
    {
        uint8 id = _listed(collateral, _d.tokens.length);
        _unlessForbidden(Action.Withdraw, stray);
        AccountId account = _target(_hasFree, id, target, stray);
        uint256 kind = how % 32;
        address sender = account.owner();
        if (kind == 31) sender = _actor(0) == sender ? _actor(1) : _actor(0);
        address to = kind == 30 ? address(0) : kind == 29 ? _d.custody : sender;
        uint256 amount = _part(kind >= 24 ? _held(account, id) : _free(account, id), share);
        VM.prank(sender);
        _d.engine.withdraw(account, CollateralId.wrap(id), amount, to);
    }

    /// @notice Buys or sells a share of what the margin allows, or of the open position.
    function trade(
        uint256 target,
        uint256 market,
        uint256 mode,
        uint256 tolerance,
        uint256 stray,
        uint256 share
    ) external inNextBlock {
        _unlessForbidden(Action.ReducePosition, stray);
        uint8 id = _listed(market, _d.markets);
        bool reduces = mode % 4 == 0 || !_d.breaker.isAllowed(Action.IncreasePosition);
        AccountId account = stray % 16 == STRAY
            ? _target(_isActors, 0, target, 0)
            : _target(reduces && id != UNLISTED ? _hasPosition : _canTrade, id, target, stray);
        int256 delta = _sizeDelta(account, id, reduces ? 0 : mode % 4, share);
        // One in 32 asks for a price that nobody offers.
        bool anyPrice = tolerance % 32 != 31;
        VM.prank(account.owner());
        _d.exchange
            .trade(
                account, MarketId.wrap(id), delta, (delta > 0) == anyPrice ? type(uint256).max : 0
            );
    }

    /// @notice Converts a share of a matured claim, mostly after bringing every market's figure up to date.
    function convert(uint256 target, uint256 fresh, uint256 stray, uint256 share)
        external
        inNextBlock
    {
        _unlessForbidden(Action.Convert, stray);
        AccountId account = _target(_hasMatured, 0, target, stray);
        if (fresh % 8 != 7) _pokeMarkets();
        uint256 amount = _part(_d.engine.maturedClaim(account), share);
        VM.prank(account.owner());
        _d.engine.convert(account, amount);
    }

    /// @notice Deposits or mints in the pool or the insurance fund.
    function enterVault(
        uint256 actor,
        uint256 vault,
        uint256 byShares,
        uint256 receiver,
        uint256 stray,
        uint256 share
    ) external inNextBlock {
        uint256 i = vault % 2;
        _unlessForbidden(i == 0 ? Action.PoolDeposit : Action.FundDeposit, stray);
        address sender = _actor(actor);
        address to = receiver % 16 == 15 ? address(0) : sender;
        if (receiver % 16 == 14) to = _actor(actor % 4 + 1);
        uint256 amount = _part(_d.tokens[0].balanceOf(sender) / 100, share);
        if (byShares % 2 == 1) amount = _d.vaults[i].previewDeposit(amount);
        VM.prank(sender);
        if (byShares % 2 == 0) _d.vaults[i].deposit(amount, to);
        else _d.vaults[i].mint(amount, to);
    }

    /// @notice Redeems or withdraws from the pool or the insurance fund, rarely another's shares.
    function leaveVault(
        uint256 actor,
        uint256 vault,
        uint256 byAssets,
        uint256 how,
        uint256 stray,
        uint256 share
    ) external inNextBlock {
        uint256 i = vault % 2;
        _unlessForbidden(i == 0 ? Action.PoolWithdraw : Action.FundWithdraw, stray);
        address owner = how % 24 < 20 ? _holder(actor, i) : _actor(actor);
        address sender = how % 24 == 23 ? _actor(_actor(0) == owner ? 1 : 0) : owner;
        address to = how % 24 == 22 ? address(0) : sender;
        uint256 amount = _part(_d.vaults[i].balanceOf(owner), share);
        if (byAssets % 2 == 1) amount = _d.vaults[i].previewRedeem(amount);
        // The pool's shares cool for no time here.
        ExitRequest memory request = _d.vaults[i].exitRequest(owner);
        if (i == 0 && (request.shares == 0 || block.timestamp > request.expiresAt)) {
            VM.prank(owner);
            _d.vaults[i].requestRedeem(_d.vaults[i].balanceOf(owner));
        }
        VM.prank(sender);
        if (byAssets % 2 == 0) _d.vaults[i].redeem(amount, to, owner);
        else _d.vaults[i].withdraw(amount, to, owner);
    }

    /// @notice Sends tokens to custody, a vault or the staking token, unasked.
    function donate(uint256 actor, uint256 collateral, uint256 target, uint256 share)
        external
        inNextBlock
    {
        address sender = _actor(actor);
        uint256 id = collateral % _d.tokens.length;
        address[4] memory places =
            [_d.custody, address(_d.vaults[0]), address(_d.vaults[1]), address(_d.tokens[1])];
        uint256 amount = _part(_d.tokens[id].balanceOf(sender) / 1_000, share);
        VM.prank(sender);
        require(_d.tokens[id].transfer(places[target % 4], amount));
    }

    // ------------------------------------------------------------------ keepers, guardian, outsiders

    /// @notice Liquidates a position of an unhealthy account; the keeper may be its owner.
    function liquidate(uint256 keeper, uint256 target, uint256 market, uint256 stray)
        external
        inNextBlock
    {
        _unlessForbidden(Action.Liquidate, stray);
        AccountId account = _target(_isLiquidatable, 0, target, stray);
        uint8 id = _item(_markets(account), market, _listed(market, _d.markets), stray);
        VM.prank(keeper % 5 == 4 ? _d.keeper : _actor(keeper % 5));
        _d.liquidation.liquidate(account, MarketId.wrap(id));
    }

    /// @notice Puts collateral of an unhealthy account with debt up for auction.
    function startAuction(uint256 target, uint256 collateral, uint256 stray) external inNextBlock {
        _unlessForbidden(Action.Liquidate, stray);
        AccountId account = _target(_isDue, 0, target, stray);
        uint8 otherwise = _listed(collateral, _d.tokens.length);
        uint8 id = _item(_sellable(account), collateral, otherwise, stray);
        VM.prank(_d.keeper);
        _d.liquidation.startAuction(account, CollateralId.wrap(id));
    }

    /// @notice Ends an auction that nobody may take from any more.
    function endAuction(uint256 target, uint256 collateral, uint256 stray) external inNextBlock {
        AccountId account = _target(_isOver, 0, target, stray);
        uint8 otherwise = _listed(collateral, _d.tokens.length);
        uint8 id = _item(_auctions(account, false), collateral, otherwise, stray);
        VM.prank(_d.keeper);
        _d.liquidation.endAuction(account, CollateralId.wrap(id));
    }

    /// @notice Buys a share of what is up for auction, rarely for less than its price, or for nobody.
    function takeAuction(
        uint256 actor,
        uint256 target,
        uint256 collateral,
        uint256 stray,
        uint256 how,
        uint256 share
    ) external inNextBlock {
        _unlessForbidden(Action.TakeAuction, stray);
        AccountId account = _target(_isForSale, 0, target, stray);
        uint8 otherwise = _listed(collateral, _d.tokens.length);
        uint8 id = _item(_auctions(account, true), collateral, otherwise, stray);
        _take(account, id, _actor(actor), how % 32, share);
    }

    /// @notice Writes off debt of an account that has nothing else.
    function writeOff(uint256 target, uint256 stray) external inNextBlock {
        _unlessForbidden(Action.WriteOff, stray);
        AccountId account = _target(_isBare, 0, target, stray);
        VM.prank(_d.keeper);
        _d.liquidation.writeOff(account);
    }

    /// @notice One of the permissionless pokes.
    function upkeep(uint256 what) external inNextBlock {
        uint256 kind = what % 8;
        VM.prank(_d.keeper);
        if (kind < 2) _d.breaker.poke();
        else if (kind < 4) _d.exchange.poke(MarketId.wrap(uint8(kind - 2)));
        else if (kind < 6) _d.oracle.record(_d.assets[kind - 4]);
        else if (kind == 6) _d.oracle.fetch(_d.assets[2]);
        else _d.pegMonitor.poke(_d.peg);
    }

    /// @notice The guardian, or somebody who is not, raises the breaker's tier.
    function raiseTier(uint256 who, uint256 tier, uint256 share) external inNextBlock {
        uint256 duration = _part(_d.parameters.breakerTiming().maxHalt, share);
        uint256 now_ = _d.breaker.tier();
        uint256 kind = tier % 8;
        uint256 next = kind == 6 ? now_ : kind == 7 ? 5 : _min(4, now_ + 1 + kind / 2);
        VM.prank(who % 8 == 7 ? _actor(0) : _d.guardian);
        _d.breaker.raise(uint8(next), uint40(duration));
    }

    /// @notice Somebody calls what only parts of the compartment, or an account's owner, may call.
    function intrude(uint256 who, uint256 what) external inNextBlock {
        address sender = _intruder(who % 7);
        AccountId mine = AccountId.wrap(bytes32(bytes20(sender)));
        AccountId other = _account(who % 7 + 1, 0);
        uint256 kind = what % 24;
        VM.prank(sender);
        if (kind < 12) _intrudeOnEngine(kind, sender, mine, other);
        else _intrudeElsewhere(kind, sender, mine, other);
    }

    // ------------------------------------------------------------------ parts of the above

    function _pokeMarkets() private {
        for (uint8 i; i < _d.markets; i++) {
            VM.prank(_d.keeper);
            _d.exchange.poke(MarketId.wrap(i));
            _nextBlock();
        }
    }

    function _take(AccountId account, uint8 id, address buyer, uint256 kind, uint256 share)
        private
    {
        CollateralId collateral = CollateralId.wrap(id);
        uint256 amount = _part(_held(account, id), share);
        uint256 maxPrice = type(uint256).max;
        // The price falls with time: just above or just below today's is either.
        if (kind == 31) maxPrice = _d.liquidation.auctionPrice(account, collateral) * 9_990 / BPS;
        address to = kind == 30 ? address(0) : buyer;
        bytes memory data = kind == 29 ? bytes(hex"01") : bytes("");
        VM.prank(buyer);
        _d.liquidation.takeAuction(account, collateral, amount, maxPrice, to, data);
    }

    function _sizeDelta(AccountId account, uint8 market, uint256 mode, uint256 share)
        private
        view
        returns (int256)
    {
        int256 size = _d.exchange.position(account, MarketId.wrap(market)).size;
        if (mode == 0) {
            uint256 held = size > 0 ? uint256(size) : uint256(-size);
            return size > 0 ? -int256(_part(held, share)) : int256(_part(held, share));
        }
        int256 affordable = int256(_part(_affordableSize(account, market), share));
        if (mode == 1) return affordable;
        if (mode == 2) return -affordable;
        // Through zero: what the position is, and then as much on the other side.
        return size > 0 ? -size - affordable : -size + affordable;
    }

    function _intruder(uint256 who) private view returns (address) {
        if (who < 4) return _actor(who);
        return who == 4 ? _d.keeper : who == 5 ? _d.guardian : _d.operator;
    }

    function _intrudeOnEngine(uint256 kind, address sender, AccountId mine, AccountId other)
        private
    {
        MarketId market = MarketId.wrap(0);
        if (kind == 0) _d.engine.enter();
        else if (kind == 1) _d.engine.exit();
        else if (kind == 2) _d.engine.settle(mine, market, int256(WAD), 0, 0, 0);
        else if (kind == 3) _d.engine.reportUnrealized(market, 0);
        else if (kind == 4) _d.engine.creditPool(1);
        else if (kind == 5) _d.engine.debitPool(1, sender);
        else if (kind == 6) _d.engine.creditInsurance(1);
        else if (kind == 7) _d.engine.debitInsurance(1, sender);
        else if (kind == 8) _d.engine.chargePenalty(other, 1, mine, 1);
        else if (kind == 9) _d.engine.seizeCollateral(other, CollateralId.wrap(1), 1, sender);
        else if (kind == 10) _d.engine.creditAuctionProceeds(mine, sender, 1);
        else _d.engine.writeOff(mine);
    }

    function _intrudeElsewhere(uint256 kind, address sender, AccountId mine, AccountId other)
        private
    {
        MarketId market = MarketId.wrap(0);
        CollateralId cash = CollateralId.wrap(0);
        if (kind == 12) {
            _d.exchange.liquidatePosition(other, market, -1);
        } else if (kind == 13) {
            _d.exchange.refreshAll();
        } else if (kind == 14) {
            _d.breaker.recordLiquidation(type(uint256).max);
        } else if (kind == 15) {
            _d.breaker.recordBadDebt(10 ** 6 * WAD);
        } else if (kind == 16) {
            ICollateralVault(_d.custody).pull(address(_d.tokens[0]), other.owner(), 1);
        } else if (kind == 17) {
            ICollateralVault(_d.custody).push(address(_d.tokens[0]), sender, 1);
        } else if (kind == 18) {
            _d.exchange.trade(other, market, -int256(WAD), 0);
        } else if (kind == 19) {
            _d.engine.withdraw(other, cash, 1, sender);
        } else if (kind == 20) {
            _d.engine.convert(other, 1);
        } else if (kind == 21) {
            _d.engine.deposit(other, cash, 1);
        } else if (kind == 22) {
            ICollateralVault(_d.custody).push(address(_d.tokens[4]), sender, 1);
        } else {
            _d.engine
                .seizeCollateral(mine, CollateralId.wrap(UNLISTED), type(uint256).max, address(0));
        }
    }
}
