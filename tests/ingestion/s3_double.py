"""Object storage on 127.0.0.1 that speaks as much S3 as a reader needs; its bucket is `drops`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

from simulation.server import Server, answering

Answer = tuple[int, bytes, dict[str, str]]


@dataclass
class Storage:
    """The objects by key, each with the number of times that it was written before."""

    access_key: str
    url: str = ""
    objects: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = (content, self.objects.get(key, (b"", -1))[1] + 1)


@contextmanager
def storage(access_key: str) -> Iterator[Storage]:
    """A storage that lets in requests that were signed with this key."""
    made = Storage(access_key)
    handler = type("Handler", (_Handler,), {"storage": made})
    with answering(Server(handler)) as made.url:
        yield made


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    storage: Storage

    def do_GET(self) -> None:  # noqa: N802
        status, body, headers = self._answer()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_words: object) -> None:
        pass

    def _answer(self) -> Answer:
        signed_by = f"Credential={self.storage.access_key}/"
        if signed_by not in self.headers.get("Authorization", ""):
            return 403, b"<Error><Code>AccessDenied</Code></Error>", {}
        place = urlsplit(self.path)
        bucket, _, key = unquote(place.path).lstrip("/").partition("/")
        if bucket != "drops":
            return 404, b"<Error><Code>NoSuchBucket</Code></Error>", {}
        if not key:
            return 200, _listing(self.storage, parse_qs(place.query)), {}
        if key not in self.storage.objects:
            return 404, b"<Error><Code>NoSuchKey</Code></Error>", {}
        return self._object(key)

    def _object(self, key: str) -> Answer:
        raw, times = self.storage.objects[key]
        if self.command == "GET":
            self.storage.read.append(key)
        told = {"Last-Modified": f"Fri, 02 Jan 2026 03:04:{times:02} GMT", "ETag": f'"{times}"'}
        wanted = self.headers.get("Range", "").removeprefix("bytes=")
        if not wanted:
            return 200, raw, told
        first, _, last = wanted.partition("-")
        part = raw[int(first) : int(last or len(raw)) + 1]
        span = f"bytes {first}-{int(first) + len(part) - 1}/{len(raw)}"
        return 206, part, {**told, "Content-Range": span}


def _listing(made: Storage, query: dict[str, list[str]]) -> bytes:
    prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
    found, folders = "", set()
    for key in sorted(key for key in made.objects if key.startswith(prefix)):
        folder, is_deeper, _ = key.removeprefix(prefix).partition(delimiter or "\0")
        if is_deeper:
            folders.add(prefix + folder + delimiter)
            continue
        raw, times = made.objects[key]
        found += (
            f"<Contents><Key>{key}</Key><Size>{len(raw)}</Size><ETag>{times}</ETag>"
            f"<LastModified>2026-01-02T03:04:{times:02}.000Z</LastModified></Contents>"
        )
    for folder in sorted(folders):
        found += f"<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"
    return (
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>drops</Name>'
        f"<IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
    ).encode()
