"""What the processes of tests/warm.py begin with: only their server imports it.

Each would otherwise import dbt and Dagster, parse the project and load the asset graph: some
fourteen seconds of CPU before it does anything, and two more for what is imported when needed.
"""

import gc

import matplotlib.figure  # noqa: F401

import orchestration.cli
import orchestration.run  # noqa: F401
from orchestration.definitions import defs
from orchestration.parsing import loaded_manifest
from warehouse.catalog import manifest_path

MANIFEST = manifest_path()
defs()
loaded_manifest()
gc.freeze()  # what nobody collects stays shared between the processes
