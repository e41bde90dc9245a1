"""The staff's search language: ``status:failed amount>1000 -method:card "an exact phrase"``.

Clauses are joined by AND. A clause is a bare word, or a field with an operator (``:`` ``=``
``>`` ``<`` ``>=`` ``<=``) and a value; a minus in front turns it round; quotes keep spaces.
A list names its fields in a table of terms; each term turns an operator and a value into ``Q``.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

QUERY_LENGTH_MAX: Final = 300
CLAUSES_MAX: Final = 12

# What a field of a list does with an operator and a value; raises QueryError.
Term = Callable[[str, str], Q]

_CLAUSE: Final = re.compile(
    r"""(?P<minus>-?)
        (?![A-Za-z_]+[:=<>]+(?:\s|$))  # a field without a value is no word
        (?:(?P<field>[A-Za-z_]+)(?P<operator>>=|<=|[:=<>]))?
        (?:"(?P<quoted>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"']+))
        (?:\s+|$)""",
    re.VERBOSE,
)
_SUFFIX: Final = {":": "", "=": "", ">": "__gt", "<": "__lt", ">=": "__gte", "<=": "__lte"}


class QueryError(ValueError):
    """The query cannot be understood; the message tells a person how to mend it."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition. ``field`` is "" for a bare word."""

    field: str
    operator: str
    value: str
    negated: bool = False


def parse(text: str) -> list[Clause]:
    """The clauses of ``text``. Raises QueryError."""
    if len(text) > QUERY_LENGTH_MAX:
        raise QueryError(f"Search for at most {QUERY_LENGTH_MAX} characters.")
    if "\x00" in text:
        raise QueryError("The search holds a character that no text can hold.")
    clauses = list(_clauses(text.strip()))
    if len(clauses) > CLAUSES_MAX:
        raise QueryError(f"Use at most {CLAUSES_MAX} conditions.")
    return clauses


def _clauses(text: str) -> Iterable[Clause]:
    position = 0
    while position < len(text):
        match = _CLAUSE.match(text, position)
        if match is None:
            raise QueryError("A quote is not closed, or a value is missing after a field.")
        position = match.end()
        clause = _clause(match)
        # The word that Stripe's users type between conditions is what a space means anyway.
        if clause.field or clause.value != "AND":
            yield clause


def _clause(match: re.Match[str]) -> Clause:
    values = (match["quoted"], match["single"], match["bare"])
    value = next(value for value in values if value is not None)
    if value == "OR" and not match["field"]:
        raise QueryError("Conditions are joined by AND only: search twice instead of OR.")
    return Clause(
        field=(match["field"] or "").lower(),
        operator=match["operator"] or ":",
        value=value,
        negated=bool(match["minus"]),
    )


def condition(clauses: Iterable[Clause], terms: Mapping[str, Term], word: Term) -> Q:
    """All ``clauses`` as one condition; ``word`` treats the bare ones. Raises QueryError."""
    whole = Q()
    for clause in clauses:
        part = _term(clause, terms, word)(clause.operator, clause.value)
        whole &= ~part if clause.negated else part
    return whole


def _term(clause: Clause, terms: Mapping[str, Term], word: Term) -> Term:
    if not clause.field:
        return word
    if clause.field not in terms:
        known = ", ".join(sorted(terms))
        raise QueryError(f"There is no field “{clause.field}” here. The fields are: {known}.")
    return terms[clause.field]


def text(*lookups: str) -> Term:
    """Equal to one of the columns, letter for letter; that is what an index can answer."""

    def term(operator: str, value: str) -> Q:
        _require_equality(operator)
        return _match_any(Q(**{lookup: value}) for lookup in lookups)

    return term


def email(lookup: str) -> Term:
    """An address as it was typed, or in lower case."""

    def term(operator: str, value: str) -> Q:
        _require_equality(operator)
        return Q(**{f"{lookup}__in": {value, value.lower()}})

    return term


def choice(lookup: str, values: Iterable[str]) -> Term:
    """One of ``values``, in capitals or not."""
    known = {str(value).lower(): str(value) for value in values}

    def term(operator: str, value: str) -> Q:
        _require_equality(operator)
        if value.lower() not in known:
            raise QueryError(f"“{value}” is none of: {', '.join(known.values())}.")
        return Q(**{lookup: known[value.lower()]})

    return term


def flag(lookup: str) -> Term:
    """``yes`` or ``no``."""
    answers = {"yes": True, "true": True, "no": False, "false": False}

    def term(operator: str, value: str) -> Q:
        _require_equality(operator)
        if value.lower() not in answers:
            raise QueryError(f"“{value}” is neither yes nor no.")
        return Q(**{lookup: answers[value.lower()]})

    return term


def number(lookup: str, *, largest: int = 2**63 - 1) -> Term:
    """A whole number; every operator. ``#1003`` is read as 1003."""

    def term(operator: str, value: str) -> Q:
        digits = value.removeprefix("#")
        if not (digits.isascii() and digits.isdigit()) or int(digits) > largest:
            raise QueryError(f"“{value}” is not a whole number that fits here.")
        return Q(**{lookup + _SUFFIX[operator]: int(digits)})

    return term


def day(lookup: str) -> Term:
    """A date (2026-11-22) on the reader's clock; ``:`` means that day, ``>`` after it."""

    def term(operator: str, value: str) -> Q:
        start = start_of_day(read_date(value))
        end = start_of_day(read_date(value) + timedelta(days=1))
        within: dict[str, dict[str, datetime]] = {
            ":": {"gte": start, "lt": end},
            "=": {"gte": start, "lt": end},
            ">": {"gte": end},
            ">=": {"gte": start},
            "<": {"lt": start},
            "<=": {"lt": end},
        }
        return Q(**{f"{lookup}__{bound}": at for bound, at in within[operator].items()})

    return term


def identifier(lookup: str, *prefixes: str) -> Term:
    """An id: with one of the public prefixes (``pay``), as plain hex, or as a UUID."""

    def term(operator: str, value: str) -> Q:
        _require_equality(operator)
        found = read_id(value, *prefixes)
        if found is None:
            raise QueryError(f"“{value}” is not an id of this kind.")
        return Q(**{lookup: found})

    return term


def read_id(value: str, *prefixes: str) -> UUID | None:
    """The id in ``value``: ``pay_018f…``, 32 hex digits, or a UUID with dashes."""
    prefix, _, rest = value.strip().rpartition("_")
    if prefix and prefix not in prefixes:
        return None
    digits = rest.replace("-", "").lower()
    return UUID(hex=digits) if re.fullmatch(r"[0-9a-f]{32}", digits) else None


def read_date(value: str) -> date:
    """An ISO date of a year that the database and every time zone can hold."""
    try:
        found = date.fromisoformat(value)
    except ValueError as error:
        raise QueryError(f"“{value}” is not a date such as 2026-11-22.") from error
    if not 2000 <= found.year < 3000:  # noqa: PLR2004 - nothing was paid outside of it
        raise QueryError(f"“{value}” is not a year of ours.")
    return found


def start_of_day(when: date) -> datetime:
    """Midnight of ``when`` on the clock that the reader's pages show."""
    return datetime.combine(when, time.min, tzinfo=timezone.get_current_timezone())


def _require_equality(operator: str) -> None:
    if operator not in {":", "="}:
        raise QueryError("This field is compared by “:” only.")


def _match_any(parts: Iterable[Q]) -> Q:
    whole = Q()
    for part in parts:
        whole |= part
    return whole
