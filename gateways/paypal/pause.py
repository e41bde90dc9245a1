"""Leaving a host alone for a moment after it did not answer, or was asked in vain.

Anybody can send webhooks. If each of them waited for a host that is down, they would hold up
every thread that genuine ones and shoppers need.
"""

import time
from collections.abc import Callable
from typing import Final

PAUSE_S: Final = 10.0


class Pause:
    """Begins when somebody says so, and ends by itself. Safe to share by threads."""

    def __init__(
        self, length_s: float = PAUSE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._length_s = length_s
        self._clock = clock
        self._until = clock()

    def begin(self) -> None:
        """From now on, for the length of the pause."""
        self._until = self._clock() + self._length_s

    def is_on(self) -> bool:
        """Whether the host is left alone now."""
        return self._clock() < self._until
