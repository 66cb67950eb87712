from __future__ import annotations

from tests.product.api.rendering import velocity_is_installed


def pytest_report_header() -> str:
    """Report the engines that render the mapping templates."""
    velocity = "Apache Velocity" if velocity_is_installed() else "no Velocity, which is not installed"
    return f"mapping templates: airspeed and {velocity}"
