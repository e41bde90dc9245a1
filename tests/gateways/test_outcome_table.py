"""The table of outcome kinds by verb, as a literal: a change of it is a change of the contract.

Every contract test holds its adapter to it: ``contract/payment.py`` checks each outcome.
"""

from gateways.base import OUTCOMES_BY_VERB
from gateways.operation import Verb
from gateways.outcome import OutcomeKind


class TestOutcomesByVerb:
    def test_names_every_verb(self) -> None:
        assert set(OUTCOMES_BY_VERB) == set(Verb)

    def test_lets_every_verb_be_unknown_or_not_done(self) -> None:
        for kinds in OUTCOMES_BY_VERB.values():
            assert kinds >= {OutcomeKind.UNKNOWN, OutcomeKind.NOT_DONE}

    def test_hands_out_pages_only_where_a_payment_is_begun_or_approved(self) -> None:
        pages = {verb for verb, kinds in OUTCOMES_BY_VERB.items() if "ACTION_REQUIRED" in kinds}
        assert pages == {Verb.CREATE, Verb.CAPTURE}

    def test_never_answers_a_question_about_a_refund_with_a_hold(self) -> None:
        for verb in (Verb.REFUND, Verb.QUERY_REFUND):
            assert OutcomeKind.AUTHORIZED not in OUTCOMES_BY_VERB[verb]
