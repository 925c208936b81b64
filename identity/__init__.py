"""The algorithms that the identity models call: phone numbers and stable customer ids."""
