"""Models of profiles run alone, over tables that a test makes up."""

from tests.marts.conftest import models

__all__ = ["models"]
