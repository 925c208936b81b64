"""The default link model in the tree is what its script makes."""

import pytest

from benchmarks.default_model import made
from identity.likely import LinkModel
from identity.likely.training import DEFAULT


@pytest.mark.slow
def test_the_default_model_is_made_from_its_seed_alone() -> None:
    assert made() == LinkModel.load(DEFAULT)
