// Small conveniences on top of pages that work without them.
(function () {
  "use strict";

  const one = (selector, root) => (root || document).querySelector(selector);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };

  // --- navigation on narrow screens, menus that close by themselves ---------------------------
  function switchNavigation(button) {
    const target = document.getElementById(button.dataset.toggle);
    if (!target) return;
    const open = target.classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(open));
  }

  function closeMenus(except) {
    all("details.menu[open]").forEach((menu) => {
      if (!except || !menu.contains(except)) menu.open = false;
    });
  }

  // --- 长者模式 -----------------------------------------------------------------------------
  function showLarge() {
    const large = document.documentElement.classList.contains("large");
    all("[data-large]").forEach((link) => {
      link.textContent = large ? "标准模式" : "长者模式";
      link.href = large ? "?large=0" : "?large=1";
    });
  }

  function switchLarge() {
    const large = document.documentElement.classList.toggle("large");
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `large=${large ? 1 : 0}; path=/; max-age=31536000; samesite=lax${secure}`;
    showLarge();
  }

  // --- dialogs ------------------------------------------------------------------------------
  function ask(question, danger, yes) {
    const dialog = make("dialog", "dialog");
    const text = make("p", "", question);
    text.id = "ask-text";
    dialog.setAttribute("aria-labelledby", text.id);
    const row = make("div", "form-actions");
    const accept = make("button", danger ? "btn btn-danger" : "btn btn-primary", "确定");
    const cancel = make("button", "btn btn-secondary", "取消");
    accept.type = cancel.type = "button";
    row.append(accept, cancel);
    dialog.append(text, row);
    document.body.append(dialog);
    accept.addEventListener("click", () => {
      dialog.close();
      yes();
    });
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
    cancel.focus();
  }

  // --- forms: asked once, sent once, not left by accident -------------------------------------
  let typed = false;

  function release(form) {
    delete form.dataset.sent;
    all("button[data-label]", form).forEach((button) => {
      button.textContent = button.dataset.label;
      button.removeAttribute("aria-disabled");
      delete button.dataset.label;
    });
  }

  function submitOnce(event) {
    const form = event.target;
    // Asked by attribute: a field called "method" would hide the property.
    if (event.defaultPrevented || (form.getAttribute("method") || "").toLowerCase() !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (form.dataset.confirm && !form.dataset.confirmed) {
      event.preventDefault();
      const button = event.submitter;
      ask(form.dataset.confirm, Boolean(button && button.classList.contains("btn-danger")), () => {
        form.dataset.confirmed = "1";
        form.requestSubmit(button || undefined);
      });
      return;
    }
    delete form.dataset.confirmed;
    form.dataset.sent = "1";
    typed = false;
    const button = event.submitter;
    if (button && !form.hasAttribute("data-download")) {
      // Disabled only after the event: a disabled button would not send its own name and value.
      button.dataset.label = button.textContent;
      button.textContent = "正在提交…";
      button.setAttribute("aria-disabled", "true");
    }
    if (form.hasAttribute("data-download")) setTimeout(() => release(form), 2000);
  }

  function guardTyping() {
    all("form[data-guard]").forEach((form) => {
      form.addEventListener("input", () => {
        typed = true;
      });
    });
    window.addEventListener("beforeunload", (event) => {
      if (typed) event.preventDefault();
    });
    // Back from the next page: the browser shows the old page with its locked button.
    window.addEventListener("pageshow", () => all("form[data-sent]").forEach(release));
  }

  // --- upload box ---------------------------------------------------------------------------
  function sizeInWords(bytes) {
    return bytes < 1048576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
  }

  function setUpBox(box) {
    const input = one("input[type=file]", box);
    const target = one(".upload-box", box);
    const name = one(".upload-name", box);
    if (!input || !target || !name) return;
    const show = () => {
      const file = input.files[0];
      name.textContent = file ? `已选择 ${file.name}（${sizeInWords(file.size)}）` : "";
    };
    input.addEventListener("change", show);
    target.addEventListener("dragover", (event) => {
      event.preventDefault();
      target.classList.add("is-over");
    });
    target.addEventListener("dragleave", () => target.classList.remove("is-over"));
    target.addEventListener("drop", (event) => {
      event.preventDefault();
      target.classList.remove("is-over");
      if (event.dataTransfer.files.length !== 1) {
        name.textContent = "一次只能交一个文件，请重新拖放。";
        return;
      }
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  // --- copy ---------------------------------------------------------------------------------
  function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    const text = source ? source.value || source.textContent.trim() : "";
    const label = button.textContent;
    const say = (words) => {
      button.textContent = words;
      setTimeout(() => {
        button.textContent = label;
      }, 2000);
    };
    if (!navigator.clipboard) {
      getSelection().selectAllChildren(source);
      say("已选中，请按 Ctrl+C");
      return;
    }
    navigator.clipboard.writeText(text).then(() => say("已复制"), () => say("没有复制，请手工选取"));
  }

  // --- progress without HTMX ------------------------------------------------------------------
  function reloadWhileWaiting() {
    const box = one("[data-reload]");
    if (box && !window.htmx) setTimeout(() => location.reload(), Number(box.dataset.reload) * 1000);
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    closeMenus(target);
    const toggle = target.closest("[data-toggle]");
    if (toggle) switchNavigation(toggle);
    if (target.closest("[data-large]")) {
      event.preventDefault();
      switchLarge();
    }
    const opener = target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    if (target.closest("[data-dialog-close]")) target.closest("dialog")?.close();
    const copier = target.closest("[data-copy]");
    if (copier) copy(copier);
    if (target.closest("[data-print]")) window.print();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus();
  });
  document.addEventListener("submit", submitOnce);

  guardTyping();
  showLarge();
  reloadWhileWaiting();
  all("[data-upload]").forEach(setUpBox);
  one("[data-focus]")?.focus();
})();
