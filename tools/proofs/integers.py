"""Bit-vector queries as queries over the integers.

In bits, a product of two 128-bit numbers and a division are out of reach of the solvers tried.
Over the integers the same query is a handful of polynomials. Every n-bit term becomes an integer
expression that is congruent to it modulo 2**n, with bounds; it is brought into 0 … 2**n - 1 where
its value is read (comparisons, divisions, slices), and the multiple of 2**n that this takes away is
an unknown of its own unless the bounds show that it is zero.

What has no rule here becomes an unknown of its width. Assertions are thus only ever weakened:
"unsat" of the translation implies "unsat" of the query, "sat" implies nothing and is confirmed on
the query itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import z3


@dataclass(frozen=True, slots=True)
class Number:
    """An integer expression with inclusive bounds that hold by construction."""

    expression: z3.ArithRef
    low: int
    high: int


def constant(value: int) -> Number:
    return Number(z3.IntVal(value), value, value)


class Translation:
    """The integer counterpart of one query; `definitions` bind the unknowns it introduces."""

    def __init__(self) -> None:
        self.definitions: list[z3.BoolRef] = []
        self._unknowns = 0
        self._numbers: dict[int, Number] = {}
        self._words: dict[int, Number] = {}
        self._truths: dict[int, z3.BoolRef] = {}
        self._quotients: dict[tuple[int, int], tuple[Number, Number]] = {}
        # Bit-vector products, to divide them again by one of their factors.
        self._factors: dict[int, tuple[Number, Number]] = {}
        # Terms are remembered by id, which z3 reuses for others once a term is gone.
        self._kept: list[z3.AstRef] = []

    # Unknowns

    def unknown(self, low: int, high: int) -> Number:
        self._unknowns += 1
        variable = z3.Int(f"i!{self._unknowns}")
        self.definitions += [variable >= low, variable <= high]
        return Number(variable, low, high)

    def name(self, number: Number) -> Number:
        """A variable equal to the expression: products of it stay small."""
        if z3.is_int_value(number.expression) or z3.is_const(number.expression):
            return number
        variable = self.unknown(number.low, number.high)
        self.definitions.append(variable.expression == number.expression)
        return variable

    def modulo(self, number: Number, modulus: int) -> Number:
        """The residue in 0 … modulus - 1."""
        if number.low >= 0 and number.high < modulus:
            return number
        if number.low == number.high:
            return constant(number.low % modulus)
        multiple = self.unknown(number.low // modulus, number.high // modulus)
        residue = self.unknown(0, modulus - 1)
        self.definitions.append(
            residue.expression == number.expression - multiple.expression * modulus
        )
        return residue

    def quotient(self, dividend: Number, divisor: Number) -> tuple[Number, Number]:
        """Floor and remainder of non-negative numbers; nothing is said for a divisor of zero."""
        key = (dividend.expression.get_id(), divisor.expression.get_id())
        if key not in self._quotients:
            self._kept += [dividend.expression, divisor.expression]
            self._quotients[key] = self._divide(dividend, divisor)
        return self._quotients[key]

    def _divide(self, dividend: Number, divisor: Number) -> tuple[Number, Number]:
        quotient = self.unknown(0, dividend.high // max(divisor.low, 1))
        remainder = self.unknown(0, min(dividend.high, max(divisor.high - 1, 0)))
        rule = z3.And(
            dividend.expression == quotient.expression * divisor.expression + remainder.expression,
            remainder.expression < divisor.expression,
        )
        self.definitions.append(
            rule if divisor.low > 0 else z3.Implies(divisor.expression != 0, rule)
        )
        return quotient, remainder

    def variables(self) -> list[tuple[z3.BitVecRef, Number]]:
        """The query's own variables of which the translation speaks."""
        terms = {
            term.get_id(): term
            for term in self._kept
            if z3.is_bv(term) and z3.is_const(term) and not z3.is_bv_value(term)
        }
        return [(term, self.word(term)) for term in terms.values()]

    # Terms

    def word(self, term: z3.BitVecRef) -> Number:
        """The value of a bit-vector, 0 … 2**n - 1."""
        key = term.get_id()
        if key not in self._words:
            self._kept.append(term)
            self._words[key] = self.name(self.modulo(self.number(term), 1 << term.size()))
        return self._words[key]

    def number(self, term: z3.BitVecRef) -> Number:
        """An integer that is congruent to the bit-vector modulo 2**n."""
        key = term.get_id()
        if key not in self._numbers:
            self._kept.append(term)
            self._numbers[key] = self._number(term)
        return self._numbers[key]

    def _number(self, term: z3.BitVecRef) -> Number:
        if z3.is_bv_value(term):
            value, bits = term.as_long(), term.size()
            # Minus one stays minus one: subtraction arrives as a product with it.
            return constant(value - (1 << bits) if value >> (bits - 1) else value)
        rule = self._rules().get(term.decl().kind())
        result = rule(term) if rule else None
        return result if result is not None else self.unknown(0, (1 << term.size()) - 1)

    def _rules(self) -> dict[int, Callable[[z3.BitVecRef], Number | None]]:
        return {
            z3.Z3_OP_BADD: lambda t: self._sum([self.number(a) for a in t.children()]),
            z3.Z3_OP_BSUB: lambda t: self._difference(*(self.number(a) for a in t.children())),
            z3.Z3_OP_BNEG: lambda t: self._difference(constant(0), self.number(t.arg(0))),
            z3.Z3_OP_BNOT: lambda t: self._difference(constant(-1), self.number(t.arg(0))),
            z3.Z3_OP_BMUL: self._product,
            z3.Z3_OP_BUDIV: lambda t: self._division(t, 0),
            z3.Z3_OP_BUDIV_I: lambda t: self._division(t, 0),
            z3.Z3_OP_BUREM: lambda t: self._division(t, 1),
            z3.Z3_OP_BUREM_I: lambda t: self._division(t, 1),
            z3.Z3_OP_CONCAT: self._concatenation,
            z3.Z3_OP_EXTRACT: self._slice,
            z3.Z3_OP_ZERO_EXT: lambda t: self.word(t.arg(0)),
            z3.Z3_OP_SIGN_EXT: lambda t: self.signed(t.arg(0)),
            z3.Z3_OP_ITE: self._choice,
            z3.Z3_OP_BAND: self._conjunction,
            z3.Z3_OP_BOR: self._disjunction,
            z3.Z3_OP_BSHL: self._shift_left,
            z3.Z3_OP_BLSHR: self._shift_right,
        }

    @staticmethod
    def _sum(parts: list[Number]) -> Number:
        return Number(
            z3.Sum([p.expression for p in parts]),
            sum(p.low for p in parts),
            sum(p.high for p in parts),
        )

    @staticmethod
    def _difference(a: Number, b: Number) -> Number:
        return Number(a.expression - b.expression, a.low - b.high, a.high - b.low)

    def multiply(self, a: Number, b: Number) -> Number:
        corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        for bit, other in ((a, b), (b, a)):
            if (bit.low, bit.high) == (0, 1):
                chosen = z3.If(bit.expression == 1, other.expression, z3.IntVal(0))
                return self.name(Number(chosen, min(corners), max(corners)))
        return Number(a.expression * b.expression, min(corners), max(corners))

    def _product(self, term: z3.BitVecRef) -> Number:
        values = [z3.is_bv_value(a) for a in term.children()]
        # A constant factor leaves a sum a sum; two unknown factors are read as words.
        parts = [
            self.number(a) if any(values) and len(values) == 2 else self.word(a)
            for a in term.children()
        ]
        result = parts[0]
        for part in parts[1:]:
            result = self.multiply(result, part)
        if len(parts) == 2 and result.low >= 0 and result.high < 1 << term.size():
            self._factors[term.get_id()] = (parts[0], parts[1])
        return result

    def _division(self, term: z3.BitVecRef, part: int) -> Number:
        dividend, divisor = (self.word(a) for a in term.children())
        whole = (1 << term.size()) - 1
        if divisor.high == 0:
            return constant(whole) if part == 0 else dividend
        result = self._exact(term, divisor, part)
        if result is None:
            result = self.quotient(dividend, divisor)[part]
            self._compare(term, dividend, divisor)
        if divisor.low > 0:
            return result
        # SMT-LIB: a division by zero gives all ones, its remainder the dividend.
        fallback = constant(whole) if part == 0 else dividend
        return self._if(divisor.expression == 0, fallback, result)

    def _exact(self, term: z3.BitVecRef, divisor: Number, part: int) -> Number | None:
        """x·y / x = y where the product does not wrap (and x is not zero)."""
        a, b = self._factors.get(term.arg(0).get_id(), (None, None))
        for factor, other in ((a, b), (b, a)):
            if factor and other and factor.expression.eq(divisor.expression):
                return other if part == 0 else constant(0)
        return None

    def _compare(self, term: z3.BitVecRef, dividend: Number, divisor: Number) -> None:
        """x·y / d is at most x where y ≤ d, at least x where y ≥ d: implied, but not linear."""
        quotient, remainder = (n.expression for n in self.quotient(dividend, divisor))
        factors = self._factors.get(term.arg(0).get_id(), ())
        for factor, other in (factors, factors[::-1]) if factors else ():
            y, x, d = factor.expression, other.expression, divisor.expression
            self.definitions += [
                z3.Implies(z3.And(d != 0, d >= y), quotient <= x),
                z3.Implies(z3.And(d != 0, d <= y), quotient >= x),
                z3.Implies(z3.And(d != 0, d == y), remainder == 0),
            ]

    def _concatenation(self, term: z3.BitVecRef) -> Number:
        result = constant(0)
        for part in term.children():
            shifted = self.multiply(result, constant(1 << part.size()))
            result = self._sum([shifted, self.word(part)])
        return result

    def _slice(self, term: z3.BitVecRef) -> Number:
        high, low = term.params()
        whole = self.word(term.arg(0))
        if low:
            whole, _ = self.quotient(whole, constant(1 << low))
        # A low slice of a word that fits is the word; else its upper part is taken off.
        return self.modulo(whole, 1 << (high - low + 1))

    def signed(self, term: z3.BitVecRef) -> Number:
        half = 1 << (term.size() - 1)
        word = self.word(term)
        if word.high < half:
            return word
        value = z3.If(word.expression >= half, word.expression - 2 * half, word.expression)
        return self.name(Number(value, -half, half - 1))

    def _if(self, condition: z3.BoolRef, a: Number, b: Number) -> Number:
        choice = z3.If(condition, a.expression, b.expression)
        return self.name(Number(choice, min(a.low, b.low), max(a.high, b.high)))

    def _choice(self, term: z3.BitVecRef) -> Number:
        return self._if(self.truth(term.arg(0)), self.word(term.arg(1)), self.word(term.arg(2)))

    def _conjunction(self, term: z3.BitVecRef) -> Number | None:
        if term.num_args() != 2:
            return None
        a, b = (self.word(x) for x in term.children())
        for mask, other in ((a, b), (b, a)):
            if mask.low == mask.high and mask.low & (mask.low + 1) == 0:
                return self.modulo(other, mask.low + 1)
        result = self.unknown(0, min(a.high, b.high))
        self.definitions += [result.expression <= a.expression, result.expression <= b.expression]
        if a.high <= 1 and b.high <= 1:
            self.definitions.append(result.expression >= a.expression + b.expression - 1)
        return result

    def _disjunction(self, term: z3.BitVecRef) -> Number | None:
        if term.num_args() != 2:
            return None
        a, b = (self.word(x) for x in term.children())
        bits = max(a.high, b.high).bit_length()
        result = self.unknown(max(a.low, b.low), (1 << bits) - 1)
        self.definitions += [
            result.expression >= a.expression,
            result.expression >= b.expression,
            result.expression <= a.expression + b.expression,
        ]
        return result

    def _shift_left(self, term: z3.BitVecRef) -> Number | None:
        if not z3.is_bv_value(term.arg(1)) or term.arg(1).as_long() >= term.size():
            return None
        return self.multiply(self.number(term.arg(0)), constant(1 << term.arg(1).as_long()))

    def _shift_right(self, term: z3.BitVecRef) -> Number | None:
        if not z3.is_bv_value(term.arg(1)) or term.arg(1).as_long() >= term.size():
            return None
        return self.quotient(self.word(term.arg(0)), constant(1 << term.arg(1).as_long()))[0]

    # Conditions

    def truth(self, term: z3.BoolRef) -> z3.BoolRef:
        key = term.get_id()
        if key not in self._truths:
            self._kept.append(term)
            self._truths[key] = self._truth(term)
        return self._truths[key]

    def _truth(self, term: z3.BoolRef) -> z3.BoolRef:
        kind = term.decl().kind()
        arguments = term.children()
        if kind in (z3.Z3_OP_TRUE, z3.Z3_OP_FALSE):
            return term
        logical = {
            z3.Z3_OP_AND: lambda *a: z3.And(*a),
            z3.Z3_OP_OR: lambda *a: z3.Or(*a),
            z3.Z3_OP_NOT: z3.Not,
            z3.Z3_OP_IMPLIES: z3.Implies,
            z3.Z3_OP_XOR: z3.Xor,
        }
        if kind in logical:
            return logical[kind](*(self.truth(a) for a in arguments))
        if kind == z3.Z3_OP_ITE:
            return z3.If(*(self.truth(a) for a in arguments))
        equality = kind in (z3.Z3_OP_EQ, z3.Z3_OP_IFF)
        if equality and z3.is_bool(arguments[0]):
            return self.truth(arguments[0]) == self.truth(arguments[1])
        if equality and z3.is_bv(arguments[0]):
            return self.word(arguments[0]).expression == self.word(arguments[1]).expression
        if kind == z3.Z3_OP_DISTINCT and len(arguments) == 2:
            return z3.Not(self.truth(arguments[0] == arguments[1]))
        unsigned = {
            z3.Z3_OP_ULEQ: lambda a, b: a <= b,
            z3.Z3_OP_ULT: lambda a, b: a < b,
            z3.Z3_OP_UGEQ: lambda a, b: a >= b,
            z3.Z3_OP_UGT: lambda a, b: a > b,
        }
        signed = {
            z3.Z3_OP_SLEQ: unsigned[z3.Z3_OP_ULEQ],
            z3.Z3_OP_SLT: unsigned[z3.Z3_OP_ULT],
            z3.Z3_OP_SGEQ: unsigned[z3.Z3_OP_UGEQ],
            z3.Z3_OP_SGT: unsigned[z3.Z3_OP_UGT],
        }
        if kind in unsigned:
            return unsigned[kind](*(self.word(a).expression for a in arguments))
        if kind in signed:
            return signed[kind](*(self.signed(a).expression for a in arguments))
        self._unknowns += 1
        return z3.Bool(f"b!{self._unknowns}")


def linear(formulas: list[z3.BoolRef]) -> list[z3.BoolRef]:
    """The formulas with every product of unknowns as an unknown: weaker, and decidable."""
    products: dict[tuple[int, ...], z3.ArithRef] = {}
    seen: dict[int, z3.ExprRef] = {}

    def visit(term: z3.ExprRef) -> z3.ExprRef:
        if term.get_id() in seen:
            return seen[term.get_id()]
        arguments = [visit(a) for a in term.children()]
        if z3.is_mul(term):
            numbers = [a for a in arguments if z3.is_int_value(a)]
            others = sorted((a for a in arguments if not z3.is_int_value(a)), key=z3.AstRef.get_id)
            if len(others) > 1:
                key = tuple(a.get_id() for a in others)
                products.setdefault(key, z3.Int(f"m!{len(products)}"))
                others = [products[key]]
            result: z3.ExprRef = z3.Product(numbers + others)
        else:
            result = term.decl()(*arguments) if arguments else term
        seen[term.get_id()] = result
        kept.append(term)
        kept.append(result)
        return result

    kept: list[z3.ExprRef] = []
    return [visit(z3.simplify(f, som=True)) for f in formulas]
