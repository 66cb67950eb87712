"""Cache for the JSON paths of Step Functions.

LocalStack builds a new parser for every path of a state, which takes most of a workflow's time: about two seconds for
ten states. The cache does not change the results.
"""

from functools import lru_cache

from localstack.runtime import hooks  # type: ignore[import-not-found]
from localstack.services.stepfunctions.asl.component.common.path import result_path  # type: ignore[import-not-found]
from localstack.services.stepfunctions.asl.utils import json_path  # type: ignore[import-not-found]


@hooks.on_infra_start()  # type: ignore[untyped-decorator]
def remember_json_paths() -> None:
    """Cache parsed paths; LocalStack calls this when it starts."""
    for module in (json_path, result_path):
        module.parse = lru_cache(maxsize=1000)(module.parse)
