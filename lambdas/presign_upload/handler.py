"""Translation between the API's template and `forms`: request in, signed form out."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from presign_upload.forms import InvalidRequestError, Request, presign

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from presign_upload.settings import Settings

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Handler:
    """The function, with its settings and a client that signs."""

    settings: Settings
    s3: S3Client

    def __call__(self, event: dict[str, Any], _: object) -> dict[str, Any]:
        """Return a signed form, or `{"error": "invalid_body"}`. The API answers an exception with an internal error."""
        try:
            request = Request.from_body(**event)
        except InvalidRequestError:
            _logger.info("request for a form rejected")  # without what the caller sent
            return {"error": "invalid_body"}
        form = presign(self.s3, self.settings, request)
        _logger.info("form signed", extra={"image_id": form.fields["key"]})  # a field of Lambda's JSON
        return asdict(form)
