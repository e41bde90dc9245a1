"""``python -m sandbox``: start the gateways and serve them until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from sandbox.journal import JournalError
from sandbox.rules import RuleError
from sandbox.server import Sandbox
from sandbox.settings import Settings, SettingsError

CANNOT_START = 2


def main() -> int:
    """Run until told to stop; 2 when the environment does not allow a start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s sandbox %(levelname)s %(message)s")
    try:
        settings = Settings.from_env(os.environ)
        asyncio.run(serve(settings))
    except (SettingsError, JournalError, RuleError) as error:
        sys.stderr.write(f"{error}\n")
        return CANNOT_START
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot listen (SANDBOX_PORT, SANDBOX_HOST): {error}\n")
        return CANNOT_START
    return 0


async def serve(settings: Settings) -> None:
    """Serve until a signal comes, then finish what is under way."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sandbox = Sandbox(settings)
    await sandbox.start()
    try:
        await stop.wait()
    finally:
        await sandbox.stop()


if __name__ == "__main__":
    sys.exit(main())
