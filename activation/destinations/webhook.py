"""Any system that takes JSON over HTTP.

POST {"audience", "people": [{"operation", "customer_id", "email", ...}]} with the headers
`Idempotency-Key`, the batch id, and, when a secret is set, `X-Signature`, the HMAC-SHA-256 of the
body. The same key always comes with the same body. `add` and `update` both say what to hold of a
person; `remove` and `erase` say to hold nothing, and may name somebody already gone.

Any 2xx answer confirms the batch; people named in {"rejected": {customer_id: reason}} are refused.
400, 409, 413 and 422 refuse the whole batch. Any other answer leaves it to be sent again: 429 and
5xx at once, honouring Retry-After, the rest, which blame our address or key, by the next run.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from activation.destinations.protocol import Batch, DestinationUnavailableError, Person

RETRIES = Retry(
    total=4,
    backoff_factor=0.5,  # seconds, doubled at each try
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,  # batches carry an idempotency key, so POST may be repeated
    respect_retry_after_header=True,
    raise_on_status=False,
)
TIMEOUT = (5, 30)  # seconds to connect, and to wait for an answer
LONGEST_REASON = 200  # characters of an answer that are kept
CONFIRMATIONS = range(200, 300)
REFUSALS = (400, 409, 413, 422)  # answers about the batch; others are about us or the destination


class Webhook:
    """One HTTP address."""

    batch_size = 100

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret

    def send(self, batch: Batch) -> dict[str, str]:
        """Deliver a batch; returns the refused customers with the destination's reason.

        Raises DestinationUnavailableError when it neither confirms nor refuses the batch.
        """
        advice = "The batch is kept and sent again by the next `cdp apply`."
        answer = self._post(batch.audience, batch.people, batch.batch_id, advice)
        if answer.status_code in REFUSALS:
            reason = f"HTTP {answer.status_code} {answer.text[:LONGEST_REASON]}".strip()
            return {str(person["customer_id"]): reason for person in batch.people}
        return _rejected(answer)

    def erase(self, audience: str, person: Person) -> None:
        """Ask for everything about one person to be forgotten."""
        people = [{**person, "operation": "erase"}]
        key = hashlib.sha256(f"erase|{audience}|{person['customer_id']}".encode()).hexdigest()
        advice = "The person is not erased there: run `cdp erase` again."
        answer = self._post(audience, people, key, advice)
        if answer.status_code in REFUSALS:
            raise _unavailable(self._url, f"answered {answer.status_code}", advice)

    def _post(
        self, audience: str, people: Sequence[Person], key: str, advice: str
    ) -> requests.Response:
        body = {"audience": audience, "people": [dict(person) for person in people]}
        data = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if self._secret:
            signature = hmac.new(self._secret.encode(), data, hashlib.sha256).hexdigest()
            headers["X-Signature"] = f"sha256={signature}"
        with requests.Session() as session:
            session.mount(self._url, HTTPAdapter(max_retries=RETRIES))
            try:
                answer = session.post(
                    self._url, data=data, headers=headers, timeout=TIMEOUT, allow_redirects=False
                )
            except requests.RequestException as error:
                problem = f"could not be reached ({type(error).__name__})"
                raise _unavailable(self._url, problem, advice) from error
        if answer.status_code not in (*CONFIRMATIONS, *REFUSALS):
            raise _unavailable(self._url, f"answered {answer.status_code}", advice)
        return answer


def _unavailable(url: str, problem: str, advice: str) -> DestinationUnavailableError:
    return DestinationUnavailableError(f"{url} {problem}. {advice}")


def _rejected(answer: requests.Response) -> dict[str, str]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    rejected = body.get("rejected") if isinstance(body, dict) else None
    if not isinstance(rejected, dict):
        return {}
    return {str(customer): str(reason)[:LONGEST_REASON] for customer, reason in rejected.items()}
