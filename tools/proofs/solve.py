#!/usr/bin/env python3
"""The solver that the symbolic executor calls: prints `sat` with a model, `unsat` or `unknown`.

Most queries are unsatisfiable as linear arithmetic already. For the others two solvers work at
once: yices on the bits, z3 on the integers (integers.py). "unsat" may come from either. "sat" comes
from yices, or from an integer model that satisfies the query's bit-vectors too.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import threading
from pathlib import Path

import z3
from integers import Translation, linear

# z3's own measure of work, a few million per second: other load on the machine changes no verdict.
LINEAR_EFFORT = 60_000_000
EFFORTS = (5_000_000, 20_000_000, 80_000_000, 320_000_000)
SYMBOL = r"f_evm_{0}_([0-9]+) \(\(_ BitVec \1\) \(_ BitVec \1\)\) \(_ BitVec \1\)\)"


def interpreted(query: str) -> str:
    """The query, with the executor's stand-ins for products and quotients given their meaning."""
    header = r"(x (_ BitVec \1)) (y (_ BitVec \1))) (_ BitVec \1)"
    query = re.sub(
        r"\(declare-fun " + SYMBOL.format("bvmul"),
        rf"(define-fun f_evm_bvmul_\1 ({header} (bvmul x y))",
        query,
    )
    for operation in ("bvudiv", "bvurem", "bvsdiv", "bvsrem"):
        zero = rf"(ite (= y (_ bv0 \1)) (_ bv0 \1) ({operation} x y))"
        query = re.sub(
            r"\(declare-fun " + SYMBOL.format(operation),
            rf"(define-fun f_evm_{operation}_\1 ({header} {zero})",
            query,
        )
    return query


class BitsSolver:
    """Yices at work on the bits of a query, beside whatever else works on it."""

    def __init__(self, query: Path, seconds: int) -> None:
        self.seconds = seconds
        self.answer: str | None = None
        self._rival: z3.Solver | None = None
        yices = Path(sys.executable).with_name("yices-smt2")
        self._process = subprocess.Popen(
            [str(yices), "--smt2-model-format", "--bvconst-in-decimal", str(query)],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)),
        )
        self._thread = threading.Thread(target=self._await, daemon=True)
        self._thread.start()

    def _await(self) -> None:
        output = self._process.communicate()[0]
        if output.startswith(("sat", "unsat")):
            self.answer = output
            if self._rival is not None:
                self._rival.interrupt()

    def check(self, rival: z3.Solver) -> z3.CheckSatResult:
        """What the rival finds; `unknown` soon after this solver has an answer."""
        self._rival = rival
        result = rival.check() if self.answer is None else z3.unknown
        self._rival = None
        return result

    def wait(self) -> str | None:
        """Its answer, or None where its time ran out."""
        self._thread.join()
        return self.answer

    def kill(self) -> None:
        self._process.kill()
        self._thread.join()

    @staticmethod
    def used() -> float:
        """Seconds of processor time, once it has ended."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime


class IntegerQuery:
    """The query over the integers: first as linear arithmetic, then in full."""

    def __init__(self, query: str) -> None:
        self.assertions = list(z3.parse_smt2_string(query))
        self.translation = Translation()
        truths = [self.translation.truth(a) for a in self.assertions]
        self.formulas = truths + self.translation.definitions
        self.used = 0.0
        """Part of the effort allowed that the last answer took."""

    def is_linearly_unsat(self) -> bool:
        # Not z3's tactic for linear integers: with numbers this large it can take 25 s for 0.1 s.
        solver = z3.SimpleSolver()
        solver.set("rlimit", LINEAR_EFFORT)
        solver.add(linear(self.formulas))
        before = work(solver)
        result = solver.check()
        self.used = (work(solver) - before) / LINEAR_EFFORT
        return bool(result == z3.unsat)

    def answer(self, bits: BitsSolver) -> str | None:
        """`unsat`, `sat` with a confirmed model, or None; gives up once `bits` has an answer."""
        spent = 0
        for seed, effort in enumerate(EFFORTS):
            # A fresh start with another seed often helps where going on does not.
            solver = z3.SimpleSolver()
            solver.set("rlimit", effort)
            solver.set("random_seed", seed)
            solver.add(self.formulas)
            before = work(solver)
            result = bits.check(solver)
            spent += work(solver) - before
            self.used = spent / sum(EFFORTS)
            if result == z3.unsat:
                return "unsat"
            if result == z3.sat:
                return confirmed(self.assertions, self.translation, solver.model())
            if bits.answer is not None:
                return None
        return None


def work(solver: z3.Solver) -> int:
    """z3's count of what it did so far in this process."""
    return int(solver.statistics().get_key_value("rlimit count"))


def confirmed(
    assertions: list[z3.BoolRef], translation: Translation, model: z3.ModelRef
) -> str | None:
    """The model as the executor reads it, if it satisfies the query itself."""
    solver = z3.SimpleSolver()
    solver.set("timeout", 10_000)
    solver.add(assertions)
    lines = []
    for variable, number in translation.variables():
        value = model.eval(number.expression, model_completion=True).as_long()
        solver.add(variable == value)
        size = variable.size()
        lines.append(f"  (define-fun |{variable}| () (_ BitVec {size}) (_ bv{value} {size}))")
    if solver.check() != z3.sat:
        return None
    return "\n".join(["sat", "(", *lines, ")"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=240, help="processor time of yices")
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    sys.setrecursionlimit(100_000)

    query = interpreted(options.file.read_text(encoding="utf-8"))
    text = options.file.with_suffix(".interpreted.smt2")
    text.write_text(query, encoding="utf-8")
    integers = IntegerQuery(re.sub(r"\((check-sat|get-model)\)", "", query))
    answer, solver, used = "unknown", "none", 1.0
    if integers.is_linearly_unsat():
        answer, solver, used = "unsat", "linear", integers.used
    else:
        bits = BitsSolver(text, options.seconds)
        try:
            if found := integers.answer(bits):
                answer, solver, used = found, "integers", integers.used
            elif found := bits.wait():
                answer, solver, used = found, "bits", bits.used() / options.seconds
        finally:
            bits.kill()
    # For prove.py, which tells how near a lemma is to the limits.
    record = {"answer": answer.split()[0], "solver": solver, "used": used}
    options.file.with_suffix(".effort.json").write_text(json.dumps(record), encoding="utf-8")
    print(answer)


if __name__ == "__main__":
    main()
