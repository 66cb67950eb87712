"""Callers of the API, with HTTP and an API key."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from tests.e2e.engines import AWS, engine
from tests.e2e.pipeline import wait_for

if TYPE_CHECKING:
    from email.message import Message

    from tests.e2e.pipeline import Pipeline


@dataclass(frozen=True)
class Answer:
    """Response of the API."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"].startswith("application/json"), self
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """Return the code of an error; all routes answer errors in one shape."""
        error = self.json["error"]
        assert set(error) == {"code", "message"}
        code: str = error["code"]
        return code


def base_url(url: str) -> str:
    """Return the address on this engine of an API that has this URL on AWS."""
    if engine() is AWS:
        return url
    parts = urlsplit(url)
    return f"{os.environ['AWS_ENDPOINT_URL']}/_aws/execute-api/{(parts.hostname or '').split('.')[0]}{parts.path}"


@dataclass(frozen=True)
class Caller:
    """Caller of the API.

    Attributes:
        base: Address of the API.
        key: API key, or None.
        id: Identifier of the caller in the API.
    """

    base: str
    key: str | None
    id: str

    def call(self, method: str, path: str, data: bytes | None = None, **headers: str) -> Answer:
        """Make a request; names of headers are given with _ instead of -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None:
            sent["x-api-key"] = self.key
        request = urllib.request.Request(self.base + path, data, sent, method=method)  # noqa: S310 - the API's
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def get(self, *parts: str, **headers: str) -> Answer:
        """GET a path of parts; each part is encoded completely."""
        return self.call("GET", "/" + "/".join(quote(part, safe="") for part in parts), None, **headers)

    def upload(self, data: bytes, **headers: str) -> str:
        """Upload an image; return its id."""
        answer = self.call("POST", "/images", data, **{"Content_Type": "image/jpeg", **headers})
        assert answer.status == 202, answer
        identity: str = answer.json["id"]
        return identity

    def record(self, image: str, status: str = "Processed") -> dict[str, Any]:
        """Wait until an image's record has a status, and return it."""

        def look() -> dict[str, Any] | None:
            answer = self.get("images", image)
            if answer.status == 404:
                return None
            assert answer.status == 200, answer
            found: dict[str, Any] = answer.json
            return found if found["status"] == status else None

        return wait_for(f"{status} of {image}", look)


def caller(pipeline: Pipeline, name: str) -> Caller:
    """Return the caller whose API key has this name."""
    key = pipeline.outputs["api_keys"][name]
    return Caller(base_url(pipeline.outputs["api"]["url"]), key["value"], key["id"])
