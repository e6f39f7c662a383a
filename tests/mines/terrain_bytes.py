"""Make small elevation models whose ridges are known, as ASCII grids and GeoTIFFs."""

import numpy as np
from affine import Affine
from rasterio.io import MemoryFile

# CGCS2000, 3-degree zone with central meridian 111°, without zone number; near 112.4°E 39.3°N.
EPSG = 4546
CELL = 30.0
SIZE = 120
WEST, NORTH = 620_000.0, 4_356_000.0


def ridge_heights(slant: float = 0.0) -> np.ndarray:
    """Return heights with one straight ridge through the middle, falling 0.3 m a metre."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    crest = SIZE / 2 + slant * (columns - SIZE / 2)
    away = np.abs(rows - crest) * CELL / np.hypot(1, slant)
    # Rises gently along the ridge, so that no cell of it equals the next.
    return 1500 - 0.3 * away + 0.02 * columns


def asc(heights: np.ndarray) -> bytes:
    """Return an ASCII grid."""
    head = (
        f"ncols {heights.shape[1]}\nnrows {heights.shape[0]}\nxllcorner {WEST}\n"
        f"yllcorner {NORTH - CELL * heights.shape[0]}\ncellsize {CELL}\nNODATA_value -9999\n"
    )
    lines = (" ".join(f"{height:.2f}" for height in row) for row in heights)
    return (head + "\n".join(lines) + "\n").encode()


def tif(heights: np.ndarray, epsg: int | None = EPSG) -> bytes:
    """Return a GeoTIFF."""
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=heights.shape[1], height=heights.shape[0], count=1,
            dtype="float32", crs=f"EPSG:{epsg}" if epsg else None,
            transform=Affine(CELL, 0, WEST, 0, -CELL, NORTH),
        ) as model:  # fmt: skip
            model.write(heights.astype("float32"), 1)
        return memory.read()


def plane(east: float, north: float) -> tuple[float, float]:
    """Return metres of the model's system from metres east and south of its north-west corner."""
    return WEST + east, NORTH - north
