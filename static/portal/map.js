// The map of mines: county outlines, boundaries by batch, a card for what is chosen.
// Nothing comes from outside the site; words from data are only ever set as text.
(function () {
  "use strict";

  const { KINDS, UNKNOWN, stylist, countyStyle, sample } = window.portalFills;
  const LEGENDS = { disposition: "处置方式（座）", state: "生产状态（座）", verdict: "检查结论（处）" };
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };
  const button = (text, label, press) => {
    const element = make("button", "", text);
    element.type = "button";
    element.title = label;
    if (label !== text) element.setAttribute("aria-label", label);
    element.addEventListener("click", press);
    return element;
  };

  // Longitude and latitude of CGCS2000 differ from WGS 84 by less than the width of a line.
  const reader = () => new ol.format.GeoJSON({ dataProjection: "EPSG:4326", featureProjection: "EPSG:3857" });

  async function load(url) {
    const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/geo+json, application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return reader().readFeatures(await answer.json());
  }

  function boxOf(text) {
    const numbers = (text || "").split(",").map(Number);
    if (numbers.length !== 4 || numbers.some((n) => !Number.isFinite(n))) return null;
    return ol.proj.transformExtent(numbers, "EPSG:4326", "EPSG:3857");
  }

  function build(root) {
    const data = root.dataset;
    const colourBy = data.colourBy in KINDS ? data.colourBy : "disposition";
    const hidden = new Set();
    let chosen = null;
    let measuring = null;
    const wait = root.querySelector(".map-wait") || root.appendChild(make("p", "map-wait"));

    // --- layers -----------------------------------------------------------------------------
    const style = stylist(colourBy, (feature) => feature === chosen, (code) => !hidden.has(code));
    // An address with {z}/{x}/{y} is one of tiles; the two sides are drawn on canvases of their own.
    const isTiled = (url) => (url || "").includes("{z}");
    const tilesOf = (url) => new ol.source.VectorTile({ format: new ol.format.MVT({ featureClass: ol.Feature }), url, maxZoom: 14 });
    const layerOf = (url, className) => isTiled(url)
      ? new ol.layer.VectorTile({ source: tilesOf(url), className, style, declutter: true })
      : new ol.layer.Vector({ source: new ol.source.Vector(), className, style, declutter: true });
    const counties = new ol.layer.Vector({ source: new ol.source.Vector(), style: countyStyle, declutter: true });
    const before = layerOf(data.featuresUrl, "ol-layer map-before");
    const after = data.afterUrl ? layerOf(data.afterUrl, "ol-layer map-after") : null;
    const counts = JSON.parse(data.counts || "null");
    let compared = null;
    const drawn = new ol.layer.Vector({
      source: new ol.source.Vector(),
      style: new ol.style.Style({
        fill: new ol.style.Fill({ color: "rgba(179, 38, 30, 0.10)" }),
        stroke: new ol.style.Stroke({ color: "#b3261e", width: 2, lineDash: [6, 4] }),
        image: new ol.style.Circle({ radius: 4, fill: new ol.style.Fill({ color: "#b3261e" }) }),
      }),
    });
    const layers = [counties];
    if (data.tilesUrl) {
      layers.push(layerOf(data.tilesUrl, "ol-layer"));
    }
    layers.push(before, ...(after ? [after] : []), drawn);
    const shown = () => (compared?.isAfter() ? after : before);
    function featuresOf(layer) {
      if (!isTiled(layer === after ? data.afterUrl : data.featuresUrl)) return layer.getSource().getFeatures();
      const named = layer.getFeaturesInExtent(view.calculateExtent()).map((f) => [f.get("url") + f.get("name"), f]);
      return [...new Map(named).values()]; // one that lies on several tiles counts once
    }

    const canvas = make("div", "map-canvas");
    root.append(canvas);
    const home = boxOf(data.bbox);
    const view = new ol.View({ projection: "EPSG:3857", center: ol.proj.fromLonLat([112.6, 39.5]), zoom: 9, minZoom: 6, maxZoom: 18 });
    const map = new ol.Map({
      target: canvas,
      layers,
      view,
      keyboardEventTarget: root,
      controls: [
        new ol.control.ScaleLine(),
        new ol.control.MousePosition({
          projection: "EPSG:4326",
          placeholder: "",
          coordinateFormat: ([x, y]) => `东经 ${x.toFixed(5)}°　北纬 ${y.toFixed(5)}°`,
        }),
      ],
    });

    // --- where to look ------------------------------------------------------------------------
    function extentOfMines() {
      const features = featuresOf(shown());
      const focus = features.filter((feature) => feature.get("focus"));
      const box = ol.extent.createEmpty();
      (focus.length ? focus : features).forEach((f) => ol.extent.extend(box, f.getGeometry().getExtent()));
      return ol.extent.isEmpty(box) && !features.length ? null : box;
    }

    function look(extent) {
      if (extent) view.fit(extent, { size: map.getSize(), padding: wide() ? [56, 190, 40, 40] : [56, 16, 70, 16], maxZoom: 16 });
    }

    const wide = () => root.clientWidth > 640;
    const showAll = () => look(home || extentOfMines() || counties.getSource().getExtent());

    // --- the card of what was chosen ------------------------------------------------------------
    const card = make("section", "map-card");
    card.hidden = true;
    card.setAttribute("aria-label", "所选矿山");
    card.setAttribute("aria-live", "polite");

    function choose(feature) {
      chosen = feature || null;
      layers.forEach((layer) => layer.changed());
      card.replaceChildren();
      card.hidden = !chosen;
      if (!chosen) return;
      const kind = KINDS[colourBy].find((k) => k.code === chosen.get(colourBy)) || UNKNOWN;
      const close = button("×", "关闭", () => {
        choose(null);
        root.focus();
      });
      close.className = "map-card-close";
      const kindLine = make("p", "map-card-kind");
      kindLine.append(sample(kind), document.createTextNode(kind.label));
      card.append(close, make("h3", "", String(chosen.get("name") || "未命名")), kindLine);
      const told = chosen.get("facts");
      const facts = typeof told === "string" ? JSON.parse(told) : told;
      if (Array.isArray(facts) && facts.length) {
        const list = make("dl", "");
        facts.filter((fact) => fact[1]).forEach((fact) => {
          const row = make("div", "");
          row.append(make("dt", "", String(fact[0])), make("dd", "", String(fact[1])));
          list.append(row);
        });
        card.append(list);
      }
      const url = String(chosen.get("url") || "");
      if (/^\/(?!\/)/.test(url)) {
        const link = make("a", "", "打开矿山页");
        link.href = url;
        card.append(link);
      }
    }

    map.on("singleclick", (event) => {
      if (measuring) return;
      const mines = new Set(layers.filter((layer) => layer !== counties && layer !== drawn));
      choose(map.forEachFeatureAtPixel(event.pixel, (feature) => feature, { hitTolerance: 6, layerFilter: (l) => mines.has(l) && (!compared || compared.isThere(l, event.pixel)) }));
    });

    function step(by) {
      const features = featuresOf(shown()).filter((f) => !hidden.has(f.get(colourBy) || ""));
      if (!features.length) return;
      const at = features.indexOf(chosen);
      const next = features[(at === -1 ? (by > 0 ? 0 : features.length - 1) : at + by + features.length) % features.length];
      view.setCenter(ol.extent.getCenter(next.getGeometry().getExtent()));
      choose(next);
    }

    root.setAttribute("role", "application");
    root.addEventListener("keydown", (event) => {
      if (event.target !== root || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "n" || event.key === "N") step(1);
      else if (event.key === "p" || event.key === "P") step(-1);
      else if (event.key === "0") showAll();
      else if (event.key === "Enter" && chosen) card.querySelector("a")?.focus();
      else if (event.key === "Escape") {
        stopMeasuring();
        choose(null);
      } else return;
      event.preventDefault();
    });

    // --- measuring ----------------------------------------------------------------------------
    const reading = make("p", "map-reading");
    reading.setAttribute("role", "status");
    reading.hidden = true;

    function say(geometry, ended) {
      const area = geometry instanceof ol.geom.Polygon;
      const metres = area ? ol.sphere.getArea(geometry) : ol.sphere.getLength(geometry);
      let figure;
      if (area) figure = `面积约 ${(metres / 1e6).toFixed(4)} km²`;
      else figure = metres < 1000 ? `距离约 ${metres.toFixed(0)} m` : `距离约 ${(metres / 1000).toFixed(2)} km`;
      reading.textContent = ended ? `${figure}（图上量算，仅供参考）` : figure;
    }

    function stopMeasuring() {
      if (measuring) map.removeInteraction(measuring.draw);
      measuring?.button.setAttribute("aria-pressed", "false");
      measuring = null;
      drawn.getSource().clear();
      reading.hidden = true;
    }

    function measure(type, pressed) {
      const again = measuring?.button === pressed;
      stopMeasuring();
      if (again) return;
      const draw = new ol.interaction.Draw({ source: drawn.getSource(), type });
      draw.on("drawstart", (event) => {
        drawn.getSource().clear();
        event.feature.getGeometry().on("change", (change) => say(change.target, false));
      });
      draw.on("drawend", (event) => say(event.feature.getGeometry(), true));
      measuring = { draw, button: pressed };
      pressed.setAttribute("aria-pressed", "true");
      choose(null);
      reading.textContent = "在图上依次点击，双击结束，Esc 退出。";
      reading.hidden = false;
      map.addInteraction(draw);
    }

    // --- tools --------------------------------------------------------------------------------
    const tools = make("div", "map-tools");
    tools.setAttribute("role", "group");
    tools.setAttribute("aria-label", "地图工具");
    const zoom = (by) => view.animate({ zoom: view.getZoom() + by, duration: 150 });
    const distance = button("测距", "测距", () => measure("LineString", distance));
    const area = button("测面积", "测面积", () => measure("Polygon", area));
    [distance, area].forEach((b) => b.setAttribute("aria-pressed", "false"));
    tools.append(button("＋", "放大", () => zoom(1)), button("－", "缩小", () => zoom(-1)), button("全图", "全图", showAll), distance, area);

    const legend = make("details", "map-legend");
    const rowsBox = make("div", "");
    rowsBox.setAttribute("role", "group");
    rowsBox.setAttribute("aria-label", "图上显示哪些");
    legend.append(make("summary", "", LEGENDS[colourBy]), rowsBox);
    legend.open = wide();
    function drawLegend() {
      const told = counts && counts[shown() === after ? "after" : "before"];
      const numbers = new Map(Object.entries(told || {}));
      if (!told) {
        featuresOf(shown()).forEach((feature) => {
          const code = feature.get(colourBy) || "";
          numbers.set(code, (numbers.get(code) || 0) + 1);
        });
      }
      const rows = [...KINDS[colourBy], UNKNOWN].filter((kind) => numbers.has(kind.code)).map((kind) => {
        const label = make("label", "");
        const box = make("input", "");
        box.type = "checkbox";
        box.checked = !hidden.has(kind.code);
        box.addEventListener("change", () => {
          if (box.checked) hidden.delete(kind.code);
          else hidden.add(kind.code);
          layers.forEach((layer) => layer.changed());
        });
        label.append(box, sample(kind), make("span", "", kind.label), make("b", "", String(numbers.get(kind.code))));
        return label;
      });
      rowsBox.replaceChildren(...rows);
      legend.hidden = data.legend === "off" || !rows.length;
    }

    const parts = [tools, legend, reading, card, make("p", "map-keys", "方向键移动，＋ － 缩放，0 全图，N / P 下一处、上一处")];
    if (after) {
      compared = window.portalCompare({ map, canvas, before, after, make, button, changed: () => {
        choose(null);
        drawLegend();
      } });
      parts.push(...compared.parts);
    }
    root.append(...parts);

    // --- data ---------------------------------------------------------------------------------
    const into = (layer) => (features) => layer.getSource().addFeatures(features);
    const wanted = [[data.featuresUrl, before], [data.afterUrl, after], [data.countiesUrl, counties]].filter(([url]) => url && !isTiled(url));
    Promise.allSettled(wanted.map(([url, layer]) => load(url).then(into(layer)))).then((ends) => {
      const failed = ends.filter((end) => end.status === "rejected");
      if (failed.length) wait.textContent = "地图数据没有全部载入。下面的列表有同样的内容；也可以刷新本页再试。";
      else if (!isTiled(data.featuresUrl) && !data.tilesUrl && !featuresOf(before).length) wait.textContent = "当前条件下没有可以显示的矿区范围。";
      else wait.hidden = true;
      drawLegend();
      map.updateSize();
      const focused = featuresOf(before).some((feature) => feature.get("focus"));
      if (focused) look(extentOfMines());
      else showAll();
      root.dataset.ready = "1";
    });
    return map;
  }

  document.querySelectorAll("[data-map]").forEach(build);
})();
