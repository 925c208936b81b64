"""Audiences to marketing tools: the difference to what was delivered, sent once."""
