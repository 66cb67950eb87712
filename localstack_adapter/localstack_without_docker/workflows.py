"""Step Functions' JSON paths, each parsed once.

LocalStack builds the parser itself anew for every path that a state names, which is most of a workflow's time:
with ten states some two seconds. What a workflow does is the same with and without this.
"""

from functools import lru_cache

from localstack.runtime import hooks  # type: ignore[import-not-found]
from localstack.services.stepfunctions.asl.component.common.path import result_path  # type: ignore[import-not-found]
from localstack.services.stepfunctions.asl.utils import json_path  # type: ignore[import-not-found]


@hooks.on_infra_start()  # type: ignore[untyped-decorator]
def remember_json_paths() -> None:
    """Called by LocalStack at its start."""
    for module in (json_path, result_path):
        module.parse = lru_cache(maxsize=1000)(module.parse)
