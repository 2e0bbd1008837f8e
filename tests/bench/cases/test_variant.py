"""Variants: words that each set one thing, read once."""

import pytest

from bench.cases.case import Case
from bench.cases.variant import Variant

SWEPT = Case("mlp", "mlp", "digits", "relu", "adam", "dropout0.5_lr0.01")


def test_a_variant_sets_what_its_words_say_and_a_bare_word_is_one():
    assert Variant.parse("dropout0.5_lr0.01").settings == {"dropout": 0.5, "lr": 0.01}
    assert Variant.parse("triangular").settings == {"triangular": 1}
    assert Variant.parse("").settings == {}


def test_a_case_knows_its_settings():
    assert SWEPT.settings["lr"] == 0.01
    assert SWEPT.settings is SWEPT.settings


def test_what_is_left_without_a_setting_keeps_its_order_and_its_writing():
    assert str(Variant.parse("width0.50_lr0.01_depth7").without("lr")) == "width0.50_depth7"
    assert SWEPT.without("lr").id == "mlp-mlp-digits-relu-adam-dropout0.5"
    assert SWEPT.without("dropout", "lr").variant == ""
    assert SWEPT.without("hinges") == SWEPT


@pytest.mark.parametrize("text", ["0.5", "lr0.01.2", "lr1e3", "lr."])
def test_a_word_that_is_no_name_and_number_is_refused_when_the_case_is_made(text):
    with pytest.raises(ValueError, match="is not a name and a decimal number"):
        Case("mlp", "mlp", "digits", "relu", "adam", text)


def test_two_values_of_one_setting_are_refused():
    with pytest.raises(ValueError, match="sets lr twice"):
        Variant.parse("lr0.1_lr0.01")
