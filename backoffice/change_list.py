"""A list that never counts: on a table of millions the count costs more than the page."""

from typing import TYPE_CHECKING, Any, Final

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

# Each page further back costs the rows before it; past this, a date or a filter is the way.
PAGES_MAX: Final = 200

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator


class UncountedPaginator(_Paginator):
    """What Django's list asks of a paginator, without asking the database."""

    count = 0


class UncountedChangeList(ChangeList):
    """Newest first, a page at a time; one row more than fits tells whether there is another."""

    has_older: bool
    is_cut: bool

    def get_results(self, request: HttpRequest) -> None:
        """Fetch this page and one row more."""
        self.page_num = min(max(self.page_num, 1), PAGES_MAX)
        first = (self.page_num - 1) * self.list_per_page
        rows = list(self.queryset[first : first + self.list_per_page + 1])
        is_last_page = self.page_num == PAGES_MAX
        self.has_older = len(rows) > self.list_per_page and not is_last_page
        self.is_cut = len(rows) > self.list_per_page and is_last_page
        self.result_list = rows[: self.list_per_page]
        self.prepare_rows(self.result_list)
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = False
        self.can_show_all = False
        self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)

    def prepare_rows(self, rows: list[Any]) -> None:
        """A chance for a list to fetch at once what each row of a page needs."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The one order that an index serves; ``?o=`` could ask for any other."""
        return [*self.model_admin.get_ordering(request)]

    def older_url(self) -> str:
        """The next page, back in time."""
        return self.get_query_string({"p": self.page_num + 1})

    def newer_url(self) -> str:
        """The page before this one."""
        return self.get_query_string({"p": self.page_num - 1})

    def export_query(self) -> str:
        """The search and the filters, for the export of what they find."""
        return self.get_query_string(remove=["p"])
