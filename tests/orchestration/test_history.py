"""The history that a refresh writes is the one that the Dagster UI reads."""

from pathlib import Path

import dagster as dg

from orchestration.history import open_instance
from orchestration.run import prepare_dagster_home


@dg.asset
def thing() -> dg.MaterializeResult[None]:
    """One row."""
    return dg.MaterializeResult(metadata={"rows": 1})


def test_dagster_reads_every_run_and_event_that_was_written(home: Path) -> None:
    written = []
    for _ in range(2):
        with open_instance(prepare_dagster_home()) as instance:
            written.append(dg.materialize([thing], instance=instance).run_id)
    with dg.DagsterInstance.get() as instance:
        runs = [(run.run_id, run.is_success) for run in instance.get_runs()]
        kept = instance.fetch_materializations(thing.key, limit=9).records
        ends = [instance.all_logs(run_id)[-1].dagster_event_type for run_id in written]
    assert runs == [(run_id, True) for run_id in reversed(written)]
    assert [record.asset_materialization.metadata["rows"].value for record in kept] == [1, 1]
    assert ends == [dg.DagsterEventType.RUN_SUCCESS] * 2
