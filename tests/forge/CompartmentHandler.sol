// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, AccountIdLib, CollateralId, MarketId} from "../../contracts/types/Ids.sol";
import {AccountLedger} from "../../contracts/types/Ledger.sol";
import {AccountValuation} from "../../contracts/types/Valuation.sol";
import {Deployment, DeploymentLoader, IDevFeed} from "./Deployment.sol";
import {VM} from "./Vm.sol";

/// @title What anybody may do to a compartment, one function per kind of operation
/// @notice The counterpart of `bulkhead/fuzz/suite`: the same kinds, read relative to the state in the same way.
/// Nothing is caught: what the compartment refuses is forge's revert.
contract CompartmentHandler {
    uint256 private constant WAD = 1e18;
    uint256 private constant BPS = 10_000;
    uint256 private constant BLOCK_SECONDS = 12;

    uint16[11] private _factors =
        [10_000, 10_010, 9_990, 10_100, 9_900, 10_500, 9_500, 11_500, 8_500, 13_000, 7_000];
    uint32[7] private _waits = [12, 60, 600, 3_600, 21_600, 86_400, 259_200];

    Deployment private _d;

    /// @notice Time passes between any two operations.
    modifier inNextBlock() {
        _pass(BLOCK_SECONDS);
        _;
    }

    constructor(Deployment memory deployment) {
        _d = deployment;
    }

    // ------------------------------------------------------------------ users

    /// @notice Deposits a share of a hundredth of the wallet; one in eight goes to somebody else's account.
    function deposit(uint256 actor, uint256 sub, uint256 collateral, uint256 foreign, uint256 share)
        external
        inNextBlock
    {
        address sender = _actor(actor);
        AccountId account = _account(foreign % 8 == 7 ? _next(actor) : actor, sub);
        uint8 id = _collateral(collateral);
        uint256 amount = id < _d.tokens.length ? _d.tokens[id].balanceOf(sender) / 100 : 0;
        VM.prank(sender);
        _d.engine.deposit(account, CollateralId.wrap(id), _part(amount, share));
    }

    /// @notice Withdraws a share of what an account holds; at times another's, or to a forbidden receiver.
    function withdraw(
        uint256 target,
        uint256 collateral,
        uint256 stray,
        uint256 receiver,
        uint256 share
    ) external inNextBlock {
        AccountId account = _target(_margin, target, stray);
        uint8 id = _item(_margin(account), collateral, _d.tokens.length + 1, stray);
        uint256 amount = _part(_held(account, id), share);
        uint256 kind = receiver % 10;
        address sender = kind == 7 ? _actor(receiver / 10) : account.owner();
        address to = kind == 8 ? address(0) : kind == 9 ? _d.custody : sender;
        VM.prank(sender);
        _d.engine.withdraw(account, CollateralId.wrap(id), amount, to);
    }

    /// @notice Buys or sells a share of what the margin allows, or of the open position.
    function trade(uint256 target, uint256 market, uint256 mode, uint256 stray, uint256 share)
        external
        inNextBlock
    {
        bool reduces = mode % 4 == 0;
        AccountId account = _target(reduces ? _markets : _margin, target, stray);
        uint256 listed = reduces ? _markets(account) : (1 << _d.markets) - 1;
        MarketId id = MarketId.wrap(_item(listed, market, _d.markets + 1, stray));
        int256 delta = _sizeDelta(account, id, mode % 4, share);
        // One in sixteen accepts no price at all.
        bool anyPrice = mode / 4 % 16 != 0;
        uint256 limit = (delta > 0) == anyPrice ? type(uint256).max : 0;
        VM.prank(account.owner());
        _d.exchange.trade(account, id, delta, limit);
    }

    /// @notice Converts a share of a matured claim, mostly of somebody who has one.
    function convert(uint256 actor, uint256 sub, uint256 share) external inNextBlock {
        AccountId account = _account(actor, sub);
        if (_bps(share) < BPS) {
            (bool found, AccountId claimant) = _find(_maturedClaim, actor);
            if (found) account = claimant;
        }
        uint256 amount = _part(_maturedClaim(account), share);
        VM.prank(account.owner());
        _d.engine.convert(account, amount);
    }

    /// @notice Deposits or mints in the pool or the insurance fund.
    function enterVault(uint256 actor, uint256 vault, uint256 byShares, uint256 share)
        external
        inNextBlock
    {
        address sender = _actor(actor);
        uint256 assets = _part(_d.tokens[0].balanceOf(sender) / 100, share);
        if (byShares % 2 == 0) {
            VM.prank(sender);
            _d.vaults[vault % 2].deposit(assets, sender);
        } else {
            uint256 shares = _d.vaults[vault % 2].previewDeposit(assets);
            VM.prank(sender);
            _d.vaults[vault % 2].mint(shares, sender);
        }
    }

    /// @notice Redeems or withdraws from the pool or the insurance fund, sometimes another's shares.
    function leaveVault(
        uint256 actor,
        uint256 vault,
        uint256 byAssets,
        uint256 foreign,
        uint256 share
    ) external inNextBlock {
        address sender = foreign % 8 < 6 ? _holder(actor, vault % 2) : _actor(actor);
        address owner = foreign % 8 == 7 ? _actor(_next(actor)) : sender;
        uint256 shares = _part(_d.vaults[vault % 2].balanceOf(owner), share);
        if (byAssets % 2 == 0) {
            VM.prank(sender);
            _d.vaults[vault % 2].redeem(shares, sender, owner);
        } else {
            uint256 assets = _d.vaults[vault % 2].previewRedeem(shares);
            VM.prank(sender);
            _d.vaults[vault % 2].withdraw(assets, sender, owner);
        }
    }

    /// @notice Sends settlement tokens to custody or a vault, unasked.
    function donate(uint256 actor, uint256 target, uint256 share) external inNextBlock {
        address sender = _actor(actor);
        address to = target % 3 == 0 ? _d.custody : address(_d.vaults[target % 3 - 1]);
        uint256 amount = _part(_d.tokens[0].balanceOf(sender) / 1_000, share);
        VM.prank(sender);
        require(_d.tokens[0].transfer(to, amount));
    }

    // ------------------------------------------------------------------ keepers, guardian, outsiders

    /// @notice Liquidates a position, mostly of an unhealthy account; the keeper may be its owner.
    function liquidate(uint256 keeper, uint256 target, uint256 market, uint256 stray)
        external
        inNextBlock
    {
        AccountId account = _target(_isLiquidatable, target, stray);
        uint8 id = _item(_markets(account), market, _d.markets + 1, stray);
        VM.prank(_actor(keeper));
        _d.liquidation.liquidate(account, MarketId.wrap(id));
    }

    /// @notice Puts collateral up for auction, mostly of an unhealthy account with debt.
    function startAuction(uint256 target, uint256 collateral, uint256 stray) external inNextBlock {
        AccountId account = _target(_isInDebtAndUnhealthy, target, stray);
        uint256 held = _d.engine.accountLedger(account).collateralMask;
        uint8 id = _item(held, collateral, _d.tokens.length + 1, stray);
        VM.prank(_d.keeper);
        _d.liquidation.startAuction(account, CollateralId.wrap(id));
    }

    /// @notice Ends an auction.
    function endAuction(uint256 target, uint256 collateral, uint256 stray) external inNextBlock {
        AccountId account = _target(_auctions, target, stray);
        uint8 id = _item(_auctions(account), collateral, _d.tokens.length + 1, stray);
        VM.prank(_d.keeper);
        _d.liquidation.endAuction(account, CollateralId.wrap(id));
    }

    /// @notice Buys a share of what is up for auction, at most at today's price, or below it.
    function takeAuction(
        uint256 actor,
        uint256 target,
        uint256 collateral,
        uint256 stray,
        uint256 cheap,
        uint256 share
    ) external inNextBlock {
        AccountId account = _target(_auctions, target, stray);
        uint8 id = _item(_auctions(account), collateral, _d.tokens.length + 1, stray);
        uint256 amount = _part(_held(account, id), share);
        uint256 maxPrice = type(uint256).max;
        if (cheap % 8 == 7) {
            // The price falls with time: just above or just below today's is either.
            maxPrice = _d.liquidation.auctionPrice(account, CollateralId.wrap(id)) * 9_990 / BPS;
        }
        address buyer = _actor(actor);
        VM.prank(buyer);
        _d.liquidation.takeAuction(account, CollateralId.wrap(id), amount, maxPrice, buyer, "");
    }

    /// @notice Writes off debt, mostly of an account without positions.
    function writeOff(uint256 target, uint256 stray) external inNextBlock {
        AccountId account = _target(_isInDebtWithoutPositions, target, stray);
        VM.prank(_d.keeper);
        _d.liquidation.writeOff(account);
    }

    /// @notice One of the permissionless pokes.
    function upkeep(uint256 what) external inNextBlock {
        uint256 kind = what % 8;
        VM.prank(_d.keeper);
        if (kind < 2) _d.exchange.poke(MarketId.wrap(uint8(kind)));
        else if (kind == 2) _d.breaker.poke();
        else if (kind < 6) _d.oracle.record(_d.assets[kind - 3]);
        else if (kind == 6) _d.pegMonitor.poke(_d.peg);
        else _d.exchange.poke(MarketId.wrap(7));
    }

    /// @notice The guardian, or somebody who is not, raises the breaker's tier.
    function raiseTier(uint256 who, uint256 tier, uint256 share) external inNextBlock {
        uint256 duration = _part(_d.parameters.breakerTiming().maxHalt, share);
        VM.prank(who % 4 == 3 ? _actor(0) : _d.guardian);
        _d.breaker.raise(uint8(tier % 6), uint40(duration));
    }

    /// @notice An outsider calls what only parts of the compartment may call.
    function intrude(uint256 actor, uint256 what) external inNextBlock {
        address sender = _actor(actor);
        AccountId mine = _account(actor, 0);
        AccountId other = _account(_next(actor), 0);
        CollateralId first = CollateralId.wrap(1);
        MarketId market = MarketId.wrap(0);
        uint256 kind = what % 14;
        VM.prank(sender);
        if (kind == 0) _d.engine.enter();
        else if (kind == 1) _d.engine.exit();
        else if (kind == 2) _d.engine.settle(mine, market, int256(WAD), 0, 0);
        else if (kind == 3) _d.engine.reportUnrealized(market, 0);
        else if (kind == 4) _d.engine.creditPool(1);
        else if (kind == 5) _d.engine.debitPool(1, sender);
        else if (kind == 6) _d.engine.creditInsurance(1);
        else if (kind == 7) _d.engine.debitInsurance(1, sender);
        else if (kind == 8) _d.engine.chargePenalty(other, 1, mine, 1);
        else if (kind == 9) _d.engine.seizeCollateral(other, first, 1, sender);
        else if (kind == 10) _d.engine.creditAuctionProceeds(mine, sender, 1);
        else if (kind == 11) _d.engine.writeOff(mine);
        else if (kind == 12) _d.exchange.liquidatePosition(other, market, -1);
        else _d.exchange.refreshAll();
    }

    // ------------------------------------------------------------------ the outside world

    /// @notice All feeds of an asset move together; oracle and peg monitor take note.
    function movePrice(uint256 asset, uint256 factor) external inNextBlock {
        uint256 i = asset % _d.assets.length;
        int256 answer = _moved(_answer(_d.feeds[i][0]), factor % _factors.length);
        for (uint256 j; j < _d.feeds[i].length; j++) {
            _report(_d.feeds[i][j], answer > 0 ? answer : int256(1));
        }
        VM.prank(_d.keeper);
        _d.oracle.record(_d.assets[i]);
        if (i == _d.assets.length - 1) {
            VM.prank(_d.keeper);
            _d.pegMonitor.poke(_d.peg);
        }
    }

    /// @notice One feed alone reports something else: an outlier, zero, or less.
    function moveFeed(uint256 feed, uint256 factor) external inNextBlock {
        IDevFeed chosen = _d.feeds[feed / 2 % _d.feeds.length][feed % 2];
        uint256 kind = factor % (_factors.length + 2);
        if (kind < _factors.length) _report(chosen, _moved(_answer(chosen), kind));
        else _report(chosen, kind == _factors.length ? int256(0) : -1);
    }

    /// @notice Time passes; after an hour or more every feed reports its last price again, unless silent.
    function wait(uint256 howLong, uint256 silent) external {
        uint256 i = howLong % _waits.length;
        _pass(_waits[i]);
        if (silent % 8 == 7 || _waits[i] < 1 hours) return;
        for (uint256 j; j < _d.feeds.length; j++) {
            for (uint256 k; k < _d.feeds[j].length; k++) {
                _report(_d.feeds[j][k], _answer(_d.feeds[j][k]));
            }
        }
    }

    // ------------------------------------------------------------------ reading the fuzzer's numbers

    /// @dev 0 … 10,000 basis points; everything and a bit more than everything come up far more often.
    function _bps(uint256 word) private pure returns (uint256) {
        uint256 number = word % 0x10000;
        if (number >= 0xE000) return BPS;
        if (number >= 0xC000) return BPS + 500;
        return number * BPS / 0xC000;
    }

    function _part(uint256 amount, uint256 word) private pure returns (uint256) {
        uint256 bps = _bps(word);
        return amount * bps / BPS + (bps > BPS ? 1 : 0);
    }

    function _actor(uint256 index) private view returns (address) {
        return _d.actors[index % _d.actors.length];
    }

    function _next(uint256 actor) private view returns (uint256) {
        return (actor % _d.actors.length) + 1;
    }

    function _account(uint256 actor, uint256 sub) private view returns (AccountId) {
        return AccountIdLib.pack(_actor(actor), uint96(sub % DeploymentLoader.SUB_ACCOUNTS));
    }

    /// @dev One id is not listed.
    function _collateral(uint256 index) private view returns (uint8) {
        return uint8(index % (_d.tokens.length + 1));
    }

    function _moved(int256 answer, uint256 factor) private view returns (int256) {
        return answer * int256(uint256(_factors[factor])) / int256(BPS);
    }

    function _sizeDelta(AccountId account, MarketId market, uint256 mode, uint256 share)
        private
        view
        returns (int256)
    {
        int256 size = _d.exchange.position(account, market).size;
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

    /// @dev Roughly the base units that the account's free margin carries.
    function _affordableSize(AccountId account, MarketId market) private view returns (uint256) {
        if (MarketId.unwrap(market) >= _d.markets) return WAD;
        (uint256 price,) = _d.exchange.indexPrice(market);
        AccountValuation memory v = _d.engine.valuation(account);
        int256 free = v.equityInitial - int256(v.initialMargin);
        if (free <= 0 || price == 0) return 0;
        // The fee and the price impact take a part of what the ratio alone would allow.
        uint256 ratio = _d.parameters.marketTrading(market).initialMarginRatio + WAD / 500;
        return uint256(free) * WAD / ratio * WAD / price;
    }

    // ------------------------------------------------------------------ whom an operation is meant for

    /// @dev The first account from `index` on that is fit; any if there is none, or if it goes astray.
    function _target(
        function(AccountId) view returns (uint256) fitness,
        uint256 index,
        uint256 stray
    ) private view returns (AccountId account) {
        if (stray % 4 != 3) {
            bool found;
            (found, account) = _find(fitness, index);
            if (found) return account;
        }
        return _d.accounts[index % _d.accounts.length];
    }

    function _find(function(AccountId) view returns (uint256) fitness, uint256 index)
        private
        view
        returns (bool, AccountId account)
    {
        uint256 count = _d.accounts.length;
        for (uint256 i; i < count; i++) {
            account = _d.accounts[(index % count + i) % count];
            if (fitness(account) != 0) return (true, account);
        }
        return (false, account);
    }

    /// @dev One of the bits that are set in a mask; any number below `count` if there is none.
    function _item(uint256 mask, uint256 index, uint256 count, uint256 stray)
        private
        pure
        returns (uint8)
    {
        if (stray % 4 == 3 || mask == 0) return uint8(index % count);
        for (uint256 i = index % 16;; i = (i + 1) % 16) {
            if (mask >> i & 1 == 1) return uint8(i);
        }
        return 0;
    }

    function _holder(uint256 index, uint256 vault) private view returns (address) {
        uint256 first = index % _d.actors.length;
        for (uint256 i = first; i < first + _d.actors.length; i++) {
            if (_d.vaults[vault].balanceOf(_actor(i)) != 0) return _actor(i);
        }
        return _actor(first);
    }

    function _held(AccountId account, uint8 collateral) private view returns (uint256) {
        if (collateral != 0) {
            return _d.engine.collateralBalance(account, CollateralId.wrap(collateral));
        }
        int256 cash = _d.engine.accountLedger(account).cash;
        return cash > 0 ? uint256(cash) / _d.cashScale : 0;
    }

    /// @dev Bit i is set where the account holds something of collateral i.
    function _margin(AccountId account) private view returns (uint256) {
        AccountLedger memory a = _d.engine.accountLedger(account);
        return a.collateralMask | (a.cash > 0 ? 1 : 0);
    }

    function _maturedClaim(AccountId account) private view returns (uint256) {
        return _d.engine.maturedClaim(account);
    }

    function _isLiquidatable(AccountId account) private view returns (uint256) {
        return _markets(account) == 0 ? 0 : _isUnhealthy(account);
    }

    function _isInDebtAndUnhealthy(AccountId account) private view returns (uint256) {
        return _d.engine.accountLedger(account).cash < 0 ? _isUnhealthy(account) : 0;
    }

    function _isInDebtWithoutPositions(AccountId account) private view returns (uint256) {
        bool inDebt = _d.engine.accountLedger(account).cash < 0;
        return inDebt && _markets(account) == 0 ? 1 : 0;
    }

    function _isUnhealthy(AccountId account) private view returns (uint256) {
        try _d.liquidation.isLiquidatable(account) returns (bool unhealthy) {
            return unhealthy ? 1 : 0;
        } catch {
            return 0;
        }
    }

    /// @dev Bit i is set where the account has a position in market i.
    function _markets(AccountId account) private view returns (uint256 mask) {
        for (uint8 i; i < _d.markets; i++) {
            if (_d.exchange.position(account, MarketId.wrap(i)).size != 0) mask |= 1 << i;
        }
    }

    /// @dev Bit i is set where collateral i of the account is up for auction.
    function _auctions(AccountId account) private view returns (uint256 mask) {
        for (uint8 i = 1; i < _d.tokens.length; i++) {
            uint256 startedAt = _d.liquidation.auctionStartedAt(account, CollateralId.wrap(i));
            if (startedAt != 0) mask |= 1 << i;
        }
    }

    // ------------------------------------------------------------------ feeds and time

    function _answer(IDevFeed feed) private view returns (int256 answer) {
        (, answer,,,) = feed.latestRoundData();
    }

    function _report(IDevFeed feed, int256 answer) private {
        VM.prank(_d.operator);
        feed.setAnswer(answer);
    }

    function _pass(uint256 seconds_) private {
        VM.warp(block.timestamp + seconds_);
        VM.roll(block.number + 1);
    }
}
