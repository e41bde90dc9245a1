"""The pages that pay one order. Each view reads, makes at most one writing call, and shows.

The signed link in the path is the permission: whoever holds it may pay the order and see its
receipt. Nothing on a gateway's return is believed; pages tell what our own rows say.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.client_ip import client_ip
from audit.context import Actor, acting
from checkout import browser_state
from checkout.decorators import SeeOther, page, see_other
from checkout.forms import PayForm, mint_form_token
from checkout.stages import MOVING, PAYABLE, Stage, find_stage, is_over
from checkout.wording import PROBLEMS, Problem, find_title, gateway_name, method_words
from gateways.outcome import FailureCode
from orders import selectors as orders
from orders.models import Order
from payments import selectors
from payments.errors import (
    AlreadyPaid,
    NotCancellable,
    OrderEnded,
    PaymentError,
    PaymentInProgress,
    RequestInProgress,
)
from payments.models import Transaction
from payments.routing.offers import build_offers
from payments.services import create, lifecycle
from payments.services.create import CreatedPayment, PaymentRequest

# How soon a browser without JavaScript looks again: (s since something happened, wait in s).
_REFRESH: Final = ((20, 1), (120, 5), (900, 15))
_REFRESH_LAST_S: Final = 60
# After this long these are no longer normal, and the page says more.
_SLOW_AFTER_S: Final = 15
_MAY_BE_SLOW: Final = frozenset({Stage.CONNECTING, Stage.CLOSING})

# The last payment has ended unpaid, and the pay page says so.
_ENDED: Final = frozenset({Stage.FAILED, Stage.GIVEN_UP})


@dataclass(frozen=True, slots=True)
class Situation:
    """An order, its latest payment, and where the shopper stands with them."""

    order: Order
    payment: Transaction | None
    stage: Stage
    now: datetime
    # The gateway is known to be down, and is sent nothing now.
    is_out_of_reach: bool

    @property
    def is_slow(self) -> bool:
        """Whether what the shopper asked for last, to pay or to close, takes unusually long."""
        if self.payment is None or self.stage not in _MAY_BE_SLOW:
            return False
        if self.is_out_of_reach:
            return True
        asked_at = self.payment.cancel_requested_at or self.payment.created_at
        return (self.now - asked_at).total_seconds() > _SLOW_AFTER_S

    @property
    def is_over(self) -> bool:
        """Whether the time to pay has ended."""
        return self.payment is not None and is_over(self.payment, self.now)

    @property
    def words(self) -> str:
        """What the page says, told apart from all else that it may come to say."""
        declined = ((self.payment and self.payment.last_failure) or {}).get("code", "")
        slow, over = "slow" if self.is_slow else "", "over" if self.is_over else ""
        return " ".join(filter(None, (self.stage, slow, over, declined)))

    @property
    def refresh_s(self) -> int:
        """When to look again, in seconds: soon after something happened, then ever more rarely."""
        if self.payment is None:
            return _REFRESH_LAST_S
        quiet_s = (self.now - self.payment.updated_at).total_seconds()
        return next((wait for limit, wait in _REFRESH if quiet_s < limit), _REFRESH_LAST_S)


@page
@require_safe
def pay(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The order and the ways to pay it; what is already under way has the status page."""
    found = _situation(request, order_id)
    if found.stage is Stage.PAID:
        return see_other("receipt", order_id=order_id)
    if found.stage not in PAYABLE:
        return see_other("payment_status", order_id=order_id)
    return render(request, "checkout/pay.html", _pay_context(request, found))


@page
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Start a payment and go on to the status page, which leads to the gateway."""
    if request.method != "POST":
        return see_other("pay", order_id=order_id)
    order = orders.get_order(order_id)
    form = PayForm(request.POST, order_id=order_id, offers=build_offers(order.total_money))
    if not form.is_valid():
        return _choose_again(order_id, form.problem)
    try:
        created = _create(request, order, form)
    except (PaymentInProgress, RequestInProgress, AlreadyPaid, OrderEnded):
        # Somebody was faster, perhaps the shopper in another tab: the page tells how it stands.
        return see_other("payment_status", order_id=order_id)
    except PaymentError:
        return _choose_again(order_id, Problem.NOT_OFFERED)
    response = see_other("payment_status", order_id=order_id)
    browser_state.mark_leaving(response, created.transaction)
    return response


@page
@require_safe
def status(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Everything after the choice: connecting, continue, checking, paid, failed."""
    found = _situation(request, order_id)
    if found.stage is Stage.UNPAID:
        return see_other("pay", order_id=order_id)
    response = render(request, "checkout/status.html", _status_context(request, found))
    if found.stage is Stage.LEAVING:
        browser_state.mark_left(response, order_id)
    return response


@page
@require_safe
def status_json(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The stage, and what the page says in it: an open page reloads itself when that changes."""
    found = _situation(request, order_id)
    return JsonResponse({"stage": found.stage, "words": found.words})


@csrf_exempt  # Gateways send people back by POST too, and nothing in it is believed.
@page
@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest, order_id: UUID, reference: UUID) -> HttpResponse:
    """The shopper returns from the gateway: ask it soon, and show what we know meanwhile."""
    payment = _find_payment(order_id, reference)
    if payment.is_live:
        with _holder(request, order_id):
            lifecycle.request_status_query(transaction_id=payment.pk)
    if payment.return_url:
        return SeeOther(_with_payment_id(payment))
    status_url = reverse("payment_status", kwargs={"order_id": order_id})
    return SeeOther(f"{status_url}?{browser_state.back_query(timezone.now())}")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Give up the payment that the form names, to pay in another way."""
    if request.method == "POST":
        payment = _find_payment(order_id, _reference(request.POST.get("reference", "")))
        try:
            with _holder(request, order_id):
                lifecycle.cancel_payment(transaction_id=payment.pk, code=FailureCode.SUPERSEDED)
        except (AlreadyPaid, NotCancellable):
            pass  # It ended by itself meanwhile, and the status page says how.
    return see_other("payment_status", order_id=order_id)


@page
@require_safe
def receipt(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """What was paid, by what, when, and what was given back since."""
    found = _situation(request, order_id)
    if found.stage is not Stage.PAID:
        return see_other("pay", order_id=order_id)
    context = {
        "order": found.order,
        "payment": found.payment,
        "not_needed": selectors.payments_not_needed(order_id),
    }
    return render(request, "checkout/receipt.html", context)


def _situation(request: HttpRequest, order_id: UUID) -> Situation:
    order = orders.get_order(order_id)
    payment = selectors.latest_payment(order_id)
    now = timezone.now()
    visit = browser_state.read_visit(request, payment)
    stage = find_stage(order, payment, visit, now)
    is_out_of_reach = (
        payment is not None
        and stage is Stage.CONNECTING
        and payment.gateway in selectors.gateways_out_of_reach()
    )
    return Situation(order, payment, stage, now, is_out_of_reach)


def _pay_context(request: HttpRequest, found: Situation) -> dict[str, object]:
    order = found.order
    offered = build_offers(order.total_money)
    unreachable = selectors.gateways_out_of_reach()
    usable = [offer.method for offer in offered if not offer.unsupported_reason]
    # A single choice is chosen already.
    chosen = usable[0] if len(usable) == 1 else request.GET.get("method", "")
    return {
        "order": order,
        "payment": found.payment if found.stage in _ENDED else None,
        "problem": PROBLEMS.get(request.GET.get("problem", "")),
        "form_token": mint_form_token(order.pk),
        "offers": offered,
        "out_of_reach": {one.method for one in offered if one.is_out_of_reach(unreachable)},
        "first": next(iter(usable), ""),
        "chosen": chosen,
        "chosen_channel": request.GET.get("channel", ""),
    }


def _choose_again(order_id: UUID, problem: Problem) -> HttpResponse:
    """Back to the choice by GET, so that neither Back nor reload ever asks to send it again."""
    return SeeOther(f"{reverse('pay', kwargs={'order_id': order_id})}?problem={problem}")


def _create(request: HttpRequest, order: Order, form: PayForm) -> CreatedPayment:
    wanted = PaymentRequest(
        order_id=order.pk,
        money=order.total_money,
        method=form.cleaned_data["method"],
        channel=form.channel,
        customer_ip=client_ip(request),
        locale=get_language() or "en",
    )
    with _holder(request, order.pk):
        return create.create_payment(
            client=f"link:{order.pk.hex}",
            key=form.idempotency_key,
            request=wanted,
            render=lambda row: row.reference,
        )


def _status_context(request: HttpRequest, found: Situation) -> dict[str, object]:
    payment = found.payment
    gateway = gateway_name(payment.gateway) if payment else ""
    query = request.META.get("QUERY_STRING", "")
    json_url = reverse("payment_status_json", kwargs={"order_id": found.order.pk})
    return {
        "order": found.order,
        "payment": payment,
        "gateway": gateway,
        "words": method_words(payment.method) if payment else None,
        "stage": found.stage,
        "not_needed": _not_needed(found),
        "title": find_title(found.stage, gateway),
        "stage_template": f"checkout/stages/{found.stage}.html",
        "is_moving": found.stage in MOVING,
        "is_slow": found.is_slow,
        "is_over": found.is_over,
        "shown_words": found.words,
        "refresh_s": found.refresh_s,
        "poll_url": f"{json_url}?{query}" if query else json_url,
    }


def _not_needed(found: Situation) -> list[Transaction]:
    """What was paid a second time: a page that only says "paid" would leave its payer alone."""
    return selectors.payments_not_needed(found.order.pk) if found.stage is Stage.PAID else []


def _find_payment(order_id: UUID, reference: UUID) -> Transaction:
    """The payment, if it is one of this order: a link opens its own order only."""
    payment = selectors.find_payment(reference)
    if payment is None or payment.order_id != order_id:
        raise Http404
    return payment


def _reference(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError as error:
        raise Http404 from error


def _with_payment_id(payment: Transaction) -> str:
    """The client app's own page, told which payment it is about; what came of it, it asks us."""
    parts = urlsplit(payment.return_url)
    added = urlencode({"payment_id": payment.public_id})
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()


def _holder(request: HttpRequest, order_id: UUID) -> AbstractContextManager[None]:
    """The audit trail names the signed-in user, or else the link that was used."""
    user = request.user
    if user.is_authenticated:
        return acting(Actor("user", str(user.pk)))
    return acting(Actor("link", order_id.hex))
