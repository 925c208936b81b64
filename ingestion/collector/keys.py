"""Write keys: who may send events, for which source and from which web sites.

Kept as keyed hashes in CDP_HOME/collector/keys.json. To rotate, add a key, move the senders over,
revoke the old one: both work in between.
"""

import base64
import binascii
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import settings
from settings import ForeseenError

LOOK_SECONDS = 1.0  # how often a running collector looks for changed keys


class UnknownKeyError(ForeseenError):
    """There is no such write key."""


@dataclass(frozen=True)
class WriteKey:
    """One write key; `key_id` names it without giving it away."""

    key_id: str
    source: str
    key_hash: str
    created_at: str
    origins: tuple[str, ...] = ()
    expires_at: str | None = None

    def is_valid(self, now: str) -> bool:
        """Whether it may be used at that time, in ISO 8601."""
        return self.expires_at is None or now < self.expires_at

    def allows(self, origin: str) -> bool:
        """Whether a page of that origin may send with it; no origin is a server or an app."""
        return not origin or not self.origins or origin in self.origins


def path() -> Path:
    """The file of the keys."""
    return settings.home() / "collector" / "keys.json"


def all_keys() -> list[WriteKey]:
    """Every key, oldest first."""
    if not path().exists():
        return []
    return [
        WriteKey(**{**row, "origins": tuple(row["origins"])})
        for row in json.loads(path().read_text())
    ]


def add(source: str, origins: tuple[str, ...] = (), key: str = "") -> tuple[WriteKey, str]:
    """A new key and its text, which is shown once; a given text is kept as the key."""
    text = key or secrets.token_urlsafe(24)
    if ":" in text:
        raise ForeseenError("A write key has no colon: Basic authentication would cut it there.")
    made = WriteKey(
        secrets.token_hex(4),
        source,
        _hash(text, settings.secret()),
        iso(datetime.now(UTC)),
        origins,
    )
    _save([*all_keys(), made])
    return made, text


def revoke(key_id: str, hours: int = 0) -> WriteKey:
    """The key with its end, now or some hours from now."""
    known = {key.key_id: key for key in all_keys()}
    if key_id not in known:
        raise UnknownKeyError(f"There is no write key {key_id}: see `cdp collect keys list`.")
    end = iso(datetime.now(UTC) + timedelta(hours=hours))
    known[key_id] = replace(known[key_id], expires_at=end)
    _save(list(known.values()))
    return known[key_id]


@dataclass
class KeyRing:
    """The keys of a running collector, which follow the file."""

    _secret: bytes = field(default_factory=settings.secret)
    _keys: dict[str, WriteKey] = field(default_factory=dict)
    _version: tuple[int, int] = (0, 0)
    _next_look: float = 0.0

    def find(self, text: str, now: str) -> WriteKey | None:
        """The valid key with that text."""
        self._follow()
        key = self._keys.get(_hash(text, self._secret))
        return key if key and key.is_valid(now) else None

    def allows(self, origin: str) -> bool:
        """Whether some key may be used from that origin: a preflight does not tell its key."""
        self._follow()
        return any(key.allows(origin) for key in self._keys.values())

    def _follow(self) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_SECONDS
        try:
            found = path().stat()
        except FileNotFoundError:
            self._keys, self._version = {}, (0, 0)
            return
        if (found.st_mtime_ns, found.st_ino) != self._version:
            self._version = (found.st_mtime_ns, found.st_ino)
            self._keys = {key.key_hash: key for key in all_keys()}


def text_of(authorization: str, header: str, body: object) -> str:
    """The key that a request gives: as Basic user, X-Write-Key or writeKey, in this order."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            user = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            user = ""
        if user:
            return user
    if header:
        return header.rpartition(":")[2]  # Jitsu insists on keys of the form id:secret
    return body if isinstance(body, str) else ""


def _hash(text: str, secret: bytes) -> str:
    return hmac.digest(secret, text.encode(errors="replace"), "sha256").hex()


def iso(moment: datetime) -> str:
    """A time in UTC to the millisecond, as text that sorts by time."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _save(keys: list[WriteKey]) -> None:
    path().parent.mkdir(parents=True, exist_ok=True)
    draft = path().with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps([asdict(key) for key in keys], indent=1))
    draft.replace(path())
