import pytest

from components.core.config import parse_config
from components.core.errors import RecipeError
from components.curation.card import RAI_WORDS
from components.curation.dataset_texts import NOT_STATED, DatasetTexts, responsible_ai, step_settings
from components.curation.numbers import Difficulty, StepCount
from tests.curation.made_numbers import made_numbers


def test_what_a_recipe_does_not_say_is_said_to_be_missing() -> None:
    said = responsible_ai(made_numbers(), DatasetTexts(), {})

    assert set(said) == set(RAI_WORDS)
    for name in ("dataSocialImpact", "dataReleaseMaintenancePlan"):
        assert said[name] == [NOT_STATED]
    for name in ("dataCollection", "dataAnnotationProtocol", "dataBiases", "personalSensitiveInformation"):
        assert said[name][-1].lower().endswith("not stated by the recipe.")


def test_what_a_recipe_says_stands_beside_what_is_known() -> None:
    texts = DatasetTexts(
        collection="From maps.", annotation="By cartographers.", biases="Few rivers.", limitations="No seas.",
        personal_information="None.", uses="Reading maps.", social_impact="Small.", maintenance="Yearly.",
    )  # fmt: skip

    said = responsible_ai(made_numbers(), texts, {})

    assert said["dataCollection"] == ["100 rows were taken from 1 source: maps (CC0-1.0).", "From maps."]
    stated = ("By cartographers.", "Few rivers.", "No seas.", "None.", "Reading maps.", "Small.", "Yearly.")
    everything = [sentence for sentences in said.values() for sentence in sentences]
    assert set(stated) <= set(everything)
    assert not [sentence for sentence in everything if "not stated" in sentence.lower()]


def test_preprocessing_names_each_step_with_its_settings_and_counts() -> None:
    settings = {"judge": {"decontamination": {"enabled": True, "gram_tokens": 13}, "duplicates": {"enabled": False}}}

    duplicates, leaks = responsible_ai(made_numbers(), DatasetTexts(), settings)["dataPreprocessingProtocol"]

    assert duplicates == "exact duplicates: switched off."
    assert leaks == (
        "decontamination: Rows that repeat a question of a benchmark are taken out (gram_tokens 13). 96 rows in, "
        "90 kept, 6 quarantined, 0 duplicates."
    )


def test_settings_of_a_step_are_found_by_its_name() -> None:
    settings = {"pii": {"a": 1}, "near_duplicates": {"b": 2}, "sources": [{"kind": "hub"}], "heldout_fraction": 0.1}

    assert step_settings("pii", settings) == {"a": 1}
    assert step_settings("near duplicates", settings) == {"b": 2}
    assert step_settings("heldout fraction", settings) == {}


def test_limits_follow_what_was_checked() -> None:
    unchecked = made_numbers(benchmarks=None, difficulty=Difficulty((0,) * 10, 0, 0, 90))

    checked, open_ = (
        " ".join(responsible_ai(numbers, DatasetTexts(), {})["dataLimitations"])
        for numbers in (made_numbers(), unchecked)
    )

    assert "held against these benchmarks and no others: ocrbench, chartqa." in checked
    assert "was not measured" not in checked
    assert "were not held against any benchmark" in open_
    assert "was not measured" in open_
    assert "30 of the 90 examples" in checked


def test_personal_information_is_said_to_be_looked_for_where_it_was() -> None:
    searched = made_numbers(steps=(StepCount("pii", 100, 98, 2, 0),))

    assert responsible_ai(searched, DatasetTexts(), {})["personalSensitiveInformation"][0] == (
        "Texts were searched for personal information; 2 rows were taken out. What images show was not searched."
    )
    off = responsible_ai(searched, DatasetTexts(), {"pii": {"enabled": False}})["personalSensitiveInformation"][0]
    none = responsible_ai(made_numbers(), DatasetTexts(), {})["personalSensitiveInformation"][0]
    assert off == none == "No step looked for personal information."


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"version": "v1"}, "version"),
        ({"date_published": "May"}, "date_published"),
        ({"name": ""}, "name"),
        ({"bias": "none"}, "did you mean 'biases'"),
    ],
)
def test_texts_that_cannot_be_are_refused_by_name(values: dict[str, str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse_config(DatasetTexts, values, "texts")
