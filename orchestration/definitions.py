"""The entry point: every asset, check, sensor and schedule under defs/."""

import dagster as dg

import settings

settings.prepare()


@dg.definitions
def defs() -> dg.Definitions:
    """The whole platform as one asset graph."""
    return dg.load_from_defs_folder(path_within_project=settings.PROJECT / "orchestration")
