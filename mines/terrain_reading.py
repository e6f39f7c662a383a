"""Find ridge lines in a digital elevation model (GeoTIFF or ASCII grid).

A cell lies on a ridge where it is the highest along a line across it and the ground falls away on
both sides. The lines are a hint for people who judge boundaries (三(四)), no verdict. Meant for a
child process with limits.
"""

import math
from dataclasses import dataclass

import numpy as np
import rasterio
import shapely
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

from mines.coordinate_rows import BEIJING_54, CONVERSION, XIAN_80
from mines.readings import Problem, problem

MOST_CELLS = 30_000_000
DRIVERS = {b"II": "GTiff", b"MM": "GTiff", b"nc": "AAIGrid"}
# How far from a cell the ground is looked at on both sides, and how much it must fall there.
LOOK_M, FALL_M = 300.0, 30.0
LEAST_LOOK, MOST_LOOK = 2, 20
# Shorter crests are knolls, not ridges.
LEAST_RIDGE_M = 400.0
STRIP_ROWS = 512
BLOCK = 64
ACROSS = ((0, 1), (1, 0), (1, 1), (1, -1))
ELLIPSOID = Geod(a=6378137, rf=298.257222101)


@dataclass(frozen=True)
class TerrainReading:
    """Hold the ridge lines in CGCS2000 degrees, block by block, or why a file is refused."""

    lines: tuple[shapely.Geometry, ...] = ()
    cell_m: float = 0.0
    extent: tuple[float, float, float, float] | None = None
    problem: Problem | None = None


def read_terrain(data: bytes, epsg: int | None) -> TerrainReading:
    """Read a model; `epsg` is the system of a file that names none. Never raises on bad input."""
    driver = DRIVERS.get(data[:2].lower() if data[:1] in b"nN" else data[:2])
    if driver is None:
        return TerrainReading(problem=_unreadable())
    try:
        with MemoryFile(data) as memory, memory.open(driver=driver) as model:
            return _read(model, epsg)
    except (RasterioError, CRSError, ValueError, OverflowError, OSError):
        return TerrainReading(problem=_unreadable())


def _read(model: rasterio.DatasetReader, epsg: int | None) -> TerrainReading:
    if model.width * model.height > MOST_CELLS:
        return TerrainReading(problem=_too_large(model.width, model.height))
    if model.count != 1 or model.transform.b or model.transform.d:
        return TerrainReading(problem=_unreadable())
    system = _system(model, epsg)
    if isinstance(system, Problem):
        return TerrainReading(problem=system)
    heights = model.read(1, masked=True).astype(np.float32).filled(np.nan)
    if not np.isfinite(heights).any() or not -500 <= np.nanmin(heights) <= np.nanmax(heights) < 9e3:
        return TerrainReading(problem=_no_heights())
    to_degrees = Transformer.from_crs(system, 4490, always_xy=True).transform
    west, south, east, north = model.bounds
    corners = to_degrees([west, west, east, east], [south, north, south, north])
    longitudes, latitudes = np.asarray(corners[0]), np.asarray(corners[1])
    if not (np.isfinite(longitudes).all() and np.isfinite(latitudes).all()):
        return TerrainReading(problem=_unknown_system(system.name))
    extent = (
        float(longitudes.min()), float(latitudes.min()),
        float(longitudes.max()), float(latitudes.max()),
    )  # fmt: skip
    x, y = model.transform @ (model.width / 2, model.height / 2)
    steps = to_degrees([x, x + model.transform.a, x], [y, y, y + model.transform.e])
    _, _, (wide, high) = ELLIPSOID.inv(
        [steps[0][0]] * 2, [steps[1][0]] * 2, list(steps[0][1:]), list(steps[1][1:])
    )
    crest = ridge_cells(heights, wide, high)
    lines = _lines(crest, wide, high)
    if lines.size:
        rows, columns = lines[..., 0].ravel(), lines[..., 1].ravel()
        xs, ys = model.transform @ (columns + 0.5, rows + 0.5)
        placed = np.column_stack(to_degrees(xs, ys)).reshape(-1, 2, 2)
    else:
        placed = np.empty((0, 2, 2))
    return TerrainReading(_blocks(lines, placed), round(max(wide, high), 2), extent)


def ridge_cells(heights: np.ndarray, wide_m: float, high_m: float) -> np.ndarray:
    """Tell of each cell whether it lies on a ridge; cells are `wide_m` by `high_m` metres."""
    crest = np.zeros(heights.shape, dtype=bool)
    reach = max(_look(wide_m), _look(high_m))
    # Strip by strip, so that memory does not grow with the model.
    for top in range(0, heights.shape[0], STRIP_ROWS):
        above, below = max(top - reach, 0), min(top + STRIP_ROWS + reach, heights.shape[0])
        found = _ridge_cells(heights[above:below], wide_m, high_m)
        crest[top : top + STRIP_ROWS] = found[top - above :][:STRIP_ROWS]
    return crest


def _look(cell_m: float) -> int:
    return min(max(round(LOOK_M / cell_m), LEAST_LOOK), MOST_LOOK)


def _ridge_cells(heights: np.ndarray, wide_m: float, high_m: float) -> np.ndarray:
    crest = np.zeros(heights.shape, dtype=bool)
    for down, right in ACROSS:
        count = _look(math.hypot(down * high_m, right * wide_m))
        highest = np.full(heights.shape, -np.inf, dtype=np.float32)
        lowest = [np.full(heights.shape, np.inf, dtype=np.float32) for _ in range(2)]
        for step in range(1, count + 1):
            for side, sign in enumerate((1, -1)):
                beside = _moved(heights, sign * step * down, sign * step * right)
                # NaN, beyond the model, compares false and changes nothing.
                np.fmax(highest, beside, out=highest)
                np.fmin(lowest[side], beside, out=lowest[side])
        falls = (heights - lowest[0] >= FALL_M) & (heights - lowest[1] >= FALL_M)
        crest |= falls & (heights >= highest) & np.isfinite(lowest[0]) & np.isfinite(lowest[1])
    return crest


def _moved(heights: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return the model with each cell holding the one `down` rows and `right` columns away."""
    moved = np.full(heights.shape, np.nan, dtype=heights.dtype)
    rows, columns = heights.shape
    if abs(down) >= rows or abs(right) >= columns:
        return moved
    moved[max(-down, 0) : rows - max(down, 0), max(-right, 0) : columns - max(right, 0)] = heights[
        max(down, 0) : rows + min(down, 0), max(right, 0) : columns + min(right, 0)
    ]
    return moved


def _lines(crest: np.ndarray, wide_m: float, high_m: float) -> np.ndarray:
    """Join neighbouring cells; return (n, 2, 2) pairs of (row, column), short crests left out."""
    right = crest[:, :-1] & crest[:, 1:]
    down = crest[:-1] & crest[1:]
    # Slanting, only where the cells are not joined round the corner already.
    slant = crest[:-1, :-1] & crest[1:, 1:] & ~crest[:-1, 1:] & ~crest[1:, :-1]
    back = crest[:-1, 1:] & crest[1:, :-1] & ~crest[:-1, :-1] & ~crest[1:, 1:]
    parts = []
    for joined, start, end in (
        (right, (0, 0), (0, 1)), (down, (0, 0), (1, 0)),
        (slant, (0, 0), (1, 1)), (back, (0, 1), (1, 0)),
    ):  # fmt: skip
        cells = np.argwhere(joined)
        parts.append(np.stack((cells + start, cells + end), axis=1))
    pairs = np.concatenate(parts)
    if not len(pairs):
        return pairs
    numbers = pairs[..., 0] * crest.shape[1] + pairs[..., 1]
    steps = np.hypot(
        (pairs[:, 1, 0] - pairs[:, 0, 0]) * high_m, (pairs[:, 1, 1] - pairs[:, 0, 1]) * wide_m
    )
    kept: np.ndarray = pairs[_long_enough(numbers, steps)]
    return kept


def _long_enough(numbers: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Tell of each join whether its crest, all joins that hang together, is long enough."""
    names, ends = np.unique(numbers, return_inverse=True)
    ends = ends.reshape(numbers.shape)
    group = list(range(len(names)))

    def head(one: int) -> int:
        while group[one] != one:
            group[one] = group[group[one]]
            one = group[one]
        return one

    ones, others = ends[:, 0].tolist(), ends[:, 1].tolist()
    for one, other in zip(ones, others, strict=True):
        group[head(one)] = head(other)
    heads = np.array([head(one) for one in ones])
    lengths = np.bincount(heads, weights=steps, minlength=len(names))
    long_enough: np.ndarray = lengths[heads] >= LEAST_RIDGE_M
    return long_enough


def _blocks(cells: np.ndarray, placed: np.ndarray) -> tuple[shapely.Geometry, ...]:
    """Return the lines of each block of the model as one geometry."""
    if not len(placed):
        return ()
    blocks = (cells[:, 0, 0] // BLOCK) * (cells.max() // BLOCK + 1) + cells[:, 0, 1] // BLOCK
    order = np.argsort(blocks, kind="stable")
    cuts = np.flatnonzero(np.diff(blocks[order])) + 1
    return tuple(
        shapely.line_merge(shapely.multilinestrings(shapely.linestrings(placed[block])))
        for block in np.split(order, cuts)
    )


def _system(model: rasterio.DatasetReader, epsg: int | None) -> CRS | Problem:
    """Return the system the file names, else the one the person named."""
    if model.crs is None:
        return _no_system() if epsg is None else CRS.from_epsg(epsg)
    system = CRS.from_wkt(model.crs.to_wkt())
    words = f"{system.name} {system.datum.name if system.datum else ''}"
    if XIAN_80.search(words) or "Xian 1980" in words or BEIJING_54.search(words):
        return problem(
            "terrain_datum", f"文件注明的坐标系是“{system.name[:60]}”", fix=CONVERSION,
            expected="CGCS2000 或 WGS 84",
        )  # fmt: skip
    on_ground = system.is_geographic or system.is_projected
    if not on_ground or not any(year in words for year in ("84", "2000")):
        return _unknown_system(system.name)
    return system


def _unreadable() -> Problem:
    return problem(
        "terrain_unreadable", "这个文件不是能读的高程模型", expected="单波段 GeoTIFF 或 ASCII 格网",
        fix="请在制图软件里另存为 GeoTIFF（.tif）或 ASCII 格网（.asc）后再上传",
    )  # fmt: skip


def _too_large(wide: int, high: int) -> Problem:
    return problem(
        "terrain_too_large", f"高程模型有 {wide} × {high} 个格网", found=f"{wide} × {high}",
        expected=f"不超过 {MOST_CELLS // 10_000} 万个", fix="请裁成几块，或降低分辨率后再上传",
    )  # fmt: skip


def _no_heights() -> Problem:
    return problem(
        "terrain_heights", "格网里没有可用的高程", expected="以米为单位、-500 至 9000 的高程",
        fix="请核对是否选错了文件或单位",
    )  # fmt: skip


def _no_system() -> Problem:
    return problem(
        "terrain_no_system", "文件没有写明坐标系", expected="写明坐标系的文件",
        fix="请在上传时选择坐标系",
    )  # fmt: skip


def _unknown_system(name: str) -> Problem:
    return problem(
        "terrain_system", f"文件注明的坐标系“{name[:60]}”不能使用", expected="CGCS2000 或 WGS 84",
        fix="请在制图软件里转换坐标系后再上传",
    )  # fmt: skip
