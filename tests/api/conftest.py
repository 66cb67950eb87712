from __future__ import annotations

from api.rendering import velocity


def pytest_report_header() -> str:
    """Report the engines that render the mapping templates."""
    return (
        f"mapping templates: airspeed and {'Apache Velocity' if velocity() else 'no Velocity, which is not installed'}"
    )
