"""Text for weights and times. Pure."""

from collections.abc import Mapping


def split_of(weights: Mapping[str, int]) -> str:
    """Write weights: `v1 90 · v2 10`."""
    return " · ".join(f"{version} {weight}" for version, weight in weights.items())


def clock(length: float) -> str:
    """Write seconds as `1:05` or `2:00:00`."""
    minutes, rest = divmod(max(0, round(length)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
