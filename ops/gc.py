"""Python's cyclic garbage collector, told what it need not look at.

What a process has loaded when it starts to serve stays until it ends. Frozen, it is left out of
every collection; and a request makes so many small objects that the default threshold of 700
would start a collection several times in each.
"""

import gc
from typing import Final

# New containers between two collections of the youngest generation.
YOUNG_OBJECTS_MAX: Final = 20_000


def freeze_loaded_objects() -> None:
    """Call it once, when everything has been imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, 20, 20)
