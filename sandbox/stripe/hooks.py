"""Webhook endpoints that the shop makes by the API, beside the one of the environment."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sandbox.stripe.errors import bad_value
from sandbox.stripe.objects import new_id
from sandbox.stripe.params import merged, need
from sandbox.stripe.store import EVERY_EVENT, NAME

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.stripe.store import Store

TABLE: Final = "webhook_endpoints"
KEPT: Final = ("url", "enabled_events", "description")


class Hooks:
    """Everything that changes a webhook endpoint."""

    def __init__(self, store: Store) -> None:
        """The store sends each event to the endpoints that asked for it."""
        self._store = store

    def create(self, params: Json) -> Json:
        """``POST /v1/webhook_endpoints``: the only answer that tells the secret."""
        check_endpoint({name: need(params, name) for name in ("url", "enabled_events")})
        endpoint: Json = {
            "id": new_id("we_"),
            "api_version": params.get("api_version"),
            "created": self._store.now,
            "metadata": merged({}, params.get("metadata")),
            "_secret": f"whsec_{secrets.token_hex(16)}",
            **{name: params[name] for name in KEPT if name in params},
        }
        self._store.put(TABLE, endpoint)
        return self._store.shown(TABLE, endpoint) | {"secret": endpoint["_secret"]}

    def update(self, endpoint: Json, params: Json) -> Json:
        """``POST /v1/webhook_endpoints/{id}``."""
        check_endpoint(params)
        endpoint.update({name: params[name] for name in KEPT if name in params})
        endpoint["metadata"] = merged(endpoint["metadata"], params.get("metadata"))
        if "disabled" in params:
            endpoint["status"] = "disabled" if params["disabled"] else "enabled"
        if endpoint.get("status") == "disabled":
            self._give_up(endpoint["id"])
        self._store.put(TABLE, endpoint)
        return endpoint

    def delete(self, endpoint_id: str) -> Json:
        """``DELETE /v1/webhook_endpoints/{id}``: nothing is sent there any more."""
        self._store.get(TABLE, endpoint_id)
        self._store.delete(TABLE, endpoint_id)
        self._give_up(endpoint_id)
        return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}

    def _give_up(self, endpoint_id: str) -> None:
        webhooks = self._store.context.webhooks
        webhooks.give_up(NAME, lambda payload: payload.get("endpoint") == endpoint_id)


def check_endpoint(params: Json) -> None:
    """Raise StripeError for an address or a list of events that cannot be."""
    url = urlsplit(params.get("url", "https://shop.example"))
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise bad_value("url", "Not a valid URL", "url_invalid")
    events: Any = params.get("enabled_events", [EVERY_EVENT])
    if not events or not all("." in event or event == EVERY_EVENT for event in events):
        raise bad_value("enabled_events", "Name the types of events, or * for all of them.")
