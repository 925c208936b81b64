"""A rules file that cannot be followed is told by its file, its line and what to do."""

import shutil
from pathlib import Path

import pytest

from identity.rules import RulesError
from identity.seeds import FOLDER, checked_seeds


@pytest.fixture()
def seeds(tmp_path: Path) -> Path:
    """Seed files to change."""
    return Path(shutil.copytree(FOLDER, tmp_path / "seeds"))


@pytest.mark.parametrize(
    ("seed", "old", "new", "told"),
    [
        ("identifier_types", "\nemail,4", "\nemail,", "line 5: `priority` is empty"),
        ("identifier_types", "\nemail,4,10", "\nemail,4,nan", "line 5: `weight` must be a number"),
        ("identifier_types", "\nemail,4,10", "\nemail,4,0", "line 5: .*`weight` must be above 0"),
        ("identifier_types", "4,10,1,false", "4,10,1,no", "line 5: `is_unique` must be true or"),
        ("identifier_types", ",1095,", ",3.5,", "`recycling_days` must be a whole number"),
        ("identifier_types", ",trust,", ",trusted,", "has no column `trust`. Columns: identif"),
        ("identifier_types", ",description", ",description,x", "has unknown column `x`"),
        ("identifier_types", ",E-mail", ",E,mail", "line 5: 15 cells, 14 columns"),
        ("blocked_values", "email,test@", "emial,test@", "line 2: unknown identifier type 'emial'"),
        ("blocked_values", '"(test|', '"((test|', "line 3: `pattern` is no regular expression"),
        ("source_trust", "crm,3", "crm,-3", "line 2: `trust` must be 0 or more"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_told_with_its_line(
    seeds: Path, seed: str, old: str, new: str, told: str
) -> None:
    path = seeds / f"{seed}.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(RulesError, match=f"{seed}.csv.*{told}"):
        checked_seeds(seeds)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("o1,glue,crm:1,crm:2,,,seen,ann,2026-01-01", "line 2: .*Kinds: link, cut"),
        ("o1,cut,crm:1,,,,seen,ann,2026-01-01", "line 2: .*needs `record_a` and `record_b`"),
        ("o1,cut,crm:1,crm:2,,,seen,ann,yesterday", "line 2: `decided_at` must be a time such as"),
    ],
)
def test_a_decision_that_is_not_whole_is_told_with_its_line(
    seeds: Path, row: str, told: str
) -> None:
    with (seeds / "identity_overrides.csv").open("a") as lines:
        lines.write(f"{row}\n")
    with pytest.raises(RulesError, match=told):
        checked_seeds(seeds)


def test_a_file_that_is_no_text_is_told(seeds: Path) -> None:
    (seeds / "source_trust.csv").write_bytes(b"source,trust,description\ncrm,3,Zo\xeb\n")
    with pytest.raises(RulesError, match="source_trust.csv cannot be read"):
        checked_seeds(seeds)


def test_a_placeholder_is_a_text_as_any(seeds: Path) -> None:
    with (seeds / "blocked_values.csv").open("a") as lines:
        lines.write("user_id,N/A,false,placeholder\n")
    assert checked_seeds(seeds)["blocked_values"]["pattern"][-1].as_py() == "N/A"
