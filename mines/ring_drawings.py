"""Draw rings as figures for SVG: given and mended side by side, on the same scale."""

from typing import Any

from mines.rings import Boundary, Role

SIDE = 360
MARGIN = 24
MOST_LABELS = 40


def draw(boundary: Boundary, beside: Boundary | None = None) -> dict[str, Any]:
    """Return view box, closed paths and corner labels; east is right, north is up.

    `beside` is the boundary that stands next to this one: both get the same frame.
    """
    points = [
        point
        for each in (boundary, beside)
        if each is not None
        for region in each.regions
        for ring in region.rings
        for point in ring.points
    ]
    west = min(float(point.y) for point in points)
    east = max(float(point.y) for point in points)
    south = min(float(point.x) for point in points)
    north = max(float(point.x) for point in points)
    metres = max(east - west, north - south, 1.0)
    scale = (SIDE - 2 * MARGIN) / metres

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            round(MARGIN + (y - west) * scale, 1),
            round(MARGIN + (north - x) * scale, 1),
        )

    rings = []
    labels: list[dict[str, Any]] = []
    for region in boundary.regions:
        for ring in region.rings:
            places = [place(float(point.x), float(point.y)) for point in ring.points]
            rings.append(
                {
                    "path": "M" + "L".join(f"{x} {y}" for x, y in places) + "Z",
                    "is_hole": ring.role is Role.HOLE,
                }
            )
            step = max(1, len(ring.points) // MOST_LABELS)
            labels += [
                {"text": point.number, "x": x, "y": y}
                for point, (x, y) in list(zip(ring.points, places, strict=True))[::step]
            ]
    return {
        "width": SIDE,
        "height": round(2 * MARGIN + (north - south) * scale) or SIDE,
        "rings": rings,
        "labels": labels,
        "metres": f"{metres:.0f}",
    }
