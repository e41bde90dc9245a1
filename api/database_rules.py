"""``docs/triggers.md``: what PostgreSQL itself enforces, read from the models."""

from collections.abc import Iterator
from typing import Any, Final

import pgtrigger
from django.apps import apps
from django.db.models import CheckConstraint, Model, UniqueConstraint

# Our own, in the order of the floors.
APPS: Final = ("audit", "accounts", "notifications", "orders", "payments")
INTRODUCTION: Final = (
    "What PostgreSQL refuses by itself, whoever asks: each money rule stands here and, as a query"
    " that finds offenders, in `manage.py check_invariants`."
)
# What triggers with a body of their own do; the others say it by their kind.
_SENTENCES: Final = {
    "no_truncate": "Refuses TRUNCATE.",
    "transaction_moves_uncharged": "Lets a payment move to another gateway only while it is proven"
    " that the first one has charged nothing.",
    "transaction_version": "Refuses a change of `status` unless `version` grows by one in the same"
    " statement, and any other change of `version`.",
}


def describe_tables() -> Iterator[str]:
    """The lines of the page: a section for each table that has a rule."""
    for model in _find_models():
        rules = [*_describe_triggers(model), *_describe_constraints(model)]
        if rules:
            yield from (f"## `{model._meta.db_table}`", "", *rules, "")


def _find_models() -> Iterator[type[Model]]:
    for label in APPS:
        models = apps.get_app_config(label).get_models()
        yield from sorted(models, key=lambda model: model._meta.db_table)


def _describe_triggers(model: type[Model]) -> Iterator[str]:
    triggers: list[Any] = list(getattr(model._meta, "triggers", []))
    for trigger in sorted(triggers, key=lambda each: str(each.name)):
        yield f"- Trigger `{trigger.name}`: {_describe_trigger(trigger)}"


def _describe_trigger(trigger: Any) -> str:
    """One plain sentence. Raises KeyError for a trigger that nobody has described."""
    match trigger:
        case pgtrigger.FSM():
            moves = ", ".join(f"{before} → {after}" for before, after in trigger.transitions)
            return f"`{trigger.field}` changes only {moves}."
        case pgtrigger.ReadOnly():
            names = ", ".join(f"`{name}`" for name in trigger.fields or ())
            return f"Refuses changes of {names}."
        case pgtrigger.Protect():
            return (
                f"Refuses {str(trigger.operation).replace(' OR ', ' and ')}{_condition(trigger)}."
            )
    return _SENTENCES[trigger.name]


def _condition(trigger: Any) -> str:
    return " where its condition holds" if trigger.condition else ""


def _describe_constraints(model: type[Model]) -> Iterator[str]:
    for constraint in sorted(model._meta.constraints, key=lambda each: each.name):
        if isinstance(constraint, CheckConstraint):
            yield f"- Check `{constraint.name}`"
        elif isinstance(constraint, UniqueConstraint):
            fields = ", ".join(f"`{name}`" for name in constraint.fields)
            part = " among some of the rows" if constraint.condition else ""
            yield f"- Unique `{constraint.name}`: one row for each {fields}{part}."
