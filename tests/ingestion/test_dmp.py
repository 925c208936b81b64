from ingestion.pipeline import load
from tests.ingestion.samples import Drops, seen_values

HEADER = "dmp_id,email_sha256,segment,score,collected_on,expires_on\n"


def test_loading_twice_adds_nothing(dmp: Drops) -> None:
    dmp.drop("segments_2011-12-01.csv", f"{HEADER}d1,ab,travel,0.7,2011-12-01,2011-12-31\n")

    counts = [load("dmp").accepted for _ in range(2)]

    assert (counts, seen_values("raw_dmp.segments", "score")) == ([1, 0], [0.7])


def test_a_bad_line_keeps_only_itself_out(dmp: Drops) -> None:
    good, bad = "d1,,travel,0.7,2011-12-01,\n", "d2,,travel,high,2011-12-01,\n"
    dmp.drop("segments_2011-12-01.csv", HEADER + bad + good + "d3,,travel\n")

    report = load("dmp")

    assert (report.accepted, report.quarantined) == (1, 2)
