"""An admin page that shows and never writes: no add, no change, no delete, for nobody at all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import DateTimeField, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from psycopg2.errors import QueryCanceled

from audit import services as audit
from audit.actions import AuditAction
from backoffice import export
from backoffice.change_list import UncountedChangeList, UncountedPaginator
from backoffice.formats import moment
from backoffice.query import QueryError, Term, condition, parse

# A bare word may be found at this many rows; more is a list of its own, by ``field:value``.
FOUND_MAX: Final = 500

# The keys of the rows that a bare word names. Each asks one index.
Finder = Callable[[str], Iterable[object]]

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
else:
    _Base = admin.ModelAdmin


class ReadOnlyAdmin(_Base):
    """Lists without counts, the search language, an export, and one read-only page a row."""

    change_list_template = "backoffice/change_list.html"
    change_form_template = "backoffice/change_form.html"
    search_fields = ("pk",)  # only switches the search box on; ``terms`` and ``finders`` answer
    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = UncountedPaginator
    sortable_by = ()
    empty_value_display = "—"
    # How the search finds rows: by ``field:value``, and by a bare word.
    terms: ClassVar[Mapping[str, Term]] = {}
    finders: ClassVar[Sequence[Finder]] = ()
    export_columns: ClassVar[export.Columns] = {}
    # Set where a page shows people's data: opening it is then recorded under this subject.
    recorded_as: ClassVar[str] = ""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        """Every field of the page."""
        return tuple(self.get_fields(request, obj))

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """The columns; a time is shown to the second."""
        return self._with_clocks(super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        """The lines of the page; a time is shown to the second."""
        return self._with_clocks(super().get_fields(request, obj))

    def _with_clocks(self, names: Iterable[Any]) -> tuple[Any, ...]:
        times = {field.name for field in self.opts.get_fields() if isinstance(field, DateTimeField)}
        return tuple(moment(name) if name in times else name for name in names)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that does not count."""
        return UncountedChangeList

    def get_urls(self) -> list[URLPattern]:
        """Django's, and the export."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=name), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only the filters on the page: a free lookup could probe columns that are not shown."""
        return lookup in self._filter_parameters(request)

    def _filter_parameters(self, request: HttpRequest | None) -> set[str]:
        names: set[str] = set()
        for item in self.get_list_filter(request) if request else ():
            if isinstance(item, str):
                names |= {item, f"{item}__exact", f"{item}__isnull"}
            else:
                names |= _read_parameters(item)
        return names

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows the search names; none, and a word why, when it cannot be understood."""
        try:
            return queryset.filter(self._condition(search_term)), False
        except QueryError as error:
            messages.warning(request, str(error))
            return queryset.none(), False

    def _condition(self, search: str) -> Q:
        return condition(parse(search), self.terms, self._word)

    def _word(self, operator: str, value: str) -> Q:
        return Q(pk__in=self._found(value))

    def _found(self, word: str) -> list[object]:
        """Looked up first and by each index alone: joined by OR they would read the table."""
        found: dict[object, None] = {}
        for finder in self.finders:
            found |= dict.fromkeys(finder(word))
        return list(found)[:FOUND_MAX]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; or at once the one row that an exact id names."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if only := self._only_match(request):
            return HttpResponseRedirect(self._page(only))
        extra = {
            "search_fields_known": ", ".join(sorted(self.terms)),
            "export_url": self._export_url(),
            **(extra_context or {}),
        }
        try:
            return super().changelist_view(request, extra)
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
            messages.warning(request, "That took too long. Add a day, an id or a filter.")
            return HttpResponseRedirect(request.path)

    def _only_match(self, request: HttpRequest) -> object | None:
        """The key of the row to jump to. An address is a question, never an id."""
        word = request.GET.get("q", "").strip()
        if set(request.GET) != {"q"} or not word or "@" in word:
            return None
        try:
            clauses = parse(word)
        except QueryError:
            return None
        if len(clauses) != 1 or clauses[0].field or clauses[0].negated:
            return None
        found = self._found(clauses[0].value)
        return found[0] if len(found) == 1 else None

    def _page(self, key: object) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[key])

    def _export_url(self) -> str:
        if not self.export_columns:
            return ""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The filtered list as CSV."""
        if not self.export_columns or not self.has_view_permission(request):
            raise PermissionDenied
        back = f"{reverse(f'admin:{self.opts.app_label}_{self.opts.model_name}_changelist')}"
        try:
            self._condition(request.GET.get("q", ""))
            changelist = self.get_changelist_instance(request)
        except (QueryError, IncorrectLookupParameters):
            # The list says what is wrong with it.
            return HttpResponseRedirect(f"{back}?{request.GET.urlencode()}")
        return export.response(
            name=str(self.opts.model_name),
            filtered_by=describe_filter(request),
            rows=changelist.queryset,
            columns=self.export_columns,
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The row's page; opening one with people's data is recorded."""
        row = self.get_object(request, object_id)
        if row is not None and self.recorded_as and self.has_view_permission(request, row):
            record_reading(subject_type=self.recorded_as, row=row)
        return super().change_view(request, object_id, form_url, extra_context)


def record_reading(*, subject_type: str, row: Model) -> None:
    """Write down that the current actor has opened the page of ``row``."""
    key = cast("UUID", row.pk)
    audit.record(
        [audit.event(action=AuditAction.PAGE_READ, subject_type=subject_type, subject_id=key)]
    )


def _read_parameters(item: Any) -> set[str]:
    """The names in the address that a filter class answers to."""
    single = getattr(item, "parameter_name", None)
    span = getattr(item, "parameter", None)
    return {single} if single else {f"{span}_from", f"{span}_to"}


def describe_filter(request: HttpRequest) -> str:
    """The search and the filters of a list as the trail may keep them."""
    pairs = (f"{name}={value}" for name, value in sorted(request.GET.items()) if value)
    return export.without_addresses(" ".join(pairs))
