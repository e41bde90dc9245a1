"""What a run measures, and how much of it."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Foreign-key checks on small tables would never use their indexes.
HISTORY_DEFAULT: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class Options:
    """``rate`` is POSTs per minute of the open-loop round; the rest are counts of payments."""

    rounds: int = 3
    payments: int = 2_000
    floor_payments: int = 3_000
    alone_payments: int = 1_000
    open_payments: int = 600
    rate: int = 1_200
    warm_up: int = 200
    history: int = HISTORY_DEFAULT
    posters: int = 8
    shoppers: int = 16


def read_options(arguments: Sequence[str]) -> Options:
    """The options of a command line; exits with a message when they make no sense."""
    defaults = Options()
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    for name, meaning in _MEANINGS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=_positive,
            default=getattr(defaults, name),
            help=f"{meaning} (%(default)s)",
        )
    return Options(**vars(parser.parse_args(arguments)))


_MEANINGS: Final = {
    "rounds": "rounds of floor and product, whose medians are reported",
    "payments": "payments in a round of the product",
    "floor_payments": "payments in a round of the floor",
    "alone_payments": "payments in the round of each gateway alone",
    "open_payments": "payments in the round at a fixed rate",
    "rate": "POSTs per minute in that round",
    "warm_up": "payments before anything is measured",
    "history": "payments that are in the database before",
    "posters": "connections that POST payments",
    "shoppers": "connections that open pay links",
}


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value
