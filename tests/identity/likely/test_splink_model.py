"""A model trained by Splink 5 (`splink_model.json`, on its own fake_1000) becomes one of ours."""

import json
from pathlib import Path

import pytest

from identity.splink_model import SplinkModelError, load_splink_model

MODEL = Path(__file__).with_name("splink_model.json")
FIELDS = {
    "first_name": "given_name",
    "surname": "family_name",
    "dob": "date",
    "city": "city",
    "email": "email",
}


def test_an_imported_level_weighs_what_splink_says() -> None:
    theirs = json.loads(MODEL.read_text())["comparisons"][0]["comparison_levels"][1]
    ours = load_splink_model(MODEL, FIELDS).comparisons["first_name"].levels[-1]
    assert (ours.name, ours.m, ours.u) == (
        "same",
        theirs["m_probability"],
        theirs["u_probability"],
    )


def test_a_level_that_splink_does_not_know_weighs_as_the_next_lower() -> None:
    levels = {one.name: one for one in load_splink_model(MODEL, FIELDS).comparisons["dob"].levels}
    assert levels["same year"].weight == levels["differs"].weight


def test_a_comparison_without_counterpart_is_named() -> None:
    with pytest.raises(SplinkModelError, match="'city'"):
        load_splink_model(MODEL, {name: FIELDS[name] for name in ("first_name", "surname")})


def test_a_level_without_counterpart_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(MODEL.read_text().replace('\\"city_l\\" = \\"city_r\\"', "soundex(city_l)"))
    with pytest.raises(SplinkModelError, match="soundex"):
        load_splink_model(path, FIELDS)


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text("{}")
    with pytest.raises(SplinkModelError, match="no Splink model"):
        load_splink_model(path, FIELDS)
