"""The API's documentation as pages: ``/schema``, ``/docs`` and ``/docs/errors``.

The error page is where the ``type`` of every problem document leads.
"""

from functools import cache

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularSwaggerSplitView

from api.error_codes import FIELD_CODES, error_codes
from api.generated_docs import openapi_text


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI 3.1 document."""
    return HttpResponse(_schema(), content_type="application/json")


@cache
def _schema() -> str:
    # It costs a third of a second to make and never changes while a process runs.
    return openapi_text()


# Swagger UI writes style attributes; its scripts are files of ours like all others.
@method_decorator(csp_update({"style-src": [SELF, UNSAFE_INLINE]}), name="dispatch")
class SwaggerView(SpectacularSwaggerSplitView):
    """The API to read and to try."""


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    """Every error code; the fragment of a problem's ``type`` is the code."""
    context = {"errors": error_codes(), "field_codes": FIELD_CODES.items()}
    return render(request, "api/errors.html", context)
