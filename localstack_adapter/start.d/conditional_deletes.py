"""Conditional deletes, which LocalStack's S3 answers with 501 and AWS's knows: `If-Match: *` deletes what there is.

Of a key that there is not, or whose latest version is a delete marker, it is a 404, as AWS answers. LocalStack runs
this at its start, in a container or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localstack.services.s3.provider import S3Provider  # type: ignore[import-not-found]
from localstack.utils.patch import patch  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Callable


@patch(S3Provider.delete_object)  # type: ignore[untyped-decorator]
def delete_object(original: Callable[..., Any], self: Any, context: Any, **asked: Any) -> Any:  # noqa: ANN401
    """Delete an object, under the condition that it is there if that is asked for."""
    if asked.get("if_match") == "*" and asked.get("version_id") is None:
        _, bucket = self._get_cross_account_bucket(context, asked["bucket"])
        bucket.get_object(asked["key"])  # raises NoSuchKey
        del asked["if_match"]
    return original(self, context, **asked)
