// Keeps the record of a visit on the phone until the server has it: words in localStorage, photos
// in IndexedDB. Sent later by the same button; the draft's number keeps it one visit.
(function () {
  "use strict";

  const BASE = "portal-drafts";
  const own = document.currentScript || document.querySelector("script[data-sent]");

  function photoStore(mode, work) {
    return new Promise((done, failed) => {
      const opening = indexedDB.open(BASE, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("photos");
      opening.onerror = () => failed(opening.error);
      opening.onsuccess = () => {
        const transaction = opening.result.transaction("photos", mode);
        const asked = work(transaction.objectStore("photos"));
        transaction.oncomplete = () => done(asked.result);
        transaction.onerror = () => failed(transaction.error);
      };
    });
  }

  function forget(key) {
    localStorage.removeItem(key);
    return photoStore("readwrite", (photos) => photos.delete(key)).catch(() => {});
  }

  // The page of a stored visit says which draft has arrived.
  if (own && own.dataset.sent && new URLSearchParams(location.search).has("sent")) {
    const draft = JSON.parse(localStorage.getItem(own.dataset.sent) || "null");
    if (draft && draft.draft_key === new URLSearchParams(location.search).get("sent")) {
      forget(own.dataset.sent);
    }
  }

  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const key = form.dataset.draft;
  const note = form.querySelector("[data-draft-note]");
  const drop = form.querySelector("[data-draft-drop]");
  const files = form.querySelector("input[type=file]");

  function say(words) {
    note.textContent = words;
    note.hidden = !words;
  }

  function typed() {
    return Array.from(form.elements).filter(
      (field) => field.name && field.name !== "csrfmiddlewaretoken" && field.type !== "file"
    );
  }

  function keep() {
    const draft = {};
    typed().forEach((field) => {
      if (field.type === "radio" || field.type === "checkbox") {
        if (field.checked) draft[field.name] = field.value;
      } else {
        draft[field.name] = field.value;
      }
    });
    try {
      localStorage.setItem(key, JSON.stringify(draft));
    } catch {
      say("本机存储已满，草稿没有存下；请尽快报送。");
      return;
    }
    drop.hidden = false;
  }

  function keepPhotos() {
    const chosen = Array.from(files.files);
    photoStore("readwrite", (photos) => photos.put(chosen, key)).catch(() =>
      say("照片没有存到本机，请不要关闭本页。")
    );
  }

  function bringBackPhotos() {
    photoStore("readonly", (photos) => photos.get(key))
      .then((chosen) => {
        if (!chosen || !chosen.length || files.files.length) return;
        const transfer = new DataTransfer();
        chosen.forEach((file) => transfer.items.add(file));
        files.files = transfer.files;
      })
      .catch(() => {});
  }

  function bringBack() {
    const stored = localStorage.getItem(key);
    // A page that answers with errors already holds what was typed.
    if (!stored || form.querySelector(".error-summary")) return;
    const draft = JSON.parse(stored);
    typed().forEach((field) => {
      if (!(field.name in draft)) return;
      if (field.type === "radio" || field.type === "checkbox") {
        field.checked = draft[field.name] === field.value;
      } else {
        field.value = draft[field.name];
      }
      if (field.value && field.closest("details") && field.tagName !== "SELECT") {
        field.closest("details").open = true;
      }
    });
    drop.hidden = false;
    say("已恢复本机上没有报送的草稿。");
  }

  // --- where and when -------------------------------------------------------------------------

  const where = form.querySelector("[data-position]");
  const position = form.elements.position;
  const takenAt = form.elements.taken_at;

  function showPosition(words) {
    where.querySelector("[data-position-note]").textContent = words;
    where.querySelector("[data-position-drop]").hidden = !position.value;
  }

  if (where && "geolocation" in navigator && window.isSecureContext) {
    where.hidden = false;
    where.querySelector("[data-position-add]").addEventListener("click", () => {
      showPosition("正在定位…");
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          const degrees = [coords.latitude, coords.longitude].map((value) => value.toFixed(6));
          position.value = [...degrees, Math.min(999999, Math.round(coords.accuracy))].join(" ");
          showPosition(`已附上：北纬 ${degrees[0]}°，东经 ${degrees[1]}°`);
          keep();
        },
        () => showPosition("没有得到位置。可以在浏览器里允许定位后再试，也可以不附。"),
        { enableHighAccuracy: true, timeout: 15000 }
      );
    });
    where.querySelector("[data-position-drop]").addEventListener("click", () => {
      position.value = "";
      showPosition("");
      keep();
    });
  }

  form.addEventListener("input", keep);
  files.addEventListener("change", keepPhotos);
  form.addEventListener("submit", (event) => {
    takenAt.value = Array.from(files.files, (file) => Math.round(file.lastModified)).join(" ");
    keep();
    if (!navigator.onLine) {
      event.preventDefault();
      event.stopPropagation();
      say("现在没有网络。内容已存在本机，有网后打开本页再按一次即可。");
      note.scrollIntoView({ block: "center" });
    }
  });
  window.addEventListener("online", () => say("网络已恢复，可以报送了。"));
  window.addEventListener("offline", () => say("网络断了。可以继续填，内容存在本机。"));
  drop.addEventListener("click", () => forget(key).then(() => location.reload()));
  bringBack();
  if (position.value) showPosition("已附上草稿里的位置。");
  bringBackPhotos();
})();
