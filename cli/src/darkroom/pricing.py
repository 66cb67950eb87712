"""What an image costs: measurements and prices in, lines of a bill out. Nothing here talks to AWS.

All of it is on demand and without free tier. Times are milliseconds, memory is MB as Lambda means it (1,024 to a GB),
sizes are bytes (a GB has 10^9 of them), prices are US dollars.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PRICES: Final = ROOT / "terraform" / "prices.json"

MILLION: Final = 1_000_000
GB: Final = 1_000_000_000
CHUNK: Final = 64 * 1024  # bytes: SQS, SNS and EventBridge count a larger message as several
MONTH: Final = 365 / 12 * 24 * 3600  # seconds
HOUR: Final = 3600

WHOLE_PROCESSOR: Final = 1769  # MB with which Lambda gives one processor, which is all that rendering uses
MEMORY_SIZES: Final = (512, 768, 1024, 1280, 1536, 1769, 2048, 3008)

# The function's requests to S3 for an image that it has not seen (pipeline.py): is it there already, what is in it,
# is it still there. A test counts them.
READS: Final = 3

# Function and workflow begin a trace each, and so does the API. Of what comes in a second, X-Ray's default rule traces
# the first one and a twentieth of the others.
TRACED_SHARE: Final = 0.05

POLLERS: Final = 5  # with which Lambda waits at a queue in which there is nothing
POLL_SECONDS: Final = 20
KEY_REUSE_SECONDS: Final = 300  # for which queues, topic, workflow and buckets keep a data key
KEY_USERS: Final = 10

EXPRESS_BASE: Final = 50 * 1024 * 1024  # bytes that AWS counts for every express execution
EXPRESS_CHUNK: Final = 64 * 1024 * 1024
EXPRESS_STEP: Final = 100  # ms


@dataclass(frozen=True)
class Prices:
    """The prices of `terraform/prices.json`.

    Attributes:
        date: Of when they are.
        region: Of where they are.
        services: By service, its price page and its prices by unit.
        solution: What AWS says of Dynamic Image Transformation.
    """

    date: str
    region: str
    services: Mapping[str, Mapping[str, Any]]
    solution: Mapping[str, Any]

    def usd(self, service: str, unit: str) -> float:
        """The price of one unit."""
        return float(self.services[service]["usd"][unit])

    def has(self, service: str, unit: str) -> bool:
        """Whether a unit has a price here: what is sent to telephones depends on the country."""
        return unit in self.services[service]["usd"]


@cache
def load_prices() -> Prices:
    """The prices that the dashboard of `terraform/8_observe.tf` has, too."""
    read = json.loads(PRICES.read_text(encoding="utf-8"))
    return Prices(read["date"], read["region"], read["services"], read["dynamic_image_transformation"])


@dataclass(frozen=True)
class Measurements:
    """What a pipeline measured of itself; means over the images, where nothing else is said.

    Attributes:
        images: How many were processed.
        engine: What ran the pipeline: AWS, or the address of what answers in its place.
        architecture: Of the function.
        memory: Of the function, as it was configured.
        needed_memory: The least that the limits of an image allow.
        share: Of a processor that rendering had: on AWS it follows from the memory.
        batch: Images in one invocation.
        handler: The function's time for an image, without what it took to start.
        render: The part of it in which it computed.
        init: The time of one start.
        cold_starts: Starts for an image.
        variants: Derivatives of an image.
        bytes_in: Of an original.
        bytes_out: Of all derivatives of one.
        derivative_events: S3 tells EventBridge of derivatives, too.
        upload_event: Size of S3's event.
        outcome_event: Size of the event that announces an image.
        record: Size of all items of an image.
        write_units: That recording an image took.
        transitions: States that the workflow enters.
        workflow: Time of an execution.
        definition: Size of the workflow's definition.
        fan_out: Branches and items of Parallel and Map states, each of which holds the event.
        log: Bytes that function and workflow wrote for an image.
        api_log: Bytes that the API wrote for a request.
        deliveries: Subscriptions by protocol.
        custom_metrics: Metrics that the function writes.
        alarms: That watch the pipeline.
        dashboards: That show it.
        traced: X-Ray traces function and workflow.
        notes: What could not be measured where it ran, and what stands in for it.
    """

    images: int
    engine: str
    architecture: str
    memory: int
    needed_memory: int
    share: float
    batch: float
    handler: float
    render: float
    init: float
    cold_starts: float
    variants: float
    bytes_in: float
    bytes_out: float
    derivative_events: bool
    upload_event: float
    outcome_event: float
    record: float
    write_units: float
    transitions: float
    workflow: float
    definition: int
    fan_out: float
    log: float
    api_log: float
    deliveries: Mapping[str, int]
    custom_metrics: int
    alarms: int
    dashboards: int
    traced: bool = True
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """What is asked for.

    Attributes:
        memory: Of the function.
        through_api: Images come by `POST /images`; else straight into the bucket.
        standard: The workflow is a standard one; else express.
        images_per_month: Spread evenly.
    """

    memory: int
    through_api: bool = False
    standard: bool = False
    images_per_month: int = MILLION


@dataclass(frozen=True)
class Line:
    """A line of the bill.

    Attributes:
        component: The service.
        what: What is paid for.
        quantity: Units for an image, or in a month.
        usd: For a million images, or for a month.
    """

    component: str
    what: str
    quantity: float
    usd: float


# The function


def processor_share(memory: int) -> float:
    """The share of a processor that Lambda gives for a memory size, as far as one thread can use it."""
    return min(1.0, memory / WHOLE_PROCESSOR)


def handler_time(measured: Measurements, memory: int) -> float:
    """The function's time for an image: computing takes as long as its share of a processor makes it, waiting stays."""
    return measured.handler + measured.render * (slowdown(measured, memory) - 1)


def init_time(measured: Measurements, memory: int) -> float:
    """The time of one start, which is computing."""
    return measured.init * slowdown(measured, memory)


def slowdown(measured: Measurements, memory: int) -> float:
    """How much longer computing takes than it was measured to."""
    return measured.share / processor_share(memory)


def gb_seconds(memory: int, milliseconds: float) -> float:
    """What Lambda counts a time as."""
    return memory / 1024 * milliseconds / 1000


def function_usd(measured: Measurements, prices: Prices, memory: int) -> float:
    """A million images' computing, starts included."""
    time = handler_time(measured, memory) + measured.cold_starts * init_time(measured, memory)
    return MILLION * gb_seconds(memory, time) * prices.usd("lambda", f"gb_second_{measured.architecture}")


# The workflow


def express_gb_seconds(measured: Measurements) -> float:
    """What AWS counts an execution of an express workflow as."""
    used = EXPRESS_BASE + measured.definition + measured.outcome_event * measured.fan_out
    memory = ceil(used / EXPRESS_CHUNK) * EXPRESS_CHUNK
    return memory / 1024**3 * ceil(measured.workflow / EXPRESS_STEP) * EXPRESS_STEP / 1000


# The bill


def chunks(size: float) -> int:
    """As how many messages, or events, one of this size counts."""
    return max(1, ceil(size / CHUNK))


def traced(case: Case, share: float = 1) -> float:
    """The share of requests that is traced, where `share` of the images are a request."""
    each_second = case.images_per_month / MONTH * share
    return min(each_second, 1) / each_second + TRACED_SHARE * max(each_second - 1, 0) / each_second


def bill(measured: Measurements, prices: Prices, case: Case) -> list[Line]:
    """What a million images cost, the services in the order of an image's way."""
    return [
        Line(component, what, quantity, MILLION * quantity * prices.usd(service, unit))
        for component, what, quantity, service, unit in _counted(measured, case)
    ]


def _counted(measured: Measurements, case: Case) -> Iterator[tuple[str, str, float, str, str]]:
    """Component, what, how much of it for an image, and the price's service and unit."""
    calls = 1 / measured.batch
    starts = measured.cold_starts
    uploads, outcomes = chunks(measured.upload_event), chunks(measured.outcome_event)
    archived = (measured.upload_event + measured.outcome_event) / GB
    log = measured.log + (measured.api_log if case.through_api else 0)
    begun = traced(case, calls) * calls + traced(case) + (traced(case) if case.through_api else 0)
    traces = begun if measured.traced else 0
    compute = f"gb_second_{measured.architecture}"

    yield "API Gateway", "POST /images", float(case.through_api), "api_gateway", "rest_request"
    yield "S3", "PUT of the original", 1, "s3", "put"
    yield "S3", "PUT of the derivatives", measured.variants, "s3", "put"
    yield "S3", "GET and HEAD by the function", READS, "s3", "get"
    yield "EventBridge", "S3's event of the upload", uploads, "eventbridge", "opt_in_event"
    told = measured.variants if measured.derivative_events else 0
    yield "EventBridge", "S3's events of the derivatives", told, "eventbridge", "opt_in_event"
    yield "EventBridge", "the outcome", outcomes, "eventbridge", "custom_event"
    yield "EventBridge", "GB into the archives", archived, "eventbridge", "archive_gb"
    yield "SQS", "send, receive, delete", uploads + max(calls, uploads) + calls, "sqs", "request"
    yield "Lambda", "requests", calls, "lambda", "request"
    yield (
        "Lambda",
        "GB-seconds of handling",
        gb_seconds(case.memory, handler_time(measured, case.memory)),
        "lambda",
        compute,
    )
    yield (
        "Lambda",
        "GB-seconds of INIT",
        gb_seconds(case.memory, starts * init_time(measured, case.memory)),
        "lambda",
        compute,
    )
    if case.standard:
        yield "Step Functions", "transitions, standard", measured.transitions, "step_functions", "standard_transition"
    else:
        yield "Step Functions", "executions, express", 1, "step_functions", "express_request"
        yield (
            "Step Functions",
            "GB-seconds, express",
            express_gb_seconds(measured),
            "step_functions",
            "express_gb_second",
        )
    yield "DynamoDB", "write units", measured.write_units, "dynamodb", "write_unit"
    yield "SNS", "notifications", outcomes, "sns", "publish"
    for protocol, count in measured.deliveries.items():
        yield "SNS", f"deliveries by {protocol}", count * outcomes, "sns", f"delivery_{protocol}"
    yield "Logs", "GB", log / GB, "cloudwatch", "log_gb"
    yield "X-Ray", "traces", traces, "xray", "trace"
    yield "KMS", "the function's environment, at a start", starts, "kms", "request"


def monthly(measured: Measurements, prices: Prices) -> list[Line]:
    """What a month costs, whether or not an image comes."""
    counted = (
        ("KMS", "the key", 1, "kms", "key_month"),
        (
            "KMS",
            "data keys, new every five minutes while images come",
            KEY_USERS * MONTH / KEY_REUSE_SECONDS,
            "kms",
            "request",
        ),
        ("SQS", "polls of an empty queue", POLLERS * MONTH / POLL_SECONDS, "sqs", "request"),
        ("CloudWatch", "the function's metrics", measured.custom_metrics, "cloudwatch", "custom_metric_month"),
        ("CloudWatch", "alarms", measured.alarms, "cloudwatch", "alarm_month"),
        ("CloudWatch", "dashboard", measured.dashboards, "cloudwatch", "dashboard_month"),
    )
    return [
        Line(c, what, quantity, quantity * prices.usd(service, unit)) for c, what, quantity, service, unit in counted
    ]


def kept(measured: Measurements, prices: Prices) -> list[Line]:
    """What a million images cost in each month in which they are kept."""
    counted = (
        ("S3", "originals", measured.bytes_in, "s3", "storage_gb_month"),
        ("S3", "derivatives", measured.bytes_out, "s3", "storage_gb_month"),
        ("DynamoDB", "records", measured.record, "dynamodb", "storage_gb_month"),
        ("EventBridge", "archives", measured.upload_event + measured.outcome_event, "eventbridge", "archive_gb_month"),
        ("Logs", "logs", measured.log, "cloudwatch", "log_gb_month"),
    )
    return [
        Line(c, f"GB of {what}", MILLION * size / GB, MILLION * size / GB * prices.usd(service, unit))
        for c, what, size, service, unit in counted
    ]


def by_component(lines: list[Line]) -> dict[str, float]:
    """US dollars by component, in the order of the bill."""
    sums: dict[str, float] = {}
    for line in lines:
        sums[line.component] = sums.get(line.component, 0) + line.usd
    return sums


def total(lines: list[Line]) -> float:
    """US dollars of all."""
    return sum(line.usd for line in lines)


# Memory, and what keeps the function warm


@dataclass(frozen=True)
class Size:
    """A memory size, and what it makes of an image.

    Attributes:
        milliseconds: The function's time for an image.
        usd: For a million images, starts included.
        enough: An image at the limits fits in.
    """

    memory: int
    milliseconds: float
    usd: float
    enough: bool


def sizes(measured: Measurements, prices: Prices) -> list[Size]:
    """Each memory size, the one that was measured among them."""
    return [
        Size(
            memory,
            handler_time(measured, memory),
            function_usd(measured, prices, memory),
            memory >= measured.needed_memory,
        )
        for memory in sorted({*MEMORY_SIZES, measured.memory})
    ]


def best(choice: list[Size]) -> Size:
    """The cheapest that is enough; where none is, the largest."""
    return min((size for size in choice if size.enough), key=lambda size: size.usd, default=choice[-1])


@dataclass(frozen=True)
class Warmth:
    """Where it pays to keep the function warm.

    Attributes:
        images_an_hour: That one provisioned environment must process in every hour to pay for itself.
        most_an_hour: That it can.
        snap_start_after: Milliseconds that a start must take for SnapStart to be cheaper.
        snap_start_restore: US dollars that a restored start costs.
        init: US dollars that a start costs without it.
        snap_start_month: US dollars that keeping a version's snapshot costs in a month.
    """

    images_an_hour: float
    most_an_hour: float
    snap_start_after: float
    snap_start_restore: float
    init: float
    snap_start_month: float

    @property
    def provisioned_pays(self) -> bool:
        """An environment can be so busy."""
        return self.images_an_hour < self.most_an_hour


def warmth(measured: Measurements, prices: Prices, memory: int) -> Warmth:
    """Provisioned concurrency and SnapStart, at a memory size."""
    architecture, gb = measured.architecture, memory / 1024
    on_demand = prices.usd("lambda", f"gb_second_{architecture}")
    handled = gb_seconds(memory, handler_time(measured, memory))
    started = gb_seconds(memory, init_time(measured, memory))
    saved = handled * (on_demand - prices.usd("lambda", f"provisioned_busy_gb_second_{architecture}"))
    saved += measured.cold_starts * started * on_demand
    waiting = HOUR * gb * prices.usd("lambda", f"provisioned_gb_second_{architecture}")
    restore = prices.usd("lambda", "snap_start_restored_gb")
    return Warmth(
        images_an_hour=waiting / saved,
        most_an_hour=HOUR * 1000 / handler_time(measured, memory),
        snap_start_after=restore / on_demand * 1000,
        snap_start_restore=restore * gb,
        init=started * on_demand,
        snap_start_month=MONTH * gb * prices.usd("lambda", "snap_start_cache_gb_second"),
    )


# AWS's own solution


@dataclass(frozen=True)
class Solution:
    """AWS's Dynamic Image Transformation, for a million transformations; its CloudFront is left out.

    Attributes:
        documented: By component, as AWS says.
        deployed: By component, at our prices, with the memory and the API that the solution deploys.
        transformations: Of one image for which it costs what an image costs here; by `deployed`.
    """

    documented: Mapping[str, float]
    deployed: Mapping[str, float]
    transformations: float


def compare(measured: Measurements, prices: Prices, case: Case) -> Solution:
    """Dynamic Image Transformation beside this pipeline."""
    told = prices.solution
    documented = {name: usd for name, usd in told["usd"].items() if name != "CloudFront"}
    runs = told["deployed"]
    computed = gb_seconds(runs["memory"], told["milliseconds"]) * prices.usd(
        "lambda", f"gb_second_{runs['architecture']}"
    )
    deployed = {
        "API Gateway": MILLION * prices.usd("api_gateway", "rest_request"),
        "Lambda": MILLION * (computed + prices.usd("lambda", "request")),
        "S3": MILLION * prices.usd("s3", "get"),
        "CloudWatch": documented["CloudWatch"],
    }
    here = total(bill(measured, prices, case))
    return Solution(documented, deployed, here / sum(deployed.values()))
