"""What browser SDKs ask for before they send: settings without any vendor's destinations.

They say that events go to the host that was asked, so a page needs to know nothing but that host.
"""

import re

import orjson

SEGMENT = re.compile(r"/v1/projects/([^/]{1,200})/settings")
RUDDERSTACK = "/sourceConfig"
OFF = {"enabled": False}


def segment(write_key: str, base_url: str) -> bytes:
    """The settings of analytics.js: events to this collector, no metrics to its vendor."""
    protocol, _, host = base_url.partition("://")
    ours = {"apiKey": write_key, "apiHost": f"{host}/v1", "protocol": protocol}
    return orjson.dumps({"integrations": {"Segment.io": ours}, "metrics": {"sampleRate": 0}})


def rudderstack(write_key: str, source: str) -> bytes:
    """The source as RudderStack's control plane describes it: switched on, sending nowhere else."""
    reports = {"statsCollection": {"errors": OFF, "metrics": OFF}}
    described = {"id": source, "name": source, "writeKey": write_key, "enabled": True}
    return orjson.dumps({"source": {**described, "config": reports, "destinations": []}})
