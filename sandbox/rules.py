"""Behaviour rules: what shoppers decide, and what goes wrong on the wire, for whom.

A rule is looked up by reference, then by gateway, then for everybody. The first time a payment's
reference is seen, its rule is frozen with it. Only the API fault is also read from the
rule that stands at the moment of a call, so that a test can break a refund of a payment that was
made in peace.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandbox.journal import Journal, Json

EVERYBODY = "*"
DELAY_MS_MAX = 24 * 3600 * 1000
SLOW_MS_MAX = 120_000
COPIES_MAX = 100
TIMES_MAX = 1_000_000

DECISIONS = ("ask", "approve", "cancel", "abandon", "pending")
DECLINE = re.compile(r"decline:[A-Za-z0-9_]{1,64}")
SLOW = re.compile(r"slow:[0-9]{1,6}")
ORDERS = ("normal", "before_answer", "reversed")
CORRUPTIONS = ("signature", "body", "amount", "currency", "account", "mode")
# These leave nothing done at the gateway.
FAULTS_BEFORE = ("refuse", "timeout_before", "http_500", "http_429", "garbage")
# These are done at the gateway, but the caller never hears it.
FAULTS_AFTER = ("timeout_after", "reset_after", "cut_body", "http_500_after")


class RuleError(Exception):
    """A behaviour that cannot be understood; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class WebhookRule:
    """How the gateway's messages about a payment travel."""

    copies: int = 1
    delay_ms: int = 0
    order: str = "normal"
    drop: bool = False
    corrupt: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One behaviour.

    ``fault_once`` marks a rule with ``times``: its fault hits an operation once.
    """

    decision: str = "ask"
    decide_after_ms: int = 20
    webhook: WebhookRule = field(default_factory=WebhookRule)
    fault: str | None = None
    fault_once: bool = False

    def as_json(self) -> Json:
        """The rule in the shape of the control interface."""
        whole = asdict(self)
        return {
            "decision": whole["decision"],
            "decide_after_ms": whole["decide_after_ms"],
            "webhook": whole["webhook"],
            "api": {"fault": whole["fault"]},
        }


@dataclass(kw_only=True)
class ActiveRule:
    """A rule that waits for payments, and for how many more (None: for all)."""

    rule: Rule
    times: int | None


class Rules:
    """All active rules, and the frozen rule of every payment seen so far."""

    def __init__(self, journal: Journal, decision: str) -> None:
        """``decision`` is the default when no rule says otherwise (SANDBOX_DECISION)."""
        self._journal = journal
        self.default = Rule(decision=read_decision(decision))
        self._active: dict[tuple[str, str | None], ActiveRule] = {}
        for record in journal.table("rules").values():
            self._stand(record)

    def replace(self, body: object, gateways: Collection[str]) -> Json:
        """Set the whole rule for a gateway and reference.

        Raises RuleError; returns what now stands.
        """
        record = read_behaviour(body, gateways, self.default.decision)
        self._stand(record)
        self._journal.put("rules", rule_key(record["gateway"], record["reference"]), record)
        return record

    def reset(self) -> None:
        """Drop every active rule; payments keep theirs."""
        self._active.clear()
        for key in list(self._journal.table("rules")):
            self._journal.delete("rules", key)

    def active(self) -> list[Json]:
        """The active rules in the shape of the control interface."""
        return [
            {"gateway": gateway, "reference": reference, "times": active.times}
            | active.rule.as_json()
            for (gateway, reference), active in self._active.items()
        ]

    def current(self, gateway: str, reference: str | None = None) -> Rule:
        """The rule that stands now, without counting anybody."""
        found = self._find(gateway, reference)
        return found[1].rule if found else self.default

    def of(self, gateway: str, reference: str) -> Rule:
        """The rule of a payment, frozen when its reference is seen for the first time."""
        record = self._journal.table("payment_rules").get(f"{gateway}:{reference}")
        if record is not None:
            return rule_from(record)
        rule = self._take(gateway, reference)
        frozen = rule.as_json() | {"once": rule.fault_once, "hit": []}
        self._journal.put("payment_rules", f"{gateway}:{reference}", frozen)
        return rule

    def fault(self, gateway: str, reference: str | None, operation: str) -> str | None:
        """The API fault for one call, or None. A fault that hits once is used up by asking.

        A call that concerns no one payment is not counted, so a rule with ``times`` passes it over.
        """
        if reference is None:
            active = self.current(gateway)
            return None if active.fault_once else active.fault
        own = self.of(gateway, reference)
        now = self.current(gateway, reference)
        if now.fault is None and own.fault_once:
            now = own
        if now.fault is None:
            return None
        once = now.fault_once or now.fault in FAULTS_AFTER
        if once and not self._first_time(gateway, reference, f"{operation}:{now.fault}"):
            return None
        return now.fault

    def _first_time(self, gateway: str, reference: str, mark: str) -> bool:
        record = self._journal.table("payment_rules")[f"{gateway}:{reference}"]
        if mark in record["hit"]:
            return False
        record["hit"].append(mark)
        self._journal.put("payment_rules", f"{gateway}:{reference}", record)
        return True

    def _take(self, gateway: str, reference: str) -> Rule:
        found = self._find(gateway, reference)
        if found is None:
            return self.default
        key, active = found
        if active.times is not None:
            active.times -= 1
            self._count_down(key, active)
        return active.rule

    def _count_down(self, key: tuple[str, str | None], active: ActiveRule) -> None:
        name = rule_key(*key)
        if active.times == 0:
            del self._active[key]
            self._journal.delete("rules", name)
        else:
            record = self._journal.table("rules")[name] | {"times": active.times}
            self._journal.put("rules", name, record)

    def _find(
        self, gateway: str, reference: str | None
    ) -> tuple[tuple[str, str | None], ActiveRule] | None:
        for key in (
            (gateway, reference),
            (EVERYBODY, reference),
            (gateway, None),
            (EVERYBODY, None),
        ):
            active = self._active.get(key)
            if active is not None:
                return key, active
        return None

    def _stand(self, record: Json) -> None:
        key = (record["gateway"], record["reference"])
        self._active[key] = ActiveRule(rule=rule_from(record), times=record["times"])


def rule_key(gateway: str, reference: str | None) -> str:
    """The key of an active rule in the journal."""
    return f"{gateway}:{reference or ''}"


def rule_from(record: Json) -> Rule:
    """A rule from its stored shape, which was checked when it came in."""
    return Rule(
        decision=record["decision"],
        decide_after_ms=record["decide_after_ms"],
        webhook=WebhookRule(**record["webhook"]),
        fault=record["api"]["fault"],
        fault_once=record.get("once", record.get("times") is not None),
    )


def read_behaviour(body: object, gateways: Collection[str], decision: str) -> Json:
    """Check a behaviour sent by a test or a person and fill in the defaults. Raises RuleError."""
    given = Members(body, "the body")
    webhook = Members(given.take("webhook", {}), "webhook")
    api = Members(given.take("api", {}), "api")
    record = {
        "gateway": given.one_of("gateway", (*gateways, EVERYBODY), required=True),
        "reference": given.text_or_none("reference"),
        "times": given.whole("times", None, 1, TIMES_MAX),
        "decision": read_decision(given.take("decision", decision)),
        "decide_after_ms": given.whole("decide_after_ms", 20, 0, DELAY_MS_MAX),
        "webhook": {
            "copies": webhook.whole("copies", 1, 1, COPIES_MAX),
            "delay_ms": webhook.whole("delay_ms", 0, 0, DELAY_MS_MAX),
            "order": webhook.one_of("order", ORDERS, default="normal"),
            "drop": webhook.truth("drop"),
            "corrupt": webhook.one_of("corrupt", CORRUPTIONS),
        },
        "api": {"fault": read_fault(api.take("fault", None))},
    }
    for members in (given, webhook, api):
        members.nothing_left()
    return record


def read_decision(value: object) -> str:
    """A decision word. Raises RuleError."""
    if isinstance(value, str) and (value in DECISIONS or DECLINE.fullmatch(value)):
        return value
    known = ", ".join((*DECISIONS, "decline:<code>"))
    raise RuleError(f"decision must be one of {known}; got {value!r}.")


def read_fault(value: object) -> str | None:
    """An API fault word, or None. Raises RuleError."""
    if value is None or value in (*FAULTS_BEFORE, *FAULTS_AFTER):
        return value
    if isinstance(value, str) and SLOW.fullmatch(value) and slow_ms(value) <= SLOW_MS_MAX:
        return value
    known = ", ".join((*FAULTS_BEFORE, *FAULTS_AFTER, f"slow:<ms up to {SLOW_MS_MAX}>"))
    raise RuleError(f"api.fault must be null or one of {known}; got {value!r}.")


def slow_ms(fault: str) -> int:
    """The milliseconds of a ``slow:<ms>`` fault; 0 for every other fault."""
    return int(fault.removeprefix("slow:")) if fault.startswith("slow:") else 0


class Members:
    """The members of one JSON object, taken one by one, so that what is left over is an error."""

    def __init__(self, value: object, name: str) -> None:
        """Raises RuleError when the value is no object."""
        if not isinstance(value, dict):
            raise RuleError(f"{name} must be a JSON object.")
        self._left: dict[str, Any] = dict(value)
        self._name = name

    def take(self, key: str, default: object) -> Any:
        """The raw value of one member."""
        return self._left.pop(key, default)

    def text_or_none(self, key: str) -> str | None:
        """Non-empty text, or None."""
        value = self.take(key, None)
        if value is None or (isinstance(value, str) and value):
            return value
        raise RuleError(f"{key} must be null or non-empty text; got {value!r}.")

    def one_of(
        self,
        key: str,
        known: Collection[str],
        *,
        default: str | None = None,
        required: bool = False,
    ) -> str | None:
        """One word of a list; a missing member or null is the default."""
        value = self.take(key, None)
        if value is None and not required:
            return default
        if isinstance(value, str) and value in known:
            return value
        raise RuleError(f"{key} must be one of {', '.join(known)}; got {value!r}.")

    def whole(self, key: str, default: int | None, low: int, high: int) -> int | None:
        """A whole number between two limits; a missing member or null is the default."""
        value = self.take(key, None)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise RuleError(f"{key} must be a whole number from {low} to {high}; got {value!r}.")

    def truth(self, key: str) -> bool:
        """True or false; a missing member is false."""
        value: Literal[True, False] | object = self.take(key, False)  # noqa: FBT003 - a JSON value
        if isinstance(value, bool):
            return value
        raise RuleError(f"{key} must be true or false; got {value!r}.")

    def nothing_left(self) -> None:
        """Raise RuleError if a member was not understood."""
        if self._left:
            raise RuleError(f"{self._name} has unknown members: {', '.join(sorted(self._left))}.")
