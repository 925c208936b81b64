"""What may import what, where lint cannot see it."""

from pathlib import Path

import settings

PIPELINE = ("activation", "identity", "ingestion", "ml", "privacy", "serving", "warehouse")


def _sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (settings.PROJECT / folder).rglob("*.py")]


def test_only_settings_reads_where_things_are() -> None:
    readers = [str(path) for path in _sources(*PIPELINE) if 'environ["CDP' in path.read_text()]
    assert readers == []


def test_the_lock_holds_pins_and_hashes_and_no_address() -> None:
    assert "://" not in (settings.PROJECT / "requirements.lock").read_text()
