"""A company made by hand, which every test finds empty."""

from collections.abc import Iterator

import pytest

from tests.identity.world import TYPES, World, company


@pytest.fixture(scope="module")
def memory() -> Iterator[World]:
    with company() as made:
        yield made


@pytest.fixture()
def world(memory: World) -> World:
    memory.forget()
    memory.types = TYPES
    return memory
