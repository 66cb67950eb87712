"""Sections of text and tables about the cost, for `darkroom cost` and docs/cost.md."""

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
    """A section of the bill.

    Attributes:
        before: Text before the table.
        after: Text after the table.
    """

    title: str
    columns: tuple[str, ...]
    rows: Rows
    before: str = ""
    after: str = ""


def sections(measured: Measurements, prices: Prices, case: Case) -> list[Section]:
    """Return all sections."""
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
    way = "through the API" if case.through_api else "directly to the bucket"
    kind = "standard" if case.standard else "express"
    top = ", ".join(f"{component} ({_share(sums[component], whole)})" for component in ranked[:3])
    return Section(
        "A million images",
        ("component", "what", "per image", "USD", "share"),
        rows,
        f"Uploads {way}, {case.memory:,} MB for the function, {kind} workflow.",
        f"Largest shares: {top}.",
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
                    ("as deployed", size.memory == measured.memory),
                    (f"too small for an image at the limits ({measured.needed_memory} MB)", not size.enough),
                )
                if holds
            ),
        )
        for size in choice
    ]
    return Section(
        "Memory of the function",
        ("MB", "ms per image", "USD per million images", ""),
        rows,
        after=f"The best size is the cheapest into which an image at the limits fits: {chosen.memory:,} MB. "
        "With more memory images are ready sooner, but the time in which the function waits costs more.",
    )


def _warmth(measured: Measurements, prices: Prices, case: Case) -> Section:
    warm = warmth(measured, prices, case.memory)
    provisioned = (
        f"from {warm.images_an_hour:,.0f} images per hour and environment, of {warm.most_an_hour:,.0f} that it can "
        f"process: {_share(warm.images_an_hour, warm.most_an_hour)} busy, day and night"
        if warm.provisioned_pays
        else f"never: it needs {warm.images_an_hour:,.0f} images per hour, and an environment can process "
        f"{warm.most_an_hour:,.0f}"
    )
    started = f"{_usd(warm.init * MILLION)} USD per million starts, {_usd(warm.snap_start_restore * MILLION)} restored"
    snap = (
        f"never saves money: {started}, and {_usd(warm.snap_start_month)} per month for the snapshot"
        if warm.snap_start_restore > warm.init
        else f"from {warm.snap_start_month / (warm.init - warm.snap_start_restore):,.0f} starts per month: {started}"
    )
    rows: Rows = [
        ("provisioned concurrency", provisioned),
        ("SnapStart", f"{snap}; a start must take more than {warm.snap_start_after / 1000:.1f} s"),
    ]
    return Section(f"Keeping the function warm, at {case.memory:,} MB", ("", "saves money"), rows)


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
    return Section("Express and standard workflow", ("type", "per image", "USD per million images"), rows)


def _month(measured: Measurements, prices: Prices, case: Case) -> Section:
    fixed, storage = monthly(measured, prices), kept(measured, prices)
    images = case.images_per_month * total(bill(measured, prices, case)) / MILLION
    rows: Rows = [("images", f"{case.images_per_month:,} processed", _usd(images))]
    rows += [(line.component, line.what, _usd(line.usd)) for line in fixed]
    rows += [("all", "", _usd(images + total(fixed)))]
    rows += [
        (line.component, f"per million stored images: {line.quantity:,.1f} {line.what}", _usd(line.usd))
        for line in storage
    ]
    return Section(
        "Per month",
        ("component", "what", "USD"),
        rows,
        after="Storage is charged every month in addition. Downloads over the internet cost "
        f"{prices.usd('s3', 'transfer_out_gb'):.2f} USD per GB.",
    )


def _solution(measured: Measurements, prices: Prices, case: Case) -> Section:
    solution = compare(measured, prices, case)
    here = total(bill(measured, prices, case))
    assumed = prices.solution
    rows: Rows = [
        (
            name,
            _usd(solution.documented[name]),
            _usd(solution.deployed[name]),
            _usd(solution.deployed[name] * measured.variants),
        )
        for name in solution.documented
    ]
    documented, deployed = sum(solution.documented.values()), sum(solution.deployed.values())
    rows += [
        ("all, without CloudFront", _usd(documented), _usd(deployed), _usd(deployed * measured.variants)),
        ("this pipeline", "", "", _usd(here)),
    ]
    return Section(
        "Comparison with AWS's Dynamic Image Transformation",
        (
            "USD",
            "a million transformations, as AWS documents",
            "the same, as deployed and at these prices",
            f"a million images, {measured.variants:g} transformations each",
        ),
        rows,
        "The solution transforms an image when it is requested, and CloudFront caches it. This pipeline transforms "
        "once, at upload, and also records, announces and archives. AWS's guide assumes "
        f"{assumed['transformed'] / MILLION:g} million transformations for {assumed['served'] / MILLION:g} million "
        f"served images, {assumed['milliseconds']} ms each. The solution's function has "
        f"{assumed['deployed']['memory']:,} MB and is behind a REST API.",
        f"An image costs here what {solution.transformations:.1f} transformations cost there. The solution is cheaper "
        "if it transforms an image less often than that, cache misses included. CloudFront costs the same with both.",
    )


def _usd(value: float) -> str:
    return f"{value:,.2f}"


def _share(value: float, whole: float) -> str:
    return f"{value / whole:.0%}".replace("%", " %")


def _quantity(value: float) -> str:
    return f"{value:,.4g}" if value >= 0.001 or value == 0 else f"{value:.2e}"  # noqa: PLR2004
