"""The supported PSPs, one entry each. No other module of config names a PSP."""

from typing import Any, Final

from config.environment import env, group

Entry = dict[str, Any]

# What the entries are set by, as far as it has several words: an account "stripe_secret" would
# take STRIPE_SECRET_KEY for its own.
OPTIONS: Final = frozenset(
    {
        "access_key", "api_base", "api_url", "brand_name", "cert_origins", "cert_roots",
        "client_id", "hash_secret", "merchant_id", "partner_code", "pay_url", "previous_keys",
        "read_timeout_s", "request_type", "secret_key", "server_ip", "tmn_code", "webhook_ids",
        "webhook_secrets", "webhook_senders", "webhook_verification",
    }
)  # fmt: skip


def psps(*, sandbox_url: str, shop_name: str) -> dict[str, Entry]:
    """Its adapter, its options (every variable with its prefix), and whether it has credentials.

    ``sandbox_url`` is where all of them are emulated; "" for the real ones. ``shop_name`` is what
    shoppers know us by.
    """
    return {
        "stripe": {
            "adapter": "gateways.stripe.gateway.StripeGateway",
            "options": group("STRIPE_", api_base=sandbox_url or "https://api.stripe.com"),
            "enabled": bool(env.str("STRIPE_SECRET_KEY", default="")),
        },
        "paypal": {
            "adapter": "gateways.paypal.gateway.PaypalGateway",
            "options": group(
                "PAYPAL_",
                api_base=sandbox_url or "https://api-m.paypal.com",
                # Without one PayPal's page shows the account's own name.
                brand_name=shop_name,
            ),
            "enabled": bool(env.str("PAYPAL_CLIENT_ID", default="")),
        },
        "vnpay": {
            "adapter": "gateways.vnpay.gateway.VnpayGateway",
            "options": group("VNPAY_", **_vnpay_addresses(sandbox_url)),
            "enabled": bool(env.str("VNPAY_TMN_CODE", default="")),
        },
        "momo": {
            "adapter": "gateways.momo.gateway.MomoGateway",
            "options": group("MOMO_", api_base=sandbox_url or "https://payment.momo.vn"),
            "enabled": bool(env.str("MOMO_PARTNER_CODE", default="")),
        },
    }


def _vnpay_addresses(sandbox_url: str) -> dict[str, str]:
    """VNPAY's pay page and its API are on two hosts; the sandbox is one."""
    pay = f"{sandbox_url}/paymentv2" if sandbox_url else "https://pay.vnpay.vn"
    api = sandbox_url or "https://merchant.vnpay.vn"
    return {
        "pay_url": f"{pay}/vpcpay.html",
        "api_url": f"{api}/merchant_webapi/api/transaction",
    }
