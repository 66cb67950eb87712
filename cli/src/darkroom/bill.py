"""The bill as sections of text and tables: what `darkroom cost` prints and docs/cost.md shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from darkroom.pricing import (
    MILLION,
    best,
    bill,
    by_component,
    compare,
    kept,
    monthly,
    sizes,
    total,
    warmth,
)

if TYPE_CHECKING:
    from darkroom.pricing import Case, Measurements, Prices

Rows = list[tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """A part of the bill.

    Attributes:
        before: What is said before the table.
        after: What is said after it.
    """

    title: str
    columns: tuple[str, ...]
    rows: Rows
    before: str = ""
    after: str = ""


def sections(measured: Measurements, prices: Prices, case: Case) -> list[Section]:
    """All of it."""
    return [
        _images(measured, prices, case),
        _memory(measured, prices),
        _warmth(measured, prices, case),
        _workflow(measured, prices, case),
        _month(measured, prices, case),
        _solution(measured, prices, case),
    ]


def _images(measured: Measurements, prices: Prices, case: Case) -> Section:
    lines = bill(measured, prices, case)
    sums, whole = by_component(lines), total(lines)
    ranked = sorted(sums, key=lambda component: sums[component], reverse=True)
    rows: Rows = [
        (line.component, line.what, _quantity(line.quantity), _usd(line.usd), _share(line.usd, whole)) for line in lines
    ]
    rows.append(("all", "", "", _usd(whole), "100 %"))
    way = "through the API" if case.through_api else "straight into the bucket"
    kind = "standard" if case.standard else "express"
    top = ", ".join(f"{component} ({_share(sums[component], whole)})" for component in ranked[:3])
    return Section(
        "A million images",
        ("component", "what", "for an image", "USD", "share"),
        rows,
        f"Uploaded {way}, {case.memory:,} MB for the function, {kind} workflow.",
        f"What dominates: {top}.",
    )


def _memory(measured: Measurements, prices: Prices) -> Section:
    choice = sizes(measured, prices)
    chosen = best(choice)
    rows: Rows = [
        (
            f"{size.memory:,}",
            f"{size.milliseconds:,.0f}",
            _usd(size.usd),
            "; ".join(
                remark
                for remark, holds in (
                    ("best", size == chosen),
                    ("as it is", size.memory == measured.memory),
                    (f"too little for an image at the limits ({measured.needed_memory} MB)", not size.enough),
                )
                if holds
            ),
        )
        for size in choice
    ]
    return Section(
        "Memory of the function",
        ("MB", "ms for an image", "USD for a million images", ""),
        rows,
        after=f"The best is the cheapest that an image at the limits fits into: {chosen.memory:,} MB. "
        "More makes images come sooner, for the time in which the function waits more dearly.",
    )


def _warmth(measured: Measurements, prices: Prices, case: Case) -> Section:
    warm = warmth(measured, prices, case.memory)
    provisioned = (
        f"from {warm.images_an_hour:,.0f} images an hour and environment, of {warm.most_an_hour:,.0f} that it can: "
        f"{_share(warm.images_an_hour, warm.most_an_hour)} busy, day and night"
        if warm.provisioned_pays
        else f"never: it would take {warm.images_an_hour:,.0f} images an hour, and an environment can "
        f"{warm.most_an_hour:,.0f}"
    )
    started = (
        f"{_usd(warm.init * MILLION)} USD for a million starts, {_usd(warm.snap_start_restore * MILLION)} restored"
    )
    snap = (
        f"never, for money: {started}, and {_usd(warm.snap_start_month)} a month for the snapshot"
        if warm.snap_start_restore > warm.init
        else f"from {warm.snap_start_month / (warm.init - warm.snap_start_restore):,.0f} starts a month: {started}"
    )
    rows: Rows = [
        ("provisioned concurrency", provisioned),
        ("SnapStart", f"{snap}; a start would have to take {warm.snap_start_after / 1000:.1f} s"),
    ]
    return Section(f"Kept warm, at {case.memory:,} MB", ("", "it pays"), rows)


def _workflow(measured: Measurements, prices: Prices, case: Case) -> Section:
    express, standard = (
        sum(
            line.usd
            for line in bill(measured, prices, replace(case, standard=kind))
            if line.component == "Step Functions"
        )
        for kind in (False, True)
    )
    rows: Rows = [
        ("express", f"{measured.workflow:,.0f} ms", _usd(express)),
        ("standard", f"{measured.transitions:g} transitions", _usd(standard)),
    ]
    return Section("The workflow, express and standard", ("type", "for an image", "USD for a million images"), rows)


def _month(measured: Measurements, prices: Prices, case: Case) -> Section:
    fixed, storage = monthly(measured, prices), kept(measured, prices)
    images = case.images_per_month * total(bill(measured, prices, case)) / MILLION
    rows: Rows = [("images", f"{case.images_per_month:,} processed", _usd(images))]
    rows += [(line.component, line.what, _usd(line.usd)) for line in fixed]
    rows += [("all", "", _usd(images + total(fixed)))]
    rows += [
        (line.component, f"a million images kept: {line.quantity:,.1f} {line.what}", _usd(line.usd)) for line in storage
    ]
    return Section(
        "A month",
        ("component", "what", "USD"),
        rows,
        after="What is kept costs that in every month, on top. Out to the internet goes what is fetched: "
        f"{prices.usd('s3', 'transfer_out_gb'):.2f} USD for a GB.",
    )


def _solution(measured: Measurements, prices: Prices, case: Case) -> Section:
    beside = compare(measured, prices, case)
    here = total(bill(measured, prices, case))
    told = prices.solution
    rows: Rows = [
        (
            name,
            _usd(beside.documented[name]),
            _usd(beside.deployed[name]),
            _usd(beside.deployed[name] * measured.variants),
        )
        for name in beside.documented
    ]
    documented, deployed = sum(beside.documented.values()), sum(beside.deployed.values())
    rows += [
        ("all, without CloudFront", _usd(documented), _usd(deployed), _usd(deployed * measured.variants)),
        ("this pipeline", "", "", _usd(here)),
    ]
    return Section(
        "Beside AWS's Dynamic Image Transformation",
        (
            "USD",
            "a million transformations, as AWS tells",
            "the same, as deployed and at these prices",
            f"a million images, {measured.variants:g} transformations each",
        ),
        rows,
        "It transforms when a picture is asked for and keeps it in CloudFront's cache; this pipeline transforms at "
        "upload, once, and also records, announces and archives. "
        f"AWS tells {told['transformed'] / MILLION:g} million transformations for {told['served'] / MILLION:g} million "
        f"pictures served, each {told['milliseconds']} ms; its function is deployed with "
        f"{told['deployed']['memory']:,} MB, behind a REST API.",
        f"An image costs here what {beside.transformations:.1f} transformations cost there. Where the derivatives of "
        "an image are made less often than that, the cache's misses counted, it is the cheaper one. CloudFront costs "
        "the same before both.",
    )


def _usd(value: float) -> str:
    return f"{value:,.2f}"


def _share(value: float, whole: float) -> str:
    return f"{value / whole:.0%}".replace("%", " %")


def _quantity(value: float) -> str:
    return f"{value:,.4g}" if value >= 0.001 or value == 0 else f"{value:.2e}"  # noqa: PLR2004
