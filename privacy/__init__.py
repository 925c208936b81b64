"""Access, erasure and the inventory of personal data, across every store."""
