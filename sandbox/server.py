"""Puts the parts together: one journal, one clock, one port, every gateway whose keys are there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web

from sandbox.charges import Charges
from sandbox.clock import Clock
from sandbox.control import Control
from sandbox.control_page import ControlPage
from sandbox.faults import Faults
from sandbox.gateway import SandboxContext
from sandbox.journal import Journal
from sandbox.momo.gateway import Momo
from sandbox.paypal.gateway import Paypal
from sandbox.rules import Rules
from sandbox.stripe.gateway import Stripe
from sandbox.vnpay.gateway import Vnpay
from sandbox.webhooks import Webhooks

if TYPE_CHECKING:
    from sandbox.gateway import Gateway
    from sandbox.settings import Settings

# To emulate one more gateway, write its folder and name its class here. Stripe is last because it
# answers for every path under /v1/ that nobody else has.
GATEWAYS: Final[tuple[type[Gateway], ...]] = (Paypal, Vnpay, Momo, Stripe)

BODY_BYTES_MAX = 1024 * 1024
KEEPALIVE_S = 75.0
SHUTDOWN_S = 1.0

log = logging.getLogger(__name__)


class Sandbox:
    """The whole sandbox, from an open journal to an open port."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is opened yet."""
        self._settings = settings
        self._journal = Journal(settings.data_dir)
        self._webhooks: Webhooks | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Open the journal, let the gateways pick up where they were, and listen.

        Raises JournalError when another sandbox uses the folder, OSError when the port is taken.
        """
        self._journal.open()
        context = self._context()
        gateways = {
            gateway.name: gateway
            for kind in GATEWAYS
            if (gateway := kind.from_env(context, self._settings.env)) is not None
        }
        context.webhooks.start(gateways)
        for gateway in gateways.values():
            gateway.resume()
        await self._listen(context, gateways)
        log.info("emulates %s on %s", ", ".join(gateways) or "no gateway", self._settings.url)

    async def stop(self) -> None:
        """Close the port, end the deliveries, close the journal."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._webhooks is not None:
            await self._webhooks.stop()
        await self._journal.close()

    def _context(self) -> SandboxContext:
        clock = Clock(self._journal)
        rules = Rules(self._journal, self._settings.decision)
        self._webhooks = Webhooks(self._journal, clock, rules)
        return SandboxContext(
            settings=self._settings,
            journal=self._journal,
            clock=clock,
            rules=rules,
            charges=Charges(self._journal, clock),
            webhooks=self._webhooks,
            faults=Faults(self._journal, rules, self._webhooks),
        )

    async def _listen(self, context: SandboxContext, gateways: dict[str, Gateway]) -> None:
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.add_routes(Control(context, gateways).routes())
        app.add_routes(ControlPage(context, gateways).routes())
        for gateway in gateways.values():
            app.add_routes(gateway.routes())
        self._runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=KEEPALIVE_S,
            shutdown_timeout=SHUTDOWN_S,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        await site.start()
