from datetime import UTC, datetime, timedelta

import pytest

from payments.samples.template import BEGAN, Blanks, Template, Unfit, unmistakable

ORDER = unmistakable(1)
BEGINNING = datetime(2026, 3, 2, 12, tzinfo=UTC)


def copied(text: str, *, began: datetime = BEGINNING, **values: str) -> str:
    """What becomes of the text in a copy that begins then."""
    blanks = Blanks({str(ORDER): "order", "Nescio": "name", "Nescio Nomen": "title"})
    cut = blanks.cut_out(text)
    template = Template({}, blanks, [], timedelta(0))
    return cut % template.values({"order": "12", "name": "Zoé", "title": "Chorale", **values}, began=began)


class TestTemplate:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (f"{ORDER}\tpi_demo{ORDER}\tclosed:{ORDER}:1\n", "12\tpi_demo12\tclosed:12:1\n"),
            ("the longer name first: Nescio Nomen, Nescio", "the longer name first: Chorale, Zoé"),
            ("100 % of %(order)s and %s", "100 % of %(order)s and %s"),
        ],
    )
    def test_writes_the_copys_values_wherever_those_of_the_one_order_stand(self, text, expected):
        assert copied(text) == expected

    def test_moves_moments_with_their_microseconds_and_seconds_as_stripe_counts_them(self):
        paid = BEGAN + timedelta(seconds=74, microseconds=5)
        text = f'{paid.isoformat(" ")}\t{{"created": {int(paid.timestamp())}, "at": "{paid.isoformat()}"}}'

        moved = BEGINNING + timedelta(seconds=74, microseconds=5)
        told = f'{moved.isoformat(" ")}\t{{"created": {int(moved.timestamp())}, "at": "{moved.isoformat(" ")}"}}'
        assert copied(text) == told

    @pytest.mark.parametrize("text", ["1999999999", "cs_1296705906", "1296705906.5", "12967059061", "2024-01-01"])
    def test_leaves_what_is_no_moment_of_the_one_order(self, text):
        assert copied(text) == text

    @pytest.mark.parametrize("name", ['Ada "Lady" L', "back\\slash", "tab\tulator", "line\nbreak"])
    def test_refuses_a_value_that_would_end_the_text_around_it(self, name):
        with pytest.raises(Unfit):
            copied("Nescio", name=name)
