"""Features to scores: every model reads the marts and writes one table per score."""
