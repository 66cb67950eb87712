"""Arithmetic of the bill, against figures computed manually from the same prices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from darkroom import pricing
from darkroom.bill import sections
from darkroom.pricing import Case, Measurements, Prices, load_prices

# Round prices, so that a reader can check each figure below.
PRICES = Prices(
    "2026-11",
    "us-east-1",
    {
        "api_gateway": {"usd": {"rest_request": 3.5e-6}},
        "cloudwatch": {
            "usd": {
                "alarm_month": 0.1,
                "custom_metric_month": 0.3,
                "dashboard_month": 3,
                "log_gb": 0.5,
                "log_gb_month": 0.03,
            }
        },
        "dynamodb": {"usd": {"write_unit": 0.625e-6, "storage_gb_month": 0.25}},
        "eventbridge": {
            "usd": {"archive_gb": 0.1, "archive_gb_month": 0.02, "custom_event": 1e-6, "opt_in_event": 1e-6}
        },
        "kms": {"usd": {"key_month": 1, "request": 3e-6}},
        "lambda": {
            "usd": {
                "gb_second_arm64": 10e-6,
                "gb_second_x86_64": 20e-6,
                "provisioned_busy_gb_second_arm64": 6e-6,
                "provisioned_gb_second_arm64": 2e-6,
                "request": 0.2e-6,
                "snap_start_cache_gb_second": 1e-6,
                "snap_start_restored_gb": 100e-6,
            }
        },
        "s3": {"usd": {"get": 0.4e-6, "put": 5e-6, "storage_gb_month": 0.02, "transfer_out_gb": 0.09}},
        "sns": {"usd": {"publish": 0.5e-6, "delivery_email": 20e-6, "delivery_sqs": 0}},
        "sqs": {"usd": {"request": 0.4e-6}},
        "step_functions": {"usd": {"express_gb_second": 16e-6, "express_request": 1e-6, "standard_transition": 25e-6}},
        "xray": {"usd": {"trace": 5e-6}},
    },
    {
        "served": 10_000_000,
        "transformed": 1_000_000,
        "milliseconds": 500,
        "usd": {"API Gateway": 1.0, "Lambda": 1.0, "S3": 0.5, "CloudWatch": 1.1, "CloudFront": 200.0},
        "deployed": {"memory": 1024, "architecture": "x86_64"},
    },
)

# With one processor: 400 ms, of which 300 are computing; a start of 1 s for every tenth image.
MEASURED = Measurements(
    images=20,
    engine="AWS",
    architecture="arm64",
    memory=1769,
    needed_memory=768,
    share=1.0,
    batch=2,
    handler=400,
    render=300,
    init=1000,
    cold_starts=0.1,
    variants=3,
    bytes_in=2_000_000,
    bytes_out=500_000,
    derivative_events=True,
    upload_event=1000,
    outcome_event=2000,
    record=1500,
    write_units=5,
    transitions=17,
    workflow=230,
    definition=20_000,
    fan_out=4,
    log=1600,
    api_log=400,
    deliveries={"sqs": 2, "email": 1},
    custom_metrics=10,
    alarms=20,
    dashboards=1,
)
OFTEN = 1_000_000_000  # images per month: almost none is the first of its second


def usd(case: Case, measured: Measurements = MEASURED) -> dict[str, float]:
    return pricing.by_component(pricing.bill(measured, PRICES, case))


def test_a_million_images_by_component() -> None:
    assert usd(Case(1769)) == pytest.approx(
        {
            "API Gateway": 0,
            "S3": 5 + 15 + 3 * 0.4,
            "EventBridge": 1 + 3 + 1 + 3 * 0.1,  # three GB into the archives
            "SQS": (1 + 1 + 0.5) * 0.4,
            # 1769 / 1024 GB for 0.4 s and, for every tenth, 1 s more
            "Lambda": 0.1 + 1.7275390625 * (0.4 + 0.1) * 10,
            "Step Functions": 1 + 64 / 1024 * 0.3 * 16,  # 230 ms count as 300
            "DynamoDB": 5 * 0.625,
            "SNS": 0.5 + 20,
            "Logs": 1.6 * 0.5,
            "X-Ray": (0.5 + 1) * 5,  # an image every 2.6 s: all are traced
            "KMS": 0.1 * 3,
        }
    )


def test_the_api_adds_a_request_a_trace_and_a_log() -> None:
    more = {name: value - usd(Case(1769))[name] for name, value in usd(Case(1769, through_api=True)).items()}
    assert {name: value for name, value in more.items() if value} == pytest.approx(
        {"API Gateway": 3.5, "Logs": 0.2, "X-Ray": 5}
    )


def test_a_standard_workflow_costs_by_transition() -> None:
    assert usd(Case(1769, standard=True))["Step Functions"] == pytest.approx(17 * 25)


def test_a_twentieth_of_many_images_is_traced() -> None:
    assert usd(Case(1769, images_per_month=OFTEN))["X-Ray"] == pytest.approx(1.5 * 5 * 0.05, rel=0.1)


def test_without_tracing_traces_cost_nothing() -> None:
    assert usd(Case(1769, through_api=True), replace(MEASURED, traced=False))["X-Ray"] == 0


def test_a_bucket_without_events_costs_none() -> None:
    quiet = replace(MEASURED, derivative_events=False)
    assert usd(Case(1769))["EventBridge"] - usd(Case(1769), quiet)["EventBridge"] == pytest.approx(3)


def test_a_large_message_counts_several_times() -> None:
    large = replace(MEASURED, upload_event=64 * 1024 + 1)
    assert usd(Case(1769), large)["SQS"] == pytest.approx((2 + 2 + 0.5) * 0.4)
    assert [pricing.chunks(size) for size in (1, 64 * 1024, 64 * 1024 + 1)] == [1, 1, 2]


def test_computing_costs_the_same_up_to_one_processor() -> None:
    computing = replace(MEASURED, handler=300, cold_starts=0)
    flat = [pricing.function_usd(computing, PRICES, memory) for memory in (512, 768, 1769)]
    assert flat == pytest.approx([flat[0]] * 3)
    assert pricing.function_usd(computing, PRICES, 3538) == pytest.approx(2 * flat[0])
    waiting = replace(MEASURED, handler=300, render=0, cold_starts=0)
    assert pricing.function_usd(waiting, PRICES, 1024) == pytest.approx(2 * pricing.function_usd(waiting, PRICES, 512))


def test_times_scale_from_the_measured_memory() -> None:
    half = replace(MEASURED, memory=1024, share=pricing.processor_share(1024))
    assert pricing.handler_time(half, 1024) == pytest.approx(400)
    assert pricing.handler_time(half, 512) == pytest.approx(100 + 2 * 300)
    assert pricing.handler_time(half, 1769) == pytest.approx(100 + 300 * 1024 / 1769)


def test_the_best_memory_is_the_cheapest_sufficient() -> None:
    choice = pricing.sizes(MEASURED, PRICES)
    assert [size.memory for size in choice] == list(pricing.MEMORY_SIZES)
    assert min(choice, key=lambda size: size.usd).memory == 512
    assert pricing.best(choice).memory == 768


def test_provisioned_concurrency_pays_when_busy() -> None:
    """A GB-second costs 2 µ$ when idle and saves 4 when busy: it pays from half of the time, with starts earlier."""
    without = pricing.warmth(replace(MEASURED, cold_starts=0), PRICES, 1769)
    assert without.most_an_hour == pytest.approx(9000)
    assert without.images_an_hour == pytest.approx(4500)
    assert without.provisioned_pays
    # A start for every tenth image saves 0.1 s at 10 µ$ more: 0.4 * 4 + 0.1 * 10.
    assert pricing.warmth(MEASURED, PRICES, 1769).images_an_hour == pytest.approx(7200 / 2.6)


def test_snap_start_pays_for_long_starts() -> None:
    warm = pricing.warmth(MEASURED, PRICES, 2048)
    assert warm.snap_start_after == pytest.approx(10_000)
    assert warm.snap_start_restore == pytest.approx(200e-6)
    assert warm.init == pytest.approx(20e-6)
    assert warm.snap_start_month == pytest.approx(2 * 365 / 12 * 24 * 3600 * 1e-6)


def test_a_month_has_fixed_costs() -> None:
    lines = {line.what: line.usd for line in pricing.monthly(MEASURED, PRICES)}
    assert lines["the key"] == 1
    assert lines["the function's metrics"] == pytest.approx(3)
    assert lines["alarms"] == pytest.approx(2)
    assert lines["polls of an empty queue"] == pytest.approx(5 * 3 * 60 * 24 * 365 / 12 * 0.4e-6)


def test_storage_costs_by_gb() -> None:
    lines = {line.what: line.usd for line in pricing.kept(MEASURED, PRICES)}
    assert lines["GB of originals"] == pytest.approx(2000 * 0.02)
    assert lines["GB of derivatives"] == pytest.approx(500 * 0.02)
    assert lines["GB of records"] == pytest.approx(1.5 * 0.25)


def test_the_solution_has_two_prices() -> None:
    solution = pricing.compare(MEASURED, PRICES, Case(1769))
    assert sum(solution.documented.values()) == pytest.approx(3.6)
    assert solution.deployed == pytest.approx(
        {"API Gateway": 3.5, "Lambda": 0.5 * 20 + 0.2, "S3": 0.4, "CloudWatch": 1.1}
    )
    assert solution.transformations == pytest.approx(sum(usd(Case(1769)).values()) / 15.2)


def test_the_file_has_every_price_of_a_bill() -> None:
    prices = load_prices()
    protocols = ("application", "email", "email-json", "firehose", "http", "https", "lambda", "sqs")
    for architecture in ("arm64", "x86_64"):
        measured = replace(MEASURED, architecture=architecture, deliveries=dict.fromkeys(protocols, 1))
        for case in (Case(1024), Case(1024, through_api=True, standard=True)):
            assert sections(measured, prices, case)
            assert pricing.total(pricing.bill(measured, prices, case)) > 0
    assert all(service["source"].startswith("https://aws.amazon.com/") for service in prices.services.values())
    assert {f"delivery_{protocol}" for protocol in protocols} == {
        unit for unit in prices.services["sns"]["usd"] if unit.startswith("delivery_")
    }


def test_the_solutions_figures_add_up() -> None:
    """AWS's page gives $203.48 for ten million served images, and the figures by component."""
    assert sum(load_prices().solution["usd"].values()) == pytest.approx(203.48)


def test_a_bill_shows_every_component_and_the_largest() -> None:
    images = sections(MEASURED, PRICES, Case(1769))[0]
    assert images.after.startswith("Largest shares: S3 (")
    assert {row[0] for row in images.rows} == {*usd(Case(1769)), "all"}
