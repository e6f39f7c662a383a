// Before and after on one map: a line to move, by pointer or keys, and a button for either side.
// Left of the line the mines as they are, right of it the areas and mines after consolidation.
(function () {
  "use strict";

  window.portalCompare = function ({ map, canvas, before, after, make, button, changed }) {
    let at = 100;
    // A page that compares something else names its two sides.
    const { beforeWord = "整合前", afterWord = "整合后" } = canvas.parentElement.dataset;
    const words = [[beforeWord, 100], ["左右对照", 50], [afterWord, 0]];

    const line = make("div", "map-divider");
    line.setAttribute("aria-hidden", "true");
    const slider = make("input", "map-slider");
    slider.type = "range";
    slider.min = 0;
    slider.max = 100;
    slider.setAttribute("aria-label", `前后对照：线左为${beforeWord}，线右为${afterWord}`);

    const sides = make("div", "map-sides");
    sides.setAttribute("role", "group");
    sides.setAttribute("aria-label", `${beforeWord}与${afterWord}对照`);
    const buttons = words.map(([word, place]) => [place, button(word, word, () => move(place))]);
    sides.append(...buttons.map(([, each]) => each));

    function cut() {
      const left = canvas.querySelector(".map-before");
      const right = canvas.querySelector(".map-after");
      if (left) left.style.clipPath = `inset(0 ${100 - at}% 0 0)`;
      if (right) right.style.clipPath = `inset(0 0 0 ${at}%)`;
    }

    function move(place) {
      at = place;
      slider.value = String(at);
      slider.setAttribute("aria-valuetext", at === 100 ? `只看${beforeWord}` : at === 0 ? `只看${afterWord}` : `${beforeWord}占 ${at}%，${afterWord}占 ${100 - at}%`);
      before.setVisible(at > 0);
      after.setVisible(at < 100);
      line.hidden = at === 0 || at === 100;
      line.style.left = `${at}%`;
      const pressed = at === 0 || at === 100 ? at : 50;
      buttons.forEach(([side, each]) => each.setAttribute("aria-pressed", String(side === pressed)));
      cut();
      changed();
    }

    slider.addEventListener("input", () => move(Number(slider.value)));
    // A layer has no canvas before it was drawn once.
    map.on("postrender", cut);
    queueMicrotask(() => move(100));
    return {
      parts: [line, slider, sides],
      isAfter: () => at < 50,
      isThere: (layer, pixel) => layer === (pixel[0] < (at / 100) * canvas.clientWidth ? before : after),
    };
  };
})();
