"""Support for conditional deletes, which LocalStack's S3 answers with 501: `If-Match: *` deletes an existing object.

For a missing key, or one whose latest version is a delete marker, the answer is 404, as on AWS. LocalStack runs this
file when it starts, with or without a container.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localstack.services.s3.provider import S3Provider  # type: ignore[import-not-found]
from localstack.utils.patch import patch  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Callable


@patch(S3Provider.delete_object)  # type: ignore[untyped-decorator]
def delete_object(original: Callable[..., Any], self: Any, context: Any, **asked: Any) -> Any:  # noqa: ANN401
    """Delete an object; with `If-Match: *`, only if it exists."""
    if asked.get("if_match") == "*" and asked.get("version_id") is None:
        _, bucket = self._get_cross_account_bucket(context, asked["bucket"])
        bucket.get_object(asked["key"])  # raises NoSuchKey
        del asked["if_match"]
    return original(self, context, **asked)
