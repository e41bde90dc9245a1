"""List filters that ask the database nothing: a range of days or sums, and known values."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from backoffice.query import QueryError, day


class RangeFilter(admin.ListFilter):
    """From and to, both included; ``parameter`` names it in the address."""

    template = "backoffice/range_filter.html"
    parameter: ClassVar[str]
    input_type: ClassVar[str] = "text"
    # Wrapped, or reading it from the class would make a method of it.
    term: "ClassVar[staticmethod[[str, str], Q]]"

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Any],
        model_admin: "admin.ModelAdmin[Any]",
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self._names():
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1].strip()

    def has_output(self) -> bool:
        """Always there to be filled in."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """``amount_from`` and ``amount_to``."""
        return [*self._names()]

    def _names(self) -> tuple[str, str]:
        return f"{self.parameter}_from", f"{self.parameter}_to"

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """One form; it keeps the search and the other filters."""
        kept = {
            name: value for name, value in changelist.params.items() if name not in self._names()
        }
        inputs = [
            {"name": name, "label": label, "value": self.used_parameters.get(name, "")}
            for name, label in zip(self._names(), ("from", "to"), strict=True)
        ]
        yield {"inputs": inputs, "kept": kept.items(), "type": self.input_type}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows within the range; none, and a word why, when it cannot be read."""
        try:
            return queryset.filter(self._condition())
        except QueryError as error:
            messages.warning(request, str(error))
            return queryset.none()

    def _condition(self) -> Q:
        whole = Q()
        for name, operator in zip(self._names(), (">=", "<="), strict=True):
            if value := self.used_parameters.get(name, ""):
                whole &= self.term(operator, str(value))
        return whole


class CreatedFilter(RangeFilter):
    """The days of ``created_at``."""

    title = "day"
    parameter = "created"
    input_type = "date"
    term = staticmethod(day("created_at"))


class ValuesFilter(ABC, admin.SimpleListFilter):
    """Known values of a column. Django's own filter reads the whole table to find them."""

    @abstractmethod
    def values(self) -> Iterable[str]:
        """What may stand in the column."""

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        """Each value by its own name."""
        return [(value, value) for value in self.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with the chosen value."""
        if self.value() is None:
            return queryset
        return queryset.filter(**{str(self.parameter_name): self.value()})
