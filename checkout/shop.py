"""The demo shop, and a shopper's own orders."""

from dataclasses import astuple
from http import HTTPStatus
from typing import Final, cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from checkout.decorators import page, see_other
from checkout.forms import QUANTITY_MAX, ShopForm, mint_shop_token
from orders import selectors
from orders.errors import InvalidLine
from orders.models import Order
from orders.services import Customer, create_order

ORDERS_PER_PAGE: Final = 20


# Not "no-store": Back then shows the form that was refused, without sending it again.
@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
def shop(request: HttpRequest) -> HttpResponse:
    """The goods of one currency; buying makes an order and leads to its pay page."""
    catalogue = list(selectors.products_on_sale())
    currencies = sorted({product.currency for product in catalogue}, reverse=True)
    currency = _chosen(request, currencies)
    products = [product for product in catalogue if product.currency == currency]
    form = ShopForm(request.POST or None, products=products, email=_email(request))
    if request.method == "POST" and form.is_valid():
        try:
            order = _place(form, _customer(request, form), currency)
            return see_other("pay", order_id=order.pk)
        except InvalidLine as refused:
            form.add_error(None, refused.detail)
    context = {
        "form": form,
        "form_token": mint_shop_token(),
        "currency": currency,
        "currencies": currencies,
        "quantity_max": QUANTITY_MAX,
    }
    code = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "checkout/shop.html", context, status=code)


@page
@login_required
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """The signed-in shopper's orders, newest first."""
    user = cast("User", request.user)
    pages = Paginator(selectors.find_orders(user.pk), ORDERS_PER_PAGE)
    shown = pages.get_page(request.GET.get("page"))
    return render(request, "checkout/orders.html", {"orders": shown})


def _place(form: ShopForm, customer: Customer, currency: str) -> Order:
    """The order, the same one for the same form sent again. Raises InvalidLine."""
    items = form.items()
    choices = (astuple(customer), currency, [astuple(item) for item in items])
    return create_order(
        customer=customer, currency=currency, items=items, order_id=form.order_id(*choices)
    )


def _chosen(request: HttpRequest, currencies: list[str]) -> str:
    wanted = request.POST.get("currency") or request.GET.get("currency", "")
    first = currencies[0] if currencies else ""
    return wanted if wanted in currencies else first


def _email(request: HttpRequest) -> str:
    return request.user.email if request.user.is_authenticated else ""


def _customer(request: HttpRequest, form: ShopForm) -> Customer:
    user = request.user
    return Customer(
        user_id=user.pk if user.is_authenticated else None,
        email=form.cleaned_data["email"],
        phone=user.phone if user.is_authenticated else "",
        locale=get_language() or "en",
    )
