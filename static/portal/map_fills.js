// What a mine looks like on the map: one pattern, one outline and one marker for each code.
// Words and codes are those of standards/terms.py (a test holds both together).
(function () {
  "use strict";

  const KINDS = {
    disposition: [
      { code: "close", label: "关闭取缔", colour: "#7a1f2b", pattern: "solid", marker: "square" },
      { code: "exit", label: "引导退出", colour: "#c77d1e", pattern: "wide", marker: "triangle" },
      { code: "merge", label: "整合重组", colour: "#1f6f8b", pattern: "cross", marker: "diamond" },
      { code: "upgrade", label: "升级改造", colour: "#4f8a3c", pattern: "dots", marker: "circle" },
      { code: "keep", label: "保留(达标)", colour: "#7f8a92", pattern: "lines", marker: "ring" },
    ],
    state: [
      { code: "producing", label: "生产", colour: "#4f8a3c", pattern: "dots", marker: "circle" },
      { code: "construction", label: "基建", colour: "#1f6f8b", pattern: "cross", marker: "diamond" },
      { code: "suspended", label: "停产", colour: "#c77d1e", pattern: "wide", marker: "triangle" },
      { code: "halted", label: "停建", colour: "#8a5a00", pattern: "lines", marker: "triangle" },
      { code: "preparing", label: "筹建", colour: "#5b6675", pattern: "empty", marker: "ring" },
      { code: "closed", label: "关闭", colour: "#7a1f2b", pattern: "solid", marker: "square" },
    ],
    verdict: [
      { code: "fail", label: "不符合", colour: "#b3261e", pattern: "solid", marker: "square" },
      { code: "review", label: "待研判", colour: "#a15c00", pattern: "wide", marker: "triangle" },
      { code: "nodata", label: "缺数据", colour: "#5b6675", pattern: "lines", marker: "ring" },
      { code: "pass", label: "符合", colour: "#2f7d4f", pattern: "dots", marker: "circle" },
      { code: "na", label: "不适用", colour: "#7f8a92", pattern: "empty", marker: "ring" },
    ],
  };
  const UNKNOWN = { code: "", label: "未确定", colour: "#5b6675", pattern: "empty", marker: "ring" };
  const INK = "#1b2430";
  const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

  function tile(size, draw, colour) {
    const ratio = window.devicePixelRatio || 1;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.round(size * ratio);
    const context = canvas.getContext("2d");
    context.scale(canvas.width / size, canvas.height / size);
    context.fillStyle = "rgba(255, 255, 255, 0.72)";
    context.fillRect(0, 0, size, size);
    context.fillStyle = context.strokeStyle = colour;
    draw(context, size);
    return context.createPattern(canvas, "repeat");
  }

  const line = (context, width, ...points) => {
    context.lineWidth = width;
    context.beginPath();
    for (let i = 0; i < points.length; i += 4) {
      context.moveTo(points[i], points[i + 1]);
      context.lineTo(points[i + 2], points[i + 3]);
    }
    context.stroke();
  };
  const dot = (context, x, y) => {
    context.beginPath();
    context.arc(x, y, 1.4, 0, 2 * Math.PI);
    context.fill();
  };

  const PATTERNS = {
    solid: (colour) => `${colour}cc`,
    empty: () => "rgba(255, 255, 255, 0.5)",
    wide: (colour) => tile(10, (c, s) => line(c, 3.2, -2, 2, 2, -2, -1, s + 1, s + 1, -1, s - 2, s + 2, s + 2, s - 2), colour),
    cross: (colour) => tile(8, (c, s) => line(c, 1.5, 0, 0, s, s, s, 0, 0, s), colour),
    dots: (colour) => tile(7, (c) => [[1.75, 1.75], [5.25, 5.25]].forEach(([x, y]) => dot(c, x, y)), colour),
    lines: (colour) => tile(6, (c, s) => line(c, 1.2, 0, s / 2, s, s / 2), colour),
  };

  const MARKERS = {
    square: { points: 4, radius: 8, angle: Math.PI / 4 },
    triangle: { points: 3, radius: 8.5, angle: 0 },
    diamond: { points: 4, radius: 8, angle: 0 },
    circle: { points: 24, radius: 6.5, angle: 0 },
    ring: { points: 24, radius: 6, angle: 0 },
  };

  function markerOf(kind, chosen) {
    const { points, radius, angle } = MARKERS[kind.marker];
    return new ol.style.RegularShape({
      points,
      angle,
      radius: chosen ? radius + 3 : radius,
      fill: new ol.style.Fill({ color: kind.marker === "ring" ? "#ffffff" : kind.colour }),
      stroke: new ol.style.Stroke({
        color: kind.marker === "ring" ? kind.colour : "#ffffff",
        width: kind.marker === "ring" ? 2.5 : 1.5,
      }),
      declutterMode: "none",
    });
  }

  /** Return the style function of a layer; `isChosen(feature)`, `isShown(code)` are asked each time. */
  function stylist(colourBy, isChosen, isShown) {
    const kinds = new Map(KINDS[colourBy].map((kind) => [kind.code, kind]));
    const fills = new Map();
    const fillOf = (kind) => {
      if (!fills.has(kind.code)) {
        fills.set(kind.code, new ol.style.Fill({ color: PATTERNS[kind.pattern](kind.colour) }));
      }
      return fills.get(kind.code);
    };
    return (feature, resolution) => {
      const kind = kinds.get(feature.get(colourBy)) || UNKNOWN;
      if (!isShown(kind.code)) return [];
      const chosen = isChosen(feature);
      const geometry = feature.getGeometry();
      const extent = geometry.getExtent();
      const small = Math.max(ol.extent.getWidth(extent), ol.extent.getHeight(extent)) / resolution < 14;
      const styles = [];
      if (small) {
        const centre = new ol.geom.Point(ol.extent.getCenter(extent));
        styles.push(new ol.style.Style({ geometry: centre, image: markerOf(kind, chosen), zIndex: chosen ? 9 : 1 }));
      } else {
        if (chosen) {
          styles.push(new ol.style.Style({ stroke: new ol.style.Stroke({ color: INK, width: 6 }), zIndex: 8 }));
        }
        styles.push(new ol.style.Style({
          fill: fillOf(kind),
          stroke: new ol.style.Stroke({ color: kind.colour, width: 2.2 }),
          zIndex: chosen ? 9 : 1,
        }));
      }
      const words = feature.get("label") || feature.get("name");
      if (words && (chosen || resolution < 40)) {
        styles.push(new ol.style.Style({
          geometry: new ol.geom.Point(ol.extent.getCenter(extent)),
          text: new ol.style.Text({
            text: wrapped(String(words)),
            font: `${chosen ? 600 : 400} 13px ${FONT}`,
            offsetY: small ? 20 : 0,
            fill: new ol.style.Fill({ color: INK }),
            backgroundFill: new ol.style.Fill({ color: "rgba(255, 255, 255, 0.9)" }),
            padding: [2, 4, 1, 4],
          }),
          zIndex: 10,
        }));
      }
      return styles;
    };
  }

  /** Break a long name into lines of at most eleven characters. */
  function wrapped(words) {
    return words.length < 14 ? words : words.replace(/(.{11})(?=.)/gu, "$1\n");
  }

  /** Style of the county outlines: quiet, named, below everything. */
  function countyStyle(feature) {
    return new ol.style.Style({
      fill: new ol.style.Fill({ color: "#ffffff" }),
      stroke: new ol.style.Stroke({ color: "#97a19d", width: 1.4, lineDash: [7, 4] }),
      text: new ol.style.Text({
        text: String(feature.get("name") || ""),
        font: `500 14px ${FONT}`,
        fill: new ol.style.Fill({ color: "#6b7681" }),
        stroke: new ol.style.Stroke({ color: "#ffffff", width: 3 }),
        overflow: true,
      }),
    });
  }

  /** Return a small canvas with the pattern and outline of one kind, for the legend. */
  function sample(kind) {
    const ratio = window.devicePixelRatio || 1;
    const canvas = document.createElement("canvas");
    canvas.width = 22 * ratio;
    canvas.height = 14 * ratio;
    canvas.className = "map-sample";
    canvas.setAttribute("aria-hidden", "true");
    const context = canvas.getContext("2d");
    context.fillStyle = PATTERNS[kind.pattern](kind.colour);
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = kind.colour;
    context.lineWidth = 2 * ratio;
    context.strokeRect(ratio, ratio, canvas.width - 2 * ratio, canvas.height - 2 * ratio);
    return canvas;
  }

  window.portalFills = { KINDS, UNKNOWN, stylist, countyStyle, sample };
})();
