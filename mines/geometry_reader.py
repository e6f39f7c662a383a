"""Read one upload of corner points from standard input, and write what it gave as JSON.

Run as a child: `python -m mines.geometry_reader <assumed zone or "">`.
"""

import json
import sys
from dataclasses import asdict
from typing import Any

from mines.child import give_up_powers
from mines.geometry_files import read_upload
from mines.readings import Reading
from mines.rings import Boundary

MEMORY_BYTES = 1536 << 20
CPU_SECONDS = 20
# A zipped Shapefile is unpacked into a folder of its own before it is read.
FILE_BYTES = 256 << 20


def main(zone: str) -> None:
    """Read with our powers given up; whatever goes wrong ends this process alone."""
    give_up_powers(memory_bytes=MEMORY_BYTES, cpu_seconds=CPU_SECONDS, file_bytes=FILE_BYTES)
    data = sys.stdin.buffer.read()
    reading = read_upload(data, assume_zone=int(zone) if zone else None)
    json.dump(as_plain(reading), sys.stdout)


def as_plain(reading: Reading) -> dict[str, Any]:
    """Return a reading as values that JSON knows."""
    return {
        "problems": [asdict(problem) for problem in reading.problems],
        "boundary": _plain(reading.boundary),
        "mended": _plain(reading.mended),
    }


def _plain(boundary: Boundary | None) -> dict[str, Any] | None:
    if boundary is None:
        return None
    return {
        "zone": boundary.zone,
        "source_format": boundary.source_format,
        "regions": [
            {
                "name": region.name,
                "top": None if region.elevation_top is None else str(region.elevation_top),
                "bottom": None if region.elevation_bottom is None else str(region.elevation_bottom),
                "rings": [
                    {
                        "role": ring.role.value,
                        "points": [
                            [p.number, p.x_text, p.y_text, str(p.x), str(p.y), p.line]
                            for p in ring.points
                        ],
                    }
                    for ring in region.rings
                ],
            }
            for region in boundary.regions
        ],
    }


if __name__ == "__main__":
    main(sys.argv[1])
