"""One terminal for several processes."""

import contextlib
import sys
import threading

COLOURS = ("36", "33", "35", "32")
NAME_WIDTH = 9


class Terminal:
    """Prints whole lines, each after the name of the process that wrote it."""

    def __init__(self) -> None:
        """Names are coloured when a person is likely to watch."""
        self._lock = threading.Lock()
        self._colours: dict[str, str] = {}
        self._coloured = sys.stdout.isatty()

    def say(self, text: str) -> None:
        """Print a message of the launcher's own."""
        # A terminal that was closed must not stop what runs, nor keep it from stopping in order.
        with self._lock, contextlib.suppress(OSError):
            print(text, flush=True)

    def line(self, name: str, text: str) -> None:
        """Print a line of the process `name`."""
        self.say(f"{self._label(name)} | {text}")

    def _label(self, name: str) -> str:
        padded = name.ljust(NAME_WIDTH)
        if not self._coloured:
            return padded
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{padded}\x1b[0m"
