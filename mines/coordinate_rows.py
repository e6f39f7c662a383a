"""Turn cells of coordinate texts into raw rings: decoding, digits, datum words, labels."""

import re
from dataclasses import dataclass, field
from decimal import Decimal

from mines.readings import Problem, problem
from mines.rings import Point, Role

FULL_WIDTH: dict[int, int | str | None] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
FULL_WIDTH |= {0x3000: " ", 0x00A0: " ", 0x2212: "-", 0x200B: None, 0xFEFF: None}

LABEL_LENGTH = 32

NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{0,12})?")
SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity|1\.#\w+)", re.IGNORECASE)
MASKED = re.compile(r"(?=.*[*×xX□?])[+-]?[\d.*×xX□?]{2,32}")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")

XIAN_80 = re.compile(
    r"西安\s*80|1980\s*西安|80\s*西安|西安坐标|80\s*坐标系?|Xi'?an[\s_]*(19)?80", re.I
)
BEIJING_54 = re.compile(
    r"北京\s*54|1954\s*年?北京|54\s*北京|54\s*坐标系?|Beijing[\s_]*(19)?54", re.I
)
CGCS_2000 = re.compile(r"2000\s*国家大地|国家\s*2000|2000\s*坐标|大地\s*2000|CGCS\s*_?2000", re.I)

CONVERSION = (
    "本系统不做坐标系转换(转换参数属国家秘密),"
    "请通过自然资源部门的“2000国家大地坐标转换”服务转换后再提交"
)


@dataclass
class RawRing:
    """Collect the corners of one ring as written, with what the text says about it."""

    points: list[Point] = field(default_factory=list)
    role: Role = Role.OUTER
    name: str = ""
    top: Decimal | None = None
    bottom: Decimal | None = None
    line: int = 1


@dataclass
class RawBoundary:
    """Collect all rings of an input and what went wrong while reading its rows.

    `closed` tells that this format repeats the first corner at the end of a ring; `zone` is the
    zone a header states; `noun` counts places in messages ("行" of a text, "个点" of a file).
    """

    source_format: str
    rings: list[RawRing] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    zone: int | None = None
    closed: bool = False
    noun: str = "行"


def plain(text: str) -> str:
    """Return the text with full-width characters and odd spaces made ordinary, trimmed."""
    return text.translate(FULL_WIDTH).strip()


def decode(data: bytes | str) -> str | Problem:
    """Return the text of an upload: UTF-8, else UTF-16 with its mark, else GB18030."""
    if isinstance(data, bytes) and data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    text = data if isinstance(data, str) else None
    for encoding in encodings if isinstance(data, bytes) else []:
        try:
            text = data.decode(encoding)  # type: ignore[union-attr]
            break
        except UnicodeDecodeError:
            continue
    if text is None or "\0" in text:
        return problem(
            "not_text",
            "这不是文本文件",
            found="二进制内容",
            expected="UTF-8 或 GB18030 编码的坐标文本",
            fix="请用记事本打开坐标文件另存为文本,或改传 GeoJSON、KML、压缩的 Shapefile",
        )
    if not text.strip("\ufeff \t\r\n\u3000"):
        return problem(
            "empty",
            "文件是空的",
            found="0 个字符",
            expected="至少 3 个拐点的坐标",
            fix="请检查是否选错了文件",
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_datum(text: str) -> Problem | None:
    """Refuse a text that names Xi'an 80 or Beijing 54."""
    for code, name, pattern in (
        ("xian80", "1980西安坐标系", XIAN_80),
        ("beijing54", "1954年北京坐标系", BEIJING_54),
    ):
        match = pattern.search(text)
        if match is None:
            continue
        line = text.count("\n", 0, match.start()) + 1
        if CGCS_2000.search(text):
            return problem(
                "datum_ambiguous",
                f"提到{name},而文中也提到2000国家大地坐标系,无法判断数值属于哪一个",
                line=line,
                found=match.group(),
                expected="只有2000国家大地坐标系(CGCS2000)的坐标",
                fix=f"请删去{name}的那几列坐标和文字后再提交",
            )
        return problem(
            code,
            f"写明是{name}",
            line=line,
            found=match.group(),
            expected="2000国家大地坐标系(CGCS2000)",
            fix=CONVERSION,
        )
    return None


def read_coordinate(text: str, axis: str, line: int) -> Decimal | Problem:
    """Return the metres in a cell, or the problem with it; `axis` is "X" or "Y"."""
    shown = text[:24] or "空"
    if NUMBER.fullmatch(text):
        return Decimal(text)
    if NOT_FINITE.fullmatch(text):
        code, what, fix = "not_finite", "不是有限的数", "请从原始资料重新抄录这一点"
    elif SCIENTIFIC.fullmatch(text):
        code, what = "scientific", "是科学计数法,已丢失位数"
        fix = "请在表格软件里把该列设为数值格式(2 位小数)后重新复制"
    elif MASKED.fullmatch(text):
        code, what = "masked", "有被遮盖的数字"
        fix = "遮盖的数字无法还原,请向矿业权人或发证机关取得完整坐标"
    elif not text:
        code, what, fix = "missing_value", "没有填写", "请补上这一格"
    else:
        code, what, fix = "not_a_number", "不是数字", "请只填数字,单位和说明写在表头"
    return problem(
        code,
        f"的 {axis}“{shown}”{what}",
        line=line,
        found=shown,
        expected="以米为单位的完整数字,如 4356115.44",
        fix=fix,
    )


def add_point(
    raw: RawBoundary, ring: RawRing, number: str, x_text: str, y_text: str, line: int
) -> None:
    """Append a corner to the ring, or its problems to the boundary."""
    x, y = read_coordinate(x_text, "X", line), read_coordinate(y_text, "Y", line)
    raw.problems += [value for value in (x, y) if isinstance(value, Problem)]
    if isinstance(x, Decimal) and isinstance(y, Decimal):
        ring.points.append(Point(number[:LABEL_LENGTH], x_text, y_text, x, y, line))


def read_elevation(text: str, line: int) -> Decimal | Problem | None:
    """Return the metres of an elevation cell; None when it is empty."""
    digits = re.sub(r"(米|m)$", "", plain(text), flags=re.IGNORECASE).strip()
    if not digits:
        return None
    if NUMBER.fullmatch(digits):
        return Decimal(digits)
    return problem(
        "elevation_unreadable",
        f"的标高“{digits[:24]}”不是数字",
        line=line,
        found=digits[:24],
        expected="以米为单位的数字,如 1523 或 -50.5",
        fix="请改正这一格,没有标高时留空",
    )


def label_numbers(label: str) -> list[int]:
    """Return the number of a corner label: 1 for "J1", 13 and 14 for "13 14", none for "A"."""
    double = re.fullmatch(r"\D*(\d{1,5})[\s、/]+\D*(\d{1,5})\D*", label)
    if double:
        return [int(double[1]), int(double[2])]
    return [int(number) for number in re.findall(r"\d{1,5}", label)[-1:]]
