"""What must hold at every instant, each as a query that finds offenders.

Every money rule stands twice: as a constraint or trigger in PostgreSQL, and here. The numbers
are those of the project's list of invariants; R-numbers are rules of the design that the list
does not name. A query returns one row for each offender: its id, and a word about it.
"""

from payments.invariants.check import INVARIANTS, Violation, check, violations
from payments.invariants.invariant import Invariant

__all__ = ["INVARIANTS", "Invariant", "Violation", "check", "violations"]
