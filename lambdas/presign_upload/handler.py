"""The function's entry: what the API's template made of a request in, the signed form out."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict
from typing import Any

from presign_upload.forms import InvalidRequestError, Request, presign, signing_client
from presign_upload.settings import Settings

_logger = logging.getLogger(__name__)
_settings = Settings.from_environment(os.environ)
_logger.setLevel(_settings.log_level)
_s3 = signing_client(os.environ)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes both
    """Return a signed form, or `{"error": "invalid_body"}`; the API answers anything raised as an internal error."""
    try:
        request = Request.from_body(**event)
    except InvalidRequestError:
        _logger.info("refused a request for a form")  # without what the caller sent
        return {"error": "invalid_body"}
    form = presign(_s3, _settings, request)
    _logger.info("signed a form", extra={"image_id": form.fields["key"]})  # which Lambda's JSON makes a field of
    return asdict(form)
