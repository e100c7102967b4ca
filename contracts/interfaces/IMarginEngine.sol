// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action} from "../types/Action.sol";
import {Call} from "../types/Call.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {
    AccountLedger,
    BorrowState,
    LedgerTotals,
    MarketUnrealized,
    UnrealizedTotals,
    WriteOffReceipt
} from "../types/Ledger.sol";
import {AccountStanding, AccountValuation} from "../types/Valuation.sol";
import {ICompartmentLock} from "./ICompartmentLock.sol";

/// @title The clearing house of a compartment
/// @notice Keeps who owes whom: cash, debt, junior profit claims, collateral, pool, insurance and fees. Trading
/// and liquidation tell it what happened; it alone moves value. Unless a unit is given, amounts are WAD of the
/// settlement token.
interface IMarginEngine is ICompartmentLock {
    event Deposited(
        AccountId indexed account,
        CollateralId indexed collateral,
        uint256 amountTokens,
        uint256 debtRepaid
    );
    event Withdrawn(
        AccountId indexed account,
        CollateralId indexed collateral,
        uint256 amountTokens,
        address indexed receiver
    );
    event Transferred(
        AccountId indexed from,
        AccountId indexed to,
        CollateralId indexed collateral,
        uint256 amountTokens,
        uint256 debtRepaid
    );
    event Converted(AccountId indexed account, uint256 amount, uint256 paid);
    event ProfitApplied(
        AccountId indexed account,
        MarketId indexed market,
        uint256 profit,
        uint256 debtForgiven,
        uint256 claimed,
        uint40 vestingEndsAt
    );
    event LossApplied(
        AccountId indexed account,
        MarketId indexed market,
        uint256 loss,
        uint256 fromClaim,
        uint256 fromCash,
        uint256 toDebt
    );
    /// @param fromCash Reached the fee reserve; what went on from there is in the last two.
    event FeeCharged(
        AccountId indexed account,
        uint256 fee,
        uint256 fromCash,
        uint256 fromClaim,
        uint256 toDebt,
        uint256 toInsurance,
        uint256 toPool
    );
    event UnrealizedReported(
        MarketId indexed market, int256 unrealized, uint256 positiveTotal, int256 netTotal
    );
    /// @notice Cash for an account out of the fee reserve: a keeper's reward, or an order's fee that ends in it.
    event KeeperRewarded(AccountId indexed account, uint256 amount, uint256 debtRepaid);
    /// @param amount WAD, out of the fee reserve, for a fill that narrowed the market's skew.
    event RebatePaid(
        AccountId indexed account, MarketId indexed market, uint256 amount, uint256 debtRepaid
    );
    /// @param fee Moved from the account's cash to the fee reserve, where it stays until the order is closed.
    event OrderFeeEscrowed(AccountId indexed account, uint256 fee);
    /// @param interest Added to the account's debt and to D.
    /// @param index RAY: index up to which the account's interest is booked now.
    event InterestAccrued(AccountId indexed account, uint256 interest, uint256 index);
    /// @param rate WAD per day from now on.
    /// @param index RAY, of now.
    event BorrowRateSet(uint256 rate, uint256 index);
    event PoolCashChanged(int256 delta, uint256 poolCash);
    event InsuranceCashChanged(int256 delta, uint256 insuranceCash);
    event CollateralSeized(
        AccountId indexed account,
        CollateralId indexed collateral,
        uint256 amountTokens,
        address indexed receiver
    );
    event AuctionProceedsCredited(
        AccountId indexed account, address indexed payer, uint256 amountTokens, uint256 debtRepaid
    );
    event CollateralForfeited(
        AccountId indexed account, CollateralId indexed collateral, uint256 amountTokens
    );
    event BadDebtWrittenOff(AccountId indexed account, WriteOffReceipt receipt);

    /// @notice Thrown when an amount is zero.
    error MarginEngine_ZeroAmount();
    /// @notice Thrown when tokens would be sent to nobody, or back into custody.
    error MarginEngine_InvalidReceiver(address receiver);
    /// @notice Thrown when an operator would withdraw to anybody but the account's owner.
    error MarginEngine_ReceiverNotOwner(AccountId account, address receiver);
    /// @notice Thrown when a transfer would reach another owner's account.
    error MarginEngine_ForeignAccount(AccountId from, AccountId to);
    /// @notice Thrown when a transfer would go where it comes from.
    error MarginEngine_SameAccount(AccountId account);
    /// @notice Thrown when a batch is asked for from within a batch.
    error MarginEngine_NestedBatch();
    /// @notice Thrown when a batch has no calls, or too many.
    error MarginEngine_CallCount(uint256 count, uint256 maximum);
    /// @notice Thrown when a batch lists too many accounts.
    error MarginEngine_AccountCount(uint256 count, uint256 maximum);
    /// @notice Thrown when nobody is to act in a simulation.
    error MarginEngine_InvalidActor(address actor);
    /// @notice What a simulation has to say: `results` of the calls, then `valuations` of the accounts listed.
    error MarginEngine_Simulated(bytes[] results, AccountValuation[] valuations);
    /// @notice Thrown when an account holds less than asked for. In token units of the collateral.
    error MarginEngine_InsufficientBalance(
        AccountId account, CollateralId collateral, uint256 held, uint256 asked
    );
    /// @notice Thrown when a deposit would exceed the collateral's cap. In token units.
    error MarginEngine_CollateralCap(CollateralId collateral, uint256 total, uint256 cap);
    /// @notice Thrown when more profit is to be converted than has vested.
    error MarginEngine_NotMatured(AccountId account, uint256 matured, uint256 asked);
    /// @notice Thrown when margin would leave an account with open orders that may raise risk.
    error MarginEngine_OrdersOpen(AccountId account, uint256 count);
    /// @notice Thrown when a market's unrealised figure is too old to rely on; poke that market.
    error MarginEngine_StaleUnrealized(MarketId market, uint256 age, uint256 maxAge);
    /// @notice Thrown when an account would be left below its initial margin.
    error MarginEngine_BelowInitialMargin(AccountId account, int256 equity, uint256 required);
    /// @notice Thrown when pool or insurance cash, or an account's for an order's fee, does not cover a payment.
    error MarginEngine_InsufficientCash(uint256 held, uint256 asked);
    /// @notice Thrown when an account that is to be written off still has something to lose.
    error MarginEngine_NotBankrupt(AccountId account);

    // ------------------------------------------------------------------ for users

    /// @notice Adds margin. The tokens are the caller's, who gives the allowance to the `CollateralVault`. Owner, or
    /// operator with `DEPOSIT`.
    /// @param amountTokens Token units; what arrives is credited.
    function deposit(AccountId account, CollateralId collateral, uint256 amountTokens) external;

    /// @notice The same, after giving the allowance by the caller's ERC-2612 permit.
    /// @dev A permit that fails is no failure: another may have brought it, or the allowance may be there anyway.
    /// @param amountTokens Token units, also those of the permit.
    /// @param deadline Unix seconds.
    function depositWithPermit(
        AccountId account,
        CollateralId collateral,
        uint256 amountTokens,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Takes margin out, as long as the account keeps its initial margin. Owner, or operator with `WITHDRAW`,
    /// who may send it to the owner only.
    /// @param amountTokens Token units.
    function withdraw(
        AccountId account,
        CollateralId collateral,
        uint256 amountTokens,
        address receiver
    ) external;

    /// @notice Moves margin between two accounts of one owner, as long as the first keeps its initial margin. Owner, or
    /// operator with `WITHDRAW` on the first and `DEPOSIT` on the second. Custody and caps do not change.
    /// @param amountTokens Token units; of the settlement token they repay the second account's debt first.
    function transfer(AccountId from, AccountId to, CollateralId collateral, uint256 amountTokens)
        external;

    /// @notice Turns matured profit into cash at the haircut ratio. Owner, or operator with `CONVERT`.
    /// @param amount WAD of claim to burn.
    /// @return paid WAD of cash received: ⌊amount · h⌋.
    function convert(AccountId account, uint256 amount) external returns (uint256 paid);

    /// @notice Makes several calls of this engine and the exchange, as the caller's own, in one transaction. All of them
    /// happen or none: a refusal comes through unchanged.
    /// @dev While it runs, a listed account may be below its initial margin; in the end it must meet it, on prices good
    /// enough for every act that asked. Accounts that are not listed are checked at each act.
    /// @param accounts Whose check is put off; at most 32.
    /// @param calls In order; 1 to 32.
    /// @return results What each call returned, encoded.
    function batch(AccountId[] calldata accounts, Call[] calldata calls)
        external
        returns (bytes[] memory results);

    /// @notice Does what a batch by `actor` would do, values the listed accounts, and always reverts: with
    /// `MarginEngine_Simulated`, or with what the batch is refused for. For `eth_call`.
    function simulate(address actor, AccountId[] calldata accounts, Call[] calldata calls) external;

    // ------------------------------------------------------------------ for anyone

    /// @notice Books the interest that an account owes by now, and sets the rate by utilisation and tier of now.
    /// Anyone may call it, in every tier; a second time in the same second changes nothing.
    /// @dev Nobody has to: whatever changes an account books its interest first, and views include it.
    function accrueInterest(AccountId account) external;

    // ------------------------------------------------------------------ for the exchange

    /// @notice Reverts unless the account meets its initial margin, on prices good enough for `action`; in a batch that
    /// lists the account, takes note and lets it end with that.
    function requireInitialMargin(AccountId account, Action action) external;

    /// @notice Applies a realised result and a fee, and takes note of the market's unrealised total.
    /// @param pnl Realised profit (> 0) or loss, funding included.
    /// @param fee Charged after the result.
    /// @param rebate Paid after the fee, out of the fee reserve: at most what is there and not in escrow. 0 without a fee.
    /// @param unrealized The market's U_m after the trade.
    /// @return poolCash L after it.
    function settle(
        AccountId account,
        MarketId market,
        int256 pnl,
        uint256 fee,
        uint256 rebate,
        int256 unrealized
    ) external returns (uint256 poolCash);

    /// @notice Takes note of a market's unrealised total.
    function reportUnrealized(MarketId market, int256 unrealized) external;

    // ------------------------------------------------------------------ for delayed orders

    /// @notice Takes note of a delayed order and moves its fee from the account's cash to the fee reserve, in escrow;
    /// then the account has to meet its initial margin, on prices good enough for `action`.
    /// @dev While an order is open that may raise risk, nothing is withdrawn or transferred from its account.
    /// @param fee WAD; of none, margin is not asked for.
    /// @param action `IncreasePosition` or, if it can only reduce, `ReducePosition`.
    function openOrder(AccountId account, uint256 fee, Action action) external;

    /// @notice Takes note that an order is closed, and pays its fee out of escrow.
    /// @param fee WAD, `action`: as it was opened with.
    /// @param payee Account that gets the fee.
    function closeOrder(AccountId account, uint256 fee, Action action, AccountId payee) external;

    // ------------------------------------------------------------------ for the two vaults

    /// @notice Books settlement tokens that a vault has brought into custody for the pool.
    /// @param amountTokens Token units.
    function creditPool(uint256 amountTokens) external;

    /// @notice Pays settlement tokens out of the pool.
    /// @param amountTokens Token units.
    function debitPool(uint256 amountTokens, address receiver) external;

    /// @notice Books settlement tokens that a vault has brought into custody for the insurance fund.
    /// @param amountTokens Token units.
    function creditInsurance(uint256 amountTokens) external;

    /// @notice Pays settlement tokens out of the insurance fund.
    /// @param amountTokens Token units.
    function debitInsurance(uint256 amountTokens, address receiver) external;

    // ------------------------------------------------------------------ for the liquidation engine

    /// @notice Charges a penalty to an account, pays the keeper's account out of the fee reserve, and distributes
    /// what the penalty brought in above that.
    /// @param reward At most this; less if the fee reserve holds less that is not in escrow.
    /// @return rewarded WAD credited to the keeper.
    function chargePenalty(AccountId account, uint256 penalty, AccountId keeper, uint256 reward)
        external
        returns (uint256 rewarded);

    /// @notice Hands an account's collateral to an auction's buyer.
    /// @param amountTokens Token units.
    function seizeCollateral(
        AccountId account,
        CollateralId collateral,
        uint256 amountTokens,
        address receiver
    ) external;

    /// @notice Takes an auction's price from its buyer and credits it to the account.
    /// @param amountTokens Settlement token units.
    /// @return debtRepaid WAD.
    function creditAuctionProceeds(AccountId account, address payer, uint256 amountTokens)
        external
        returns (uint256 debtRepaid);

    /// @notice Writes off the debt of an account whose positions are closed and whose cash and claim are gone.
    /// @dev Dust of collateral is forfeited: it stays in custody and belongs to no account.
    function writeOff(AccountId account) external returns (WriteOffReceipt memory receipt);

    // ------------------------------------------------------------------ views

    /// @notice Whose acts those of the running batch are; zero outside of one. The exchange asks when the engine calls.
    function actor() external view returns (address);

    /// @notice Equity and requirements of an account.
    function valuation(AccountId account) external view returns (AccountValuation memory);

    /// @notice What the risk engine is told of an account: change it and ask the risk engine "what if".
    function standing(AccountId account) external view returns (AccountStanding memory);

    /// @notice An account's entry of the ledger, debt with the interest owed up to now.
    function accountLedger(AccountId account) external view returns (AccountLedger memory);

    /// @notice Part of an account's claim that can be converted now.
    function maturedClaim(AccountId account) external view returns (uint256);

    /// @notice Token units of a collateral that an account holds.
    function collateralBalance(AccountId account, CollateralId collateral)
        external
        view
        returns (uint256);

    /// @notice Token units of a collateral that all accounts hold together.
    function totalCollateral(CollateralId collateral) external view returns (uint256);

    /// @notice An account's debt without the interest owed since it was last booked: its part of D.
    /// @return debt WAD.
    /// @return index RAY: index at which it was booked; 0 without debt.
    function bookedDebt(AccountId account) external view returns (uint256 debt, uint256 index);

    /// @notice Index, rate and scaled sum of all debt as of the last accrual. `InterestCurve` has what follows from
    /// it: the index now, and what all accounts owe together.
    function borrowState() external view returns (BorrowState memory);

    /// @notice What the pool's shares are priced on. WAD.
    /// @return poolCash L.
    /// @return claims J.
    /// @return debt D with the interest that no account has booked yet.
    function poolLedger() external view returns (uint256 poolCash, uint256 claims, uint256 debt);

    /// @notice P, D, J, L, I and F; D as booked, which is Σ `bookedDebt`.
    function totals() external view returns (LedgerTotals memory);

    /// @notice WAD: part of F that is the fees of open orders.
    function orderEscrow() external view returns (uint256);

    /// @notice How many orders of an account are open that may raise risk.
    function raisingOrders(AccountId account) external view returns (uint256);

    /// @notice U⁺ and ΣU.
    function unrealizedTotals() external view returns (UnrealizedTotals memory);

    /// @notice A market's unrealised total as last reported.
    function marketUnrealized(MarketId market) external view returns (MarketUnrealized memory);

    /// @notice h = min(1, L / (J + U⁺)), WAD, rounded down.
    function haircutRatio() external view returns (uint256);

    /// @notice Reverts, naming it, if a market's unrealised figure is older than allowed.
    function requireFreshUnrealized() external view;
}
