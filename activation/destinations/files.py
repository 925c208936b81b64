"""A folder that stands in for a destination: one JSON-lines file per batch."""

import json
from pathlib import Path

from activation.destinations.protocol import Batch, Person


class Files:
    """Batches as files, named by their id, so that a batch sent twice is one file."""

    batch_size = 500

    def __init__(self, url: str) -> None:
        self._folder = Path(url.removeprefix("file://"))

    def send(self, batch: Batch) -> dict[str, str]:
        """Write the batch; files refuse nobody."""
        lines = [json.dumps(dict(person), ensure_ascii=False) for person in batch.people]
        self._write(self._folder / batch.audience / f"{batch.batch_id}.jsonl", lines)
        return {}

    def erase(self, audience: str, person: Person) -> None:
        """Take the person's lines out of every file of the audience, and drop cut-off drafts."""
        for draft in (self._folder / audience).glob("*.draft"):
            draft.unlink()
        for path in sorted((self._folder / audience).glob("*.jsonl")):
            lines = path.read_text(encoding="utf-8").split("\n")[:-1]
            kept = [
                line for line in lines if json.loads(line)["customer_id"] != person["customer_id"]
            ]
            if len(kept) < len(lines):
                self._write(path, kept)

    def _write(self, path: Path, lines: list[str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        draft.replace(path)
