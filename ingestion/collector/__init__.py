"""The HTTP collector: what Segment and RudderStack SDKs send becomes log segments in the web inbox.

A 200 means that the events are on disk. The web source loads the segments once they are closed.
"""
