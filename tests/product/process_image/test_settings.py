"""Settings are read strictly, and match Terraform's environment variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import hcl2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom_shared.settings import SettingsError
from process_image.image import Limits, Variant, Watermark, recipe_of
from process_image.isolation import Budget
from process_image.settings import Settings
from scripts import ROOT
from tests.product.process_image.originals import ENVIRONMENT, PROCESSED

TERRAFORM = ROOT / "terraform" / "4_process.tf"
FUNCTION = ROOT / "lambdas" / "process_image"

VARIANT: dict[str, Any] = {
    "name": "web",
    "width": 1024,
    "height": 768,
    "fit": "cover",
    "format": "webp",
    "quality": 80,
    "enlarge": True,
    "background": "#000000",
    "watermark": {
        "text": "Darkroom",
        "image": None,
        "position": "top",
        "scale": 0.5,
        "opacity": 0.25,
        "margin": 0.1,
    },
}
OTHER: dict[str, Any] = {
    "name": "web2",
    "width": 1023,
    "height": 767,
    "fit": "contain",
    "format": "avif",
    "quality": 81,
    "enlarge": False,
    "background": "#000001",
    "watermark": {
        "text": "darkroom",
        "image": "watermarks/abc",
        "position": "bottom",
        "scale": 0.51,
        "opacity": 0.26,
        "margin": 0.11,
    },
}


class Recording(Mapping[str, str]):
    """An environment that records the names of requested variables."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.asked: set[str] = set()
        self._values = values

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        raise NotImplementedError("variables are asked for by name")

    def __len__(self) -> int:
        raise NotImplementedError("variables are asked for by name")


def read(*variants: Mapping[str, Any], **changes: str) -> Settings:
    return Settings.from_environment(ENVIRONMENT | ({"VARIANTS": json.dumps(variants)} if variants else {}) | changes)


def test_settings_equal_the_environment() -> None:
    settings = read(VARIANT, MAX_BYTES="7", MAX_PIXELS="9")
    assert settings == Settings(
        event_bus="darkroom",
        log_level="INFO",
        processed_bucket=PROCESSED,
        variants=(Variant.from_mapping(VARIANT),),
        limits=Limits(max_bytes=7, max_frames=100, max_metadata_bytes=1_000_000, max_pixels=9, max_scan_megapixels=100),
        budget=Budget(max_memory=256, max_seconds=10),
    )


def test_unknown_log_level_is_named() -> None:
    with pytest.raises(SettingsError, match="LOG_LEVEL is malformed: TRACE is not a level of Python's logging"):
        read(LOG_LEVEL="TRACE")


# Terraform


def terraform_environment() -> set[str]:
    with TERRAFORM.open() as file:
        modules = hcl2.load(file)["module"]
    (function,) = (module['"process_image"'] for module in modules if '"process_image"' in module)
    return set(function["environment"])


def test_terraform_sets_what_settings_read() -> None:
    environment = Recording(ENVIRONMENT)
    Settings.from_environment(environment)
    libraries = {name for name in terraform_environment() if name.startswith("POWERTOOLS_")}
    assert libraries == {"POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"}
    assert terraform_environment() - libraries == environment.asked


def test_only_the_entry_reads_the_environment() -> None:
    readers = {
        path.name: re.findall(r"environ\b.*|getenv.*", path.read_text()) for path in sorted(FUNCTION.rglob("*.py"))
    }
    assert {name: found for name, found in readers.items() if found} == {
        "entry.py": ["environ)"],
    }


# Malformed settings


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_missing_variable_is_named(name: str) -> None:
    without = {other: value for other, value in ENVIRONMENT.items() if other != name}
    for environment in (without, {**without, name: ""}):
        with pytest.raises(SettingsError, match=f"{name} is not set"):
            Settings.from_environment(environment)


@pytest.mark.parametrize("name", [name for name in ENVIRONMENT if name.startswith("MAX_")])
@pytest.mark.parametrize("value", ["many", "1.5", "0", "-1", "1e6", "9" * 5000], ids=lambda value: value[:5])
def test_invalid_limit_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"(?i){name}"):
        read(**{name: value})


@pytest.mark.parametrize(
    "variants",
    [
        "",
        "no JSON",
        "null",
        "7",
        "{}",
        "[]",
        '["web"]',
        "[[]]",
        "[null]",
        '[{"name": "web"}]',
        '[{"width": 7}]',
        '[{"name": "web", "width": 7, "colour": "red"}]',
        '[{"name": "web", "width": 7, "watermark": "text"}]',
        '[{"name": "web", "width": 7}, {"name": "web", "width": 8}]',
    ],
)
def test_malformed_variants_are_refused(variants: str) -> None:
    with pytest.raises(SettingsError, match="VARIANTS"):
        read(VARIANTS=variants)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(JSON, max_size=3) | st.fixed_dictionaries({"name": JSON, "width": JSON}).map(lambda one: [one]))
@settings(deadline=None)
def test_variants_are_usable_or_refused(variants: list[Any]) -> None:
    try:
        settings = read(VARIANTS=json.dumps(variants))
    except SettingsError as error:
        assert "VARIANTS" in str(error)  # noqa: PT017 - what is not refused is looked at below
    else:
        assert list(settings.variants) == [Variant.from_mapping(variant) for variant in variants]
        assert len(settings.recipe) == 16


# Recipes


def shuffled(value: Any) -> Any:
    """Return the same object with its keys in reverse order."""
    return {key: shuffled(value[key]) for key in reversed(value)} if isinstance(value, dict) else value


def test_recipe_is_sixteen_hexadecimal_digits() -> None:
    assert re.fullmatch("[0-9a-f]{16}", read(VARIANT).recipe)


def test_recipe_ignores_order_and_white_space() -> None:
    spacious = json.dumps([shuffled(VARIANT)], indent=4)
    assert list(shuffled(VARIANT)) != list(VARIANT)
    assert read(VARIANTS=spacious).recipe == read(VARIANT).recipe


def test_recipe_depends_only_on_variants() -> None:
    assert read(VARIANT, EVENT_BUS="other", MAX_BYTES="7", PROCESSED_BUCKET="other").recipe == read(VARIANT).recipe


def test_recipes_are_stable() -> None:
    """They are stored with every derivative: a changed rule would render everything again."""
    assert read({"name": "web", "width": 1024}).recipe == "a3b6d591159e82c5"


DEFAULTS: dict[str, Any] = {
    "fit": "inside",
    "format": "jpeg",
    "quality": None,
    "enlarge": False,
    "background": "#ffffff",
    "watermark": None,
}
WATERMARK_DEFAULTS: dict[str, Any] = {"position": "bottom-right", "scale": 0.25, "opacity": 0.5, "margin": 0.03}


def test_defaults_are_stable() -> None:
    """A recipe does not contain them: a changed default would keep the recipe of changed derivatives."""
    variant, watermark = Variant(name="web", width=7), Watermark(text="x")
    assert {name: getattr(variant, name) for name in DEFAULTS} == DEFAULTS
    assert {name: getattr(watermark, name) for name in WATERMARK_DEFAULTS} == WATERMARK_DEFAULTS


def test_explicit_defaults_keep_the_recipe() -> None:
    short: dict[str, Any] = {"name": "web", "width": 7}
    assert read(short | DEFAULTS).recipe == read(short).recipe
    marked = short | {"watermark": {"text": "x"}}
    assert read(short | {"watermark": {"text": "x"} | WATERMARK_DEFAULTS}).recipe == read(marked).recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class GrownWatermark(Watermark):
    """A watermark with a setting of a later release."""

    angle: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GrownVariant(Variant):
    """A variant with a setting of a later release."""

    sharpen: float = 0.0


def grown(variant: Variant, sharpen: float = 0.0, angle: int = 0) -> GrownVariant:
    def values(settings: Variant | Watermark) -> dict[str, Any]:
        return {field.name: getattr(settings, field.name) for field in fields(settings)}

    watermark = variant.watermark and GrownWatermark(**values(variant.watermark), angle=angle)
    return GrownVariant(**{**values(variant), "watermark": watermark}, sharpen=sharpen)


@pytest.mark.parametrize("mapping", [VARIANT, OTHER | {"watermark": None}, {"name": "web", "width": 1024}])
def test_unset_new_setting_keeps_the_recipe(mapping: dict[str, Any]) -> None:
    variant = Variant.from_mapping(mapping)
    assert recipe_of([grown(variant)]) == recipe_of([variant])
    assert recipe_of([grown(variant, sharpen=0.5)]) != recipe_of([variant])
    assert (recipe_of([grown(variant, angle=90)]) != recipe_of([variant])) == (variant.watermark is not None)


@pytest.mark.parametrize("field", [field for field in VARIANT if field != "watermark"])
def test_changed_setting_changes_the_recipe(field: str) -> None:
    assert read({**VARIANT, field: OTHER[field]}).recipe != read(VARIANT).recipe


@pytest.mark.parametrize("field", [field for field in OTHER["watermark"] if field != "image"])
def test_changed_watermark_changes_the_recipe(field: str) -> None:
    changed = {**VARIANT["watermark"], field: OTHER["watermark"][field]}
    assert read({**VARIANT, "watermark": changed}).recipe != read(VARIANT).recipe
    assert read({**VARIANT, "watermark": None}).recipe != read(VARIANT).recipe


def test_watermark_image_changes_the_recipe() -> None:
    def branded(image: str) -> str:
        return read({**VARIANT, "watermark": {"image": image}}).recipe

    assert branded("watermarks/abc") != branded("watermarks/abd")


def test_order_of_variants_changes_the_recipe() -> None:
    one, other = {"name": "a", "width": 1}, {"name": "b", "width": 1}
    assert read(one, other).recipe != read(other, one).recipe
