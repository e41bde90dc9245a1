"""What people fill in."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django import forms
from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext_lazy as _

from checkout.wording import Problem
from durable.ids import derived_uuid7, uuid7
from orders.models import Product
from orders.services import LINES_MAX, Item
from payments.routing.offers import Offer
from privacy.redaction import find_card_number

QUANTITY_MAX: Final = 99

_form_signer: Final = Signer(salt="payments.checkout.form")
_shop_signer: Final = Signer(salt="payments.checkout.shop")


class PayForm(forms.Form):
    """How to pay one order, as it was sent; ``problem`` names what is wrong with it.

    Each method with channels has a list of its own, and only that of the chosen method counts.
    ``form_token`` is minted with the page and used once: sent twice, by a double click or a
    reload, it is the same payment.
    """

    form_token = forms.CharField(max_length=200)
    method = forms.ChoiceField()

    def __init__(self, data: Any, *, order_id: UUID, offers: Sequence[Offer]) -> None:
        super().__init__(data)
        self._order_id = order_id
        usable = [offer for offer in offers if not offer.unsupported_reason]
        field = self.fields["method"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(offer.method, offer.method) for offer in usable]
        for offer in usable:
            choices = [(channel, channel) for channel in ("", *offer.channels)]
            self.fields[_channel_name(offer.method)] = forms.ChoiceField(
                choices=choices, required=False
            )

    def clean_form_token(self) -> str:
        """The token itself, if this site made it for this order."""
        token: str = self.cleaned_data["form_token"]
        if not _is_ours(token, self._order_id):
            raise forms.ValidationError("not a token of ours")
        return token

    @property
    def problem(self) -> Problem:
        """What to tell the shopper about a form that is not valid."""
        if "form_token" in self.errors:
            return Problem.OLD_PAGE
        return Problem.NOT_OFFERED if self.data.get("method") else Problem.NO_METHOD

    @property
    def channel(self) -> str:
        """The channel of the chosen method; "" to choose at the gateway."""
        chosen: str = self.cleaned_data[_channel_name(self.cleaned_data["method"])]
        return chosen

    @property
    def idempotency_key(self) -> str:
        """One key per page, method and channel: another choice is another request, not a repeat."""
        nonce = self.cleaned_data["form_token"].split(":")[1]
        return f"form-{nonce}-{self.cleaned_data['method']}-{self.channel}"


def _channel_name(method: str) -> str:
    return f"channel-{method}"


def mint_form_token(order_id: UUID) -> str:
    """A new token for one showing of an order's pay page."""
    return _form_signer.sign(f"{order_id.hex}:{uuid7().hex}")


def mint_shop_token() -> str:
    """A new token for one showing of the shop."""
    return _shop_signer.sign(uuid7().hex)


class ShopForm(forms.Form):
    """Quantities of the products on sale, and where the receipt goes.

    ``form_token`` is minted with the page, as on the pay page: sent twice, it is the same order.
    """

    form_token = forms.CharField(required=False, max_length=200)
    email = forms.EmailField(
        required=False,
        max_length=254,
        error_messages={"invalid": _("Write the e-mail address like name@example.com.")},
    )

    def __init__(self, data: Any = None, *, products: Sequence[Product], email: str = "") -> None:
        super().__init__(data, initial={"email": email})
        self._products = products
        for product in products:
            self.fields[_quantity_name(product)] = _quantity_field(product)

    def rows(self) -> list[tuple[Product, forms.BoundField]]:
        """Each product with its field."""
        return [(product, self[_quantity_name(product)]) for product in self._products]

    def items(self) -> list[Item]:
        """The lines of the order."""
        chosen = ((p, self.cleaned_data.get(_quantity_name(p)) or 0) for p in self._products)
        return [Item(product.sku, quantity) for product, quantity in chosen if quantity]

    def order_id(self, *choices: object) -> UUID:
        """The id of the order that this page makes of ``choices``: of other choices another one."""
        return derived_uuid7(self.cleaned_data["form_token"], *choices)

    def clean_form_token(self) -> UUID | None:
        """What tells this showing of the page from every other, if this site made it."""
        try:
            return UUID(hex=_shop_signer.unsign(self.cleaned_data["form_token"]))
        except (BadSignature, ValueError):
            return None

    def clean_email(self) -> str:
        """The address, unless somebody typed a card number into it."""
        email: str = self.cleaned_data["email"]
        if find_card_number(email):
            raise forms.ValidationError(_("Never write a card number here."))
        return email

    def clean(self) -> dict[str, Any]:
        """Ask for at least one thing, not for more lines than an order has, once for each page."""
        if not self.cleaned_data.get("form_token"):
            raise forms.ValidationError(
                _("The page was too old, and nothing was ordered. Look it over and send it again."),
                code="old_page",
            )
        count = len(self.items())
        if not self.errors and not count:
            raise forms.ValidationError(
                _("Choose at least one thing: write how many of it you want."), code="nothing"
            )
        if count > LINES_MAX:
            raise forms.ValidationError(_("This is too much for one order."), code="too_much")
        return self.cleaned_data


def _quantity_name(product: Product) -> str:
    return f"quantity-{product.sku}"


def _quantity_field(product: Product) -> forms.IntegerField:
    number = _("Write a whole number from 0 to 99 for %(name)s.") % {"name": product.name}
    return forms.IntegerField(
        required=False,
        min_value=0,
        max_value=QUANTITY_MAX,
        label=product.name,
        initial=0,
        error_messages={"invalid": number, "min_value": number, "max_value": number},
    )


def _is_ours(token: str, order_id: UUID) -> bool:
    try:
        value = _form_signer.unsign(token)
    except BadSignature:
        return False
    return value.startswith(f"{order_id.hex}:")
