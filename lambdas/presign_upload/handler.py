"""The function's entry: what the API's template made of a request in, the signed form out."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict
from typing import Any

import boto3
from botocore.config import Config

from presign_upload.forms import Request, presign
from presign_upload.settings import Settings

_logger = logging.getLogger(__name__)
_settings = Settings.from_environment(os.environ)
_logger.setLevel(_settings.log_level)
# Signing makes no request. The region's own address, so that an upload is not redirected.
_s3 = boto3.client("s3", config=Config(signature_version="s3v4", s3={"us_east_1_regional_endpoint": "regional"}))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes both
    """Sign a form; what it raises the API answers as an internal error, with nothing of its text."""
    request = Request(**event)
    form = presign(_s3, _settings, request)
    _logger.info("signed a form", extra={"image_id": form.fields["key"]})  # which Lambda's JSON makes a field of
    return asdict(form)
