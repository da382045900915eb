import re
from inspect import getsource

from payments.diagnosis.causes import CAUSES
from payments.ledger import read_event
from payments.stripe_api import signature
from payments.webhook.refusals import RefusalCode


class TestRefusalCode:
    def test_knows_every_reason_of_the_lower_rooms(self):
        of_signatures = re.findall(r'^    code = "(\w+)"', getsource(signature), re.MULTILINE)
        of_events = re.findall(r'MalformedEvent\(\s*"(\w+)"', getsource(read_event))

        assert len(of_signatures) == 4
        assert of_events
        assert {*of_signatures, *of_events} <= set(RefusalCode)

    def test_is_explained_by_the_diagnosis_whatever_it_is(self):
        """Who asks with another method delivers nothing, and is not counted."""
        assert set(CAUSES) == set(RefusalCode) - {RefusalCode.METHOD_NOT_ALLOWED}
