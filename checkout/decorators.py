"""What all pages for people have in common."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.views.decorators.cache import never_cache

from orders.errors import OrderNotFound

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class SeeOther(HttpResponseRedirect):
    """303: whatever the method was, the next page is fetched by GET (RFC 9110, 15.4.4)."""

    status_code = 303


def see_other(to: str, **kwargs: object) -> SeeOther:
    """To the page named ``to``."""
    return SeeOther(resolve_url(to, **kwargs))


def page(view: View[P]) -> View[P]:
    """Never stored by browser or proxy, and "not found" for an order that is gone."""

    @never_cache
    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except OrderNotFound as error:
            raise Http404 from error

    return wrapped
