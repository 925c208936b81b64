"""A company whose truth is known, made around real purchases."""
