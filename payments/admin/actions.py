"""The few things staff can do: a button, a page that asks, one service call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.models import User
from backoffice.formats import admin_url
from backoffice.read_only import ReadOnlyAdmin


class ConfirmForm(forms.Form):
    """An act that needs no more than a yes."""


@dataclass(frozen=True, slots=True)
class StaffAction:
    """One thing that staff with ``permission`` may do to a row that it ``applies_to``.

    ``perform`` gets the row's key, the user's key and what was filled in, makes the one service
    call, and returns the sentence that tells how it went.
    """

    name: str
    title: str
    question: str
    permission: str
    applies_to: Callable[[Any], bool]
    perform: Callable[[UUID, UUID, Mapping[str, Any]], str]
    form: type[forms.Form] = ConfirmForm


class ActingAdmin(ReadOnlyAdmin):
    """A read-only page with one button."""

    staff_action: ClassVar[StaffAction]

    def get_urls(self) -> list[URLPattern]:
        """The page that asks, beside the others."""
        view = self.admin_site.admin_view(self.act_view)
        return [
            path(f"<path:object_id>/{self.staff_action.name}/", view, name=self._act_name()),
            *super().get_urls(),
        ]

    def _act_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{self.staff_action.name}"

    def act_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask on GET, do it on POST."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        user = self._permitted(request)
        if not self.staff_action.applies_to(row):
            messages.warning(request, "There is nothing left to do here.")
            return HttpResponseRedirect(admin_url(row))
        form = self.staff_action.form(request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            messages.success(request, self.staff_action.perform(row.pk, user.pk, form.cleaned_data))
            return HttpResponseRedirect(admin_url(row))
        return TemplateResponse(
            request, "backoffice/confirm.html", self._asking(request, row, form)
        )

    def _permitted(self, request: HttpRequest) -> User:
        user = request.user
        if not isinstance(user, User) or not user.has_perm(self.staff_action.permission):
            raise PermissionDenied
        return user

    def _asking(self, request: HttpRequest, row: Any, form: forms.Form) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": self.staff_action.title,
            "opts": self.opts,
            "original": row,
            "original_url": admin_url(row),
            "staff_action": self.staff_action,
            "form": form,
        }

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page, with the button where it makes sense and is allowed."""
        row = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if (
            row
            and self.staff_action.applies_to(row)
            and request.user.has_perm(self.staff_action.permission)
        ):
            extra["staff_action"] = self.staff_action
            extra["act_url"] = reverse(f"admin:{self._act_name()}", args=[row.pk])
        return super().change_view(request, object_id, form_url, extra)
