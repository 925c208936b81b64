"""The only package that knows Dagster: the asset graph, and the command line over the same code."""
