"""Compute the cost of an image from measurements and prices. No module from AWS is used here.

Prices are on demand, without free tier, in US dollars. Times are in milliseconds, memory in Lambda's MB (1,024 per GB),
sizes in bytes (10^9 per GB).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from darkroom.files import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MILLION: Final = 1_000_000
GB: Final = 1_000_000_000
CHUNK: Final = 64 * 1024  # bytes: SQS, SNS and EventBridge count a larger message several times
MONTH: Final = 365 / 12 * 24 * 3600  # seconds
HOUR: Final = 3600

WHOLE_PROCESSOR: Final = 1769  # MB for which Lambda gives one processor; rendering uses one
MEMORY_SIZES: Final = (512, 768, 1024, 1280, 1536, 1769, 2048, 3008)

# The function's GET and HEAD requests to S3 for a new image (process_image/processor.py). A test counts them.
READS: Final = 3

# Function, workflow and API begin one trace each. X-Ray's default rule traces the first request of a second, and a
# twentieth of the others.
TRACED_SHARE: Final = 0.05

POLLERS: Final = 5  # of Lambda, at an empty queue
POLL_SECONDS: Final = 20
KEY_REUSE_SECONDS: Final = 300  # that queues, topic, workflow and buckets use a data key
KEY_USERS: Final = 10

EXPRESS_BASE: Final = 50 * 1024 * 1024  # bytes that AWS adds to every express execution
EXPRESS_CHUNK: Final = 64 * 1024 * 1024
EXPRESS_STEP: Final = 100  # ms


@dataclass(frozen=True)
class Prices:
    """Prices from `terraform/prices.json`.

    Attributes:
        date: Month of the prices.
        region: AWS region of the prices.
        services: Price page, and prices by unit, of each service.
        solution: AWS's figures for Dynamic Image Transformation.
    """

    date: str
    region: str
    services: Mapping[str, Mapping[str, Any]]
    solution: Mapping[str, Any]

    def usd(self, service: str, unit: str) -> float:
        """Return the price of one unit."""
        return float(self.services[service]["usd"][unit])

    def has(self, service: str, unit: str) -> bool:
        """Return True if a unit has a price here. Prices of text messages depend on the country."""
        return unit in self.services[service]["usd"]


@cache
def load_prices() -> Prices:
    """Return the prices, which the pipeline's dashboard uses too."""
    read = read_json("terraform/prices.json")
    return Prices(read["date"], read["region"], read["services"], read["dynamic_image_transformation"])


@dataclass(frozen=True)
class Measurements:
    """A pipeline's own measurements: means per image, unless another meaning is given.

    Attributes:
        images: Number of processed images.
        engine: AWS, or the address of an emulator.
        architecture: Architecture of the function.
        memory: Memory of the function, as deployed.
        needed_memory: Memory that an image at the limits needs.
        share: Share of a processor that rendering had; on AWS it depends on the memory.
        batch: Images per invocation.
        handler: Time of the handler, without starts.
        render: Time of rendering, which is part of the handler's.
        init: Time of one start.
        cold_starts: Starts per image.
        variants: Derivatives per image.
        bytes_in: Size of an original.
        bytes_out: Size of all derivatives of an original.
        derivative_events: True if S3 sends EventBridge the events of derivatives.
        upload_event: Size of the object event.
        outcome_event: Size of the outcome event.
        record: Size of all items of an image.
        write_units: Write units that DynamoDB counts for the record.
        transitions: States that the workflow enters.
        workflow: Time of an execution.
        definition: Size of the workflow's definition.
        fan_out: Branches and items of Parallel and Map states, each of which has a copy of the event.
        log: Bytes in the logs of function and workflow.
        api_log: Bytes in the API's log per request.
        deliveries: Number of subscriptions by protocol.
        custom_metrics: Number of the function's metrics.
        alarms: Number of alarms.
        dashboards: Number of dashboards.
        traced: True if X-Ray traces function and workflow.
        notes: Values that were not measured, and their replacements.
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
    """The case to compute the cost of.

    Attributes:
        memory: Memory of the function.
        through_api: Uploads use `POST /images`; otherwise they go directly to the bucket.
        standard: The workflow is a standard one; otherwise express.
        images_per_month: Images per month, spread evenly.
    """

    memory: int
    through_api: bool = False
    standard: bool = False
    images_per_month: int = MILLION


@dataclass(frozen=True)
class Line:
    """A line of the bill.

    Attributes:
        component: AWS service.
        what: Charged unit.
        quantity: Units per image, or per month.
        usd: Price of a million images, or of a month.
    """

    component: str
    what: str
    quantity: float
    usd: float


# The function


def processor_share(memory: int) -> float:
    """Return the share of a processor that Lambda gives for a memory size; at most one, as rendering uses one."""
    return min(1.0, memory / WHOLE_PROCESSOR)


def handler_time(measured: Measurements, memory: int) -> float:
    """Return the handler's time for an image: computing depends on the share of a processor, waiting does not."""
    return measured.handler + measured.render * (slowdown(measured, memory) - 1)


def init_time(measured: Measurements, memory: int) -> float:
    """Return the time of one start, which is all computing."""
    return measured.init * slowdown(measured, memory)


def slowdown(measured: Measurements, memory: int) -> float:
    """Return the factor between the time of computing and its measured time."""
    return measured.share / processor_share(memory)


def gb_seconds(memory: int, milliseconds: float) -> float:
    """Return the GB-seconds that Lambda charges for a time."""
    return memory / 1024 * milliseconds / 1000


def function_usd(measured: Measurements, prices: Prices, memory: int) -> float:
    """Return the price of the GB-seconds of a million images, starts included."""
    time = handler_time(measured, memory) + measured.cold_starts * init_time(measured, memory)
    return MILLION * gb_seconds(memory, time) * prices.usd("lambda", f"gb_second_{measured.architecture}")


# The workflow


def express_gb_seconds(measured: Measurements) -> float:
    """Return the GB-seconds that AWS charges for an execution of an express workflow."""
    used = EXPRESS_BASE + measured.definition + measured.outcome_event * measured.fan_out
    memory = ceil(used / EXPRESS_CHUNK) * EXPRESS_CHUNK
    return memory / 1024**3 * ceil(measured.workflow / EXPRESS_STEP) * EXPRESS_STEP / 1000


# The bill


def chunks(size: float) -> int:
    """Return the number of messages, or events, that AWS charges for one of this size."""
    return max(1, ceil(size / CHUNK))


def traced(case: Case, share: float = 1) -> float:
    """Return the share of requests that is traced, with `share` requests per image."""
    each_second = case.images_per_month / MONTH * share
    return min(each_second, 1) / each_second + TRACED_SHARE * max(each_second - 1, 0) / each_second


def bill(measured: Measurements, prices: Prices, case: Case) -> list[Line]:
    """Return the bill of a million images, with services in the order of an image's way."""
    return [
        Line(component, what, quantity, MILLION * quantity * prices.usd(service, unit))
        for component, what, quantity, service, unit in _counted(measured, case)
    ]


def _counted(measured: Measurements, case: Case) -> Iterator[tuple[str, str, float, str, str]]:
    """Yield component, what is charged, quantity per image, and the price's service and unit."""
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
    derivatives = measured.variants if measured.derivative_events else 0
    yield "EventBridge", "S3's events of the derivatives", derivatives, "eventbridge", "opt_in_event"
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
    """Return the fixed costs of a month."""
    counted = (
        ("KMS", "the key", 1, "kms", "key_month"),
        (
            "KMS",
            "data keys, new every five minutes",
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
    """Return the monthly cost of storing a million images."""
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
    """Return US dollars by component, in the order of the bill."""
    sums: dict[str, float] = {}
    for line in lines:
        sums[line.component] = sums.get(line.component, 0) + line.usd
    return sums


def total(lines: list[Line]) -> float:
    """Return the sum in US dollars."""
    return sum(line.usd for line in lines)


# Memory, provisioned concurrency, SnapStart


@dataclass(frozen=True)
class Size:
    """Time and price with a memory size.

    Attributes:
        memory: Memory of the function.
        milliseconds: Time of the handler per image.
        usd: Price of a million images, starts included.
        enough: True if an image at the limits fits.
    """

    memory: int
    milliseconds: float
    usd: float
    enough: bool


def sizes(measured: Measurements, prices: Prices) -> list[Size]:
    """Return time and price with each memory size, also with the measured one."""
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
    """Return the cheapest size that is enough; the largest size if none is."""
    return min((size for size in choice if size.enough), key=lambda size: size.usd, default=choice[-1])


@dataclass(frozen=True)
class Warmth:
    """Conditions under which keeping the function warm saves money.

    Attributes:
        images_an_hour: Images per hour from which a provisioned environment saves money.
        most_an_hour: Images per hour that an environment can process.
        snap_start_after: Milliseconds of a start from which SnapStart is cheaper.
        snap_start_restore: US dollars for a restored start.
        init: US dollars for a start without SnapStart.
        snap_start_month: US dollars per month for a version's snapshot.
    """

    images_an_hour: float
    most_an_hour: float
    snap_start_after: float
    snap_start_restore: float
    init: float
    snap_start_month: float

    @property
    def provisioned_pays(self) -> bool:
        """True if an environment can process enough images."""
        return self.images_an_hour < self.most_an_hour


def warmth(measured: Measurements, prices: Prices, memory: int) -> Warmth:
    """Return the conditions for provisioned concurrency and SnapStart with a memory size."""
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
    """Price of a million transformations with AWS's Dynamic Image Transformation, without CloudFront.

    Attributes:
        documented: By component, from AWS's guide.
        deployed: By component, at the prices used here, with the memory and the API that the solution deploys.
        transformations: Number of transformations that cost the same as one image here, by `deployed`.
    """

    documented: Mapping[str, float]
    deployed: Mapping[str, float]
    transformations: float


def compare(measured: Measurements, prices: Prices, case: Case) -> Solution:
    """Return the prices of Dynamic Image Transformation, for a comparison."""
    assumed = prices.solution
    documented = {name: usd for name, usd in assumed["usd"].items() if name != "CloudFront"}
    runs = assumed["deployed"]
    computed = gb_seconds(runs["memory"], assumed["milliseconds"]) * prices.usd(
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
