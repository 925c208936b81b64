"""The outside world to the lake: one dlt pipeline and one raw schema per source."""
