"""Puts the parts together: one book, one clock, one port, every gateway whose keys are there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web

from sandbox.book import Book
from sandbox.charges import Charges
from sandbox.clock import Clock
from sandbox.control import Control
from sandbox.faults import Faults
from sandbox.gateway import World
from sandbox.momo.gateway import Momo
from sandbox.paypal.gateway import Paypal
from sandbox.people import People
from sandbox.rules import Rules
from sandbox.stripe.gateway import Stripe
from sandbox.vnpay.gateway import Vnpay
from sandbox.webhooks import Webhooks

if TYPE_CHECKING:
    from sandbox.gateway import Gateway
    from sandbox.settings import Settings

# To play one more gateway, write its folder and name its class here. Stripe stands last because it
# answers for every path under /v1/ that nobody else has.
GATEWAYS: Final[tuple[type[Gateway], ...]] = (Paypal, Vnpay, Momo, Stripe)

BODY_BYTES_MAX = 1024 * 1024
KEEPALIVE_S = 75.0
SHUTDOWN_S = 1.0

log = logging.getLogger(__name__)


class Sandbox:
    """The whole sandbox, from an open book to an open port."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is opened yet."""
        self._settings = settings
        self._book = Book(settings.data_dir)
        self._webhooks: Webhooks | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Open the book, let the gateways pick up where they were, and listen.

        Raises BookError when another sandbox uses the folder, OSError when the port is taken.
        """
        self._book.open()
        world = self._world()
        gateways = {
            gateway.name: gateway
            for kind in GATEWAYS
            if (gateway := kind.from_env(world, self._settings.env)) is not None
        }
        world.webhooks.start(gateways)
        for gateway in gateways.values():
            gateway.resume()
        await self._listen(world, gateways)
        log.info("plays %s on %s", ", ".join(gateways) or "no gateway", self._settings.url)

    async def stop(self) -> None:
        """Close the port, end the deliveries, close the book."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._webhooks is not None:
            await self._webhooks.stop()
        await self._book.close()

    def _world(self) -> World:
        clock = Clock(self._book)
        rules = Rules(self._book, self._settings.decision)
        self._webhooks = Webhooks(self._book, clock, rules)
        return World(
            settings=self._settings,
            book=self._book,
            clock=clock,
            rules=rules,
            charges=Charges(self._book, clock),
            webhooks=self._webhooks,
            faults=Faults(self._book, rules, self._webhooks),
        )

    async def _listen(self, world: World, gateways: dict[str, Gateway]) -> None:
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.add_routes(Control(world, gateways).routes())
        app.add_routes(People(world, gateways).routes())
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
