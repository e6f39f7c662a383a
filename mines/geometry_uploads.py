"""Read uploaded or pasted corner points in a child process; answers are plain values again."""

import json
from decimal import Decimal
from typing import Any

from mines.child import Broken, Killed, TooSlow, output_of
from mines.readings import Problem, Reading, problem, refused
from mines.rings import Boundary, Point, Region, Ring, Role

SECONDS = 30


def read_safely(data: bytes, *, assume_zone: int | None = None) -> Reading:
    """Read corner points in whichever form they come; never raises on bad input."""
    zone = "" if assume_zone is None else str(assume_zone)
    try:
        output = output_of("mines.geometry_reader", [zone], seconds=SECONDS, given=data)
    except (TooSlow, Killed):
        return refused(_too_heavy())
    except Broken:
        return refused(_unreadable())
    answer = json.loads(output)
    return Reading(
        boundary=_boundary(answer["boundary"]),
        problems=tuple(Problem(**each) for each in answer["problems"]),
        mended=_boundary(answer["mended"]),
    )


def _boundary(plain: dict[str, Any] | None) -> Boundary | None:
    if plain is None:
        return None
    regions = tuple(
        Region(
            region["name"],
            None if region["top"] is None else Decimal(region["top"]),
            None if region["bottom"] is None else Decimal(region["bottom"]),
            tuple(_ring(ring) for ring in region["rings"]),
        )
        for region in plain["regions"]
    )
    return Boundary(regions, plain["zone"], plain["source_format"])


def _ring(plain: dict[str, Any]) -> Ring:
    points = tuple(
        Point(number, x_text, y_text, Decimal(x), Decimal(y), line)
        for number, x_text, y_text, x, y, line in plain["points"]
    )
    return Ring(points, Role(plain["role"]))


def _too_heavy() -> Problem:
    return problem(
        "too_heavy",
        "读取这个文件时超出了内存或时间限制,已停止",
        found="过大或过于复杂的文件",
        expected="只含一个矿的矿区范围的文件",
        fix="请只导出这个矿的拐点后再上传",
    )


def _unreadable() -> Problem:
    return problem(
        "unreadable",
        "这个文件无法读取",
        found="无法识别的内容",
        expected="登记坐标文本、拐点表、GeoJSON、KML 或 Shapefile 压缩包",
        fix="请在制图软件里打开后重新导出,或直接粘贴拐点表",
    )
