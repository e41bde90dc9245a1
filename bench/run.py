"""`bin/bench`: measures, judges, and prints one JSON object last.

Exit status 1 says that money was lost or taken twice, that an invariant is broken, or that
something went wrong; a slow machine is no error.
"""

import json
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import FrameType
from typing import Any, NoReturn

from bench.environment import Environment, copy_database_for_baseline, open_environment
from bench.figures import median, percentiles
from bench.options import Options, read_options
from bench.orders import CARD, MIX, VNPAY, access_token
from bench.processes import Usage
from bench.rounds import LOAD, Round, Rounds
from bench.seed_history import write_history
from bench.sql_baseline import SqlBaseline
from bench.verdict import Verdict, judge
from local.errors import LocalStackError
from local.stack import ALL

SIGNAL_STATUS = 128


def main() -> int:
    """Run the benchmark with the options of the command line."""
    signal.signal(signal.SIGTERM, _leave)
    options = read_options(sys.argv[1:])
    try:
        with open_environment() as environment:
            report = measure(environment, options)
    except (LocalStackError, RuntimeError) as error:
        print(json.dumps({"errors": [str(error)]}, indent=2))
        return 1
    print(json.dumps(report, indent=2))
    return 0 if is_sound(report) else 1


def measure(environment: Environment, options: Options) -> dict[str, Any]:
    """Run the whole benchmark in an environment whose stack has not been started."""
    say(f"writing a history of {options.history} payments")
    write_history(environment, payments=options.history)
    copy_database_for_baseline(environment)
    environment.stack.start(*ALL)
    rounds = Rounds(environment, options, access_token(environment))
    say(f"warming up with {options.warm_up} payments")
    warm = rounds.run(MIX, options.warm_up)
    idle = rounds.usage()
    floor = SqlBaseline(environment)
    say(f"the floor is best with {floor.connections} connections")
    pairs = [_pair(number, rounds, floor, options) for number in range(1, options.rounds + 1)]
    top = rounds.counters.top()
    loaded = rounds.usage()
    alone = {
        kind.method: _report_round(kind.method, rounds.run([kind], options.alone_payments))
        for kind in (VNPAY, CARD)
    }
    steady = rounds.run(MIX, options.open_payments, rate=options.rate)
    say("comparing the sandbox's book with the database")
    verdict = judge(environment)
    rounds.counters.close()
    products = [product for _, product in pairs]
    errors = [error for one in (warm, *products, *alone.values(), steady) for error in one.errors]
    return {
        **_headline(pairs),
        "post_ms": {**percentiles(steady.post_ms), "posts_per_minute": options.rate},
        "post_ms_full_load": percentiles([ms for one in products for ms in one.post_ms]),
        **_money(verdict),
        "mix": {kind.method: round(1 / len(MIX), 2) for kind in MIX},
        "alone": {name: {"payments_per_minute": one.per_minute} for name, one in alone.items()},
        **_per_payment(products),
        "processes": _processes(products, idle, loaded),
        "idle_mb": round(sum(one.pss_mb for one in idle.values()), 1),
        "rounds": [_row(floor_rate, product) for floor_rate, product in pairs],
        "floor_connections": floor.connections,
        "history": options.history,
        "statements": [{"calls": calls, "ms": spent, "query": text} for calls, spent, text in top],
        "errors": errors,
    }


def is_sound(report: Mapping[str, Any]) -> bool:
    """Whether no money was lost, doubled or unexplained, and no request failed."""
    trouble = ("lost", "phantom", "charged_twice", "breaches", "errors")
    return not any(report[name] for name in trouble)


def say(text: str) -> None:
    """Print progress."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def _pair(number: int, rounds: Rounds, floor: SqlBaseline, options: Options) -> tuple[float, Round]:
    floor_rate = floor.round(options.floor_payments)
    say(f"round {number}: floor {floor_rate:.0f} a minute")
    return floor_rate, _report_round(f"round {number}", rounds.run(MIX, options.payments))


def _report_round(name: str, one: Round) -> Round:
    p50 = percentiles(one.post_ms)["p50"]
    say(f"{name}: {one.per_minute:.0f} full payments a minute, POST p50 {p50} ms")
    return one


def _headline(pairs: Sequence[tuple[float, Round]]) -> dict[str, Any]:
    product = median([one.per_minute for _, one in pairs]) or 0.0
    floor = median([rate for rate, _ in pairs]) or 0.0
    return {
        "payments_per_minute": product,
        "floor_per_minute": floor,
        # The ratio is made per round: a slow machine slows both halves of one round.
        "ratio": median([one.per_minute / rate for rate, one in pairs if rate], digits=3),
    }


def _money(verdict: Verdict) -> dict[str, Any]:
    return {
        **asdict(verdict.differences),
        "charges": verdict.charges,
        "breaches": verdict.breaches,
    }


def _per_payment(products: Sequence[Round]) -> dict[str, float | None]:
    statements = [
        one.counts.statements / one.payments
        for one in products
        if one.counts.statements is not None and one.payments
    ]
    done = [one for one in products if one.payments]
    return {
        "statements_per_payment": median(statements, digits=2),
        "commits_per_payment": median([one.counts.commits / one.payments for one in done], 2),
        "transactions_per_payment": median(
            [one.counts.transactions / one.payments for one in done], 2
        ),
    }


def _processes(
    products: Sequence[Round], idle: Mapping[str, Usage], loaded: Mapping[str, Usage]
) -> list[dict[str, Any]]:
    """Figures of each process; ``load`` is the client and no part of the system."""
    payments = sum(one.payments for one in products)
    return [
        {
            "name": name,
            "rss_mb": loaded[name].rss_mb if name in loaded else None,
            "pss_mb": loaded[name].pss_mb if name in loaded else None,
            "idle_pss_mb": idle[name].pss_mb if name in idle else None,
            "cpu_ms_per_payment": _cpu_ms(products, name, payments),
        }
        for name in (*loaded, LOAD)
    ]


def _cpu_ms(products: Sequence[Round], name: str, payments: int) -> float | None:
    spent = sum(one.cpu_s.get(name, 0.0) for one in products)
    return round(spent * 1000 / payments, 2) if payments else None


def _row(floor_rate: float, product: Round) -> dict[str, Any]:
    return {
        "floor_per_minute": floor_rate,
        "payments_per_minute": product.per_minute,
        "payments": product.payments,
        "seconds": round(product.seconds, 2),
        "post_ms": percentiles(product.post_ms),
        "looks_for_the_pay_link": product.looks,
        "counts": asdict(product.counts),
    }


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    # As an exception it passes through everything that stops what was started.
    raise SystemExit(SIGNAL_STATUS + number)


if __name__ == "__main__":
    sys.exit(main())
