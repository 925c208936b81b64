"""The algorithms that the identity models call: phone numbers, links, clusters and stable ids."""
