"""Read one uploaded layer from standard input, and write what it gave as JSON.

Run as a child: `python -m mines.layer_reader polygons ""` or `… terrain <EPSG code or "">`.
"""

import json
import sys
from typing import Any

import shapely

from mines.child import give_up_powers
from mines.layer_reading import read_layer
from mines.readings import Problem
from mines.terrain_reading import read_terrain

MEMORY_BYTES = 2048 << 20
CPU_SECONDS = 120
# A zipped Shapefile is unpacked into a folder of its own before it is read.
FILE_BYTES = 256 << 20


def main(kind: str, epsg: str) -> None:
    """Read with our powers given up; whatever goes wrong ends this process alone."""
    give_up_powers(memory_bytes=MEMORY_BYTES, cpu_seconds=CPU_SECONDS, file_bytes=FILE_BYTES)
    data = sys.stdin.buffer.read()
    answer = _terrain(data, epsg) if kind == "terrain" else _polygons(data)
    json.dump(answer, sys.stdout)


def _polygons(data: bytes) -> dict[str, Any]:
    reading = read_layer(data)
    return {
        "problem": _words(reading.problem),
        "notes": [warning.message for warning in reading.warnings],
        "shapes": [shapely.to_wkb(shape, hex=True) for shape in reading.polygons],
        "cell_m": None,
    }


def _terrain(data: bytes, epsg: str) -> dict[str, Any]:
    reading = read_terrain(data, int(epsg) if epsg else None)
    return {
        "problem": _words(reading.problem),
        "notes": [],
        "shapes": [shapely.to_wkb(line, hex=True) for line in reading.lines],
        "cell_m": reading.cell_m or None,
        "extent": reading.extent,
    }


def _words(found: Problem | None) -> str:
    return found.message if found else ""


if __name__ == "__main__":
    main(*sys.argv[1:])
