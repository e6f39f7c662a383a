"""Draw the frozen outlines of a notice as SVG and PNG, without any base map."""

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from publicity.models import NoticeShape
from standards.terms import Disposition

WIDTH, HEIGHT, MARGIN, FOOT = 1200, 900, 40, 90
COLOURS = {
    Disposition.CLOSE.value: "#7a1f2b",
    Disposition.EXIT.value: "#c77d1e",
    Disposition.MERGE.value: "#1f6f8b",
    Disposition.UPGRADE.value: "#4f8a3c",
}
OTHER = "#8a949c"
KM_PER_DEGREE = 111.32
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/arphic-gkai00mp/gkai00mp.ttf",
)
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold one outline on paper: rings of points in pixels, colour, number and name."""

    number: int
    name: str
    colour: str
    label: str
    rings: tuple[tuple[Point, ...], ...]

    @property
    def centre(self) -> Point:
        """Return the middle of the outer ring's extent."""
        xs, ys = [x for x, _ in self.rings[0]], [y for _, y in self.rings[0]]
        return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hold what is drawn, with the length of one kilometre in pixels."""

    pieces: tuple[Piece, ...]
    km: float


def lay_out(shapes: Iterable[NoticeShape]) -> Drawing:
    """Fit the outlines to the paper; lengths are true across the middle of the map."""
    rows = list(shapes)
    if not rows:
        return Drawing((), 0.0)
    boxes = [row.outline.extent for row in rows]
    west, south = min(b[0] for b in boxes), min(b[1] for b in boxes)
    east, north = max(b[2] for b in boxes), max(b[3] for b in boxes)
    squeeze = math.cos(math.radians((south + north) / 2))
    wide, high = (east - west) * squeeze or 1e-6, (north - south) or 1e-6
    # Never larger than 40 px to 10 m: a single small outline would else fill the sheet.
    scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN - FOOT) / high, 450_000.0)
    left = (WIDTH - wide * scale) / 2
    top = (HEIGHT - FOOT - high * scale) / 2

    def on_paper(ring: Sequence[Sequence[float]]) -> tuple[Point, ...]:
        return tuple(
            (left + (p[0] - west) * squeeze * scale, top + (north - p[1]) * scale) for p in ring
        )

    pieces = tuple(
        Piece(
            number,
            row.name,
            COLOURS.get(row.label, OTHER),
            Disposition(row.label).label if row.label else "",
            tuple(on_paper(ring) for polygon in row.outline.coords for ring in polygon),
        )
        for number, row in enumerate(rows, 1)
    )
    return Drawing(pieces, scale / KM_PER_DEGREE)


def draw_svg(drawing: Drawing, *, title: str, note: str) -> str:
    """Return the map as SVG with its title, scale bar and note (审图号)."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for piece in drawing.pieces:
        path = " ".join(
            "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in ring) + " Z" for ring in piece.rings
        )
        parts.append(
            f'<path d="{path}" fill="{piece.colour}" fill-opacity="0.25" fill-rule="evenodd" '
            f'stroke="{piece.colour}" stroke-width="2"><title>{escape(piece.name)}</title></path>'
        )
        x, y = piece.centre
        parts.append(_text(x, y + 5, str(piece.number), anchor="middle"))
    parts += [_bar_svg(drawing), _text(MARGIN, HEIGHT - 20, f"{title}　{note}")]
    parts += [
        f'<rect x="{x}" y="{HEIGHT - 82}" width="18" height="14" fill="{colour}"/>'
        + _text(x + 24, HEIGHT - 69, label)
        for x, colour, label in _legend(drawing)
    ]
    return "".join([*parts, "</svg>"])


def _legend(drawing: Drawing) -> list[tuple[int, str, str]]:
    found = dict.fromkeys((piece.colour, piece.label) for piece in drawing.pieces if piece.label)
    return [(MARGIN + 130 * at, colour, label) for at, (colour, label) in enumerate(found)]


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="16" text-anchor="{anchor}" fill="#1b2430" '
        f'font-family="Noto Sans CJK SC, Microsoft YaHei, sans-serif">{escape(words)}</text>'
    )


def _bar(drawing: Drawing) -> tuple[float, str]:
    """Return length in pixels and words of the longest round bar under a fifth of the sheet."""
    lengths = (50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
    for km in lengths:
        if 0 < km * drawing.km <= WIDTH / 5:
            return km * drawing.km, f"{km:g} km" if km >= 1 else f"{km * 1000:g} m"
    return 0.0, ""


def _bar_svg(drawing: Drawing) -> str:
    length, words = _bar(drawing)
    right = WIDTH - MARGIN
    line = f'<path d="M{right - length:.1f},{HEIGHT - 70} H{right}" stroke="#1b2430" fill="none"/>'
    return (line + _text(right, HEIGHT - 50, words, anchor="end")) if length else ""


def draw_png(drawing: Drawing, *, title: str, note: str) -> bytes:
    """Return the same map as PNG."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "#ffffff")
    pen = ImageDraw.Draw(image, "RGBA")
    font = _font()
    for piece in drawing.pieces:
        for ring in piece.rings:
            pen.polygon(ring, fill=piece.colour + "40")
            pen.line([*ring, ring[0]], fill=piece.colour, width=2)
        pen.text(piece.centre, str(piece.number), fill="#1b2430", font=font, anchor="mm")
    length, words = _bar(drawing)
    right = WIDTH - MARGIN
    if length:
        pen.line([(right - length, HEIGHT - 70), (right, HEIGHT - 70)], fill="#1b2430", width=2)
        pen.text((right, HEIGHT - 50), words, fill="#1b2430", font=font, anchor="rm")
    for x, colour, label in _legend(drawing):
        pen.rectangle((x, HEIGHT - 82, x + 18, HEIGHT - 68), fill=colour)
        pen.text((x + 24, HEIGHT - 75), label, fill="#1b2430", font=font, anchor="lm")
    pen.text((MARGIN, HEIGHT - 25), f"{title}　{note}", fill="#1b2430", font=font, anchor="lm")
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _font() -> ImageFont.FreeTypeFont:
    """Return a font with Chinese characters; raise OSError when none is installed."""
    for place in FONTS:
        if Path(place).exists():
            return ImageFont.truetype(place, 16)
    raise OSError("fonts-noto-cjk is not installed; see deploy/packages.txt")
