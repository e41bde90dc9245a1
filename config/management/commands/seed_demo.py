"""``manage.py seed_demo``: the demo shop's catalogue and accounts. Safe to repeat."""

from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.services import Account, ensure_demo_accounts
from config.environment import IS_PRODUCTION, env
from orders.services import ProductOnSale, put_on_sale

_EMAIL_DOMAIN: Final = "demo.example"

PRODUCTS: Final = (
    ProductOnSale("tea-oolong", "Trà ô long Bảo Lộc 100 g", 10_000, "VND"),
    ProductOnSale("coffee-phin", "Cà phê phin Đà Lạt 250 g", 125_000, "VND"),
    ProductOnSale("lacquer-box", "Hộp sơn mài Hạ Thái", 1_234_568, "VND"),
    ProductOnSale("silk-scarf", "Khăn lụa Hà Đông", 850_000, "VND"),
    ProductOnSale("zither", "Đàn tranh Đào Xá", 20_000_000, "VND"),
    ProductOnSale("sticker", "Sticker sheet", 100, "USD"),
    ProductOnSale("mug", "Stoneware mug", 1_999, "USD"),
    ProductOnSale("poster", "Hanoi Old Quarter print", 4_500, "USD"),
    ProductOnSale("bag", "Canvas messenger bag", 12_000, "USD"),
    ProductOnSale("headphones", "Wireless headphones", 50_000, "USD"),
)

ACCOUNTS: Final = (
    Account("shopper", locale="en"),
    Account("other-shopper", locale="vi"),
    Account("support", role="support"),
    Account("finance", role="finance"),
    Account("manager", role="manager"),
    Account("auditor", role="auditor"),
    Account("admin", is_admin=True),
)


class Command(BaseCommand):
    """Puts demo goods on sale and makes the demo accounts with one password."""

    help = "Create the demo catalogue and accounts; DEMO_PASSWORD sets their password."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing and leave the rest as it is."""
        password = env.str("DEMO_PASSWORD", default="")
        if IS_PRODUCTION or not settings.SANDBOX_URL:
            raise CommandError("Demo accounts belong to the sandbox: SANDBOX_URL is not set.")
        if not password:
            raise CommandError("Set DEMO_PASSWORD to the password of the demo accounts.")
        put_on_sale(PRODUCTS)
        ensure_demo_accounts(ACCOUNTS, password=password, email_domain=_EMAIL_DOMAIN)
        self.stdout.write(f"{len(PRODUCTS)} products, {len(ACCOUNTS)} accounts")
