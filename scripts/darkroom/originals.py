"""The bucket of originals, as an operator asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from darkroom.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

    from darkroom.resources import Resources


def head_original(resources: Resources, image_id: str) -> HeadObjectOutputTypeDef | None:
    """What S3 says of the newest version of an original; none if it is deleted or never was."""
    try:
        return resources.s3.head_object(Bucket=resources.originals, Key=image_id)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return None
        raise
