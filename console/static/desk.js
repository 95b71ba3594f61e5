// The agent's desk by keyboard: N, C, O, 1-9, ?; timers; suggestions that are found without marks.
// Nothing here decides anything: the page works as plain forms without it.
"use strict";

(() => {
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase().replace(/[^a-z0-9]+/g, " ").trim();

  function tellTimers() {
    document.querySelectorAll("[data-timer]").forEach((mark) => {
      const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(mark.closest("time").dateTime)) / 1000));
      const two = (number) => String(number).padStart(2, "0");
      const hours = Math.floor(seconds / 3600);
      const rest = `${hours ? two(Math.floor(seconds / 60) % 60) : Math.floor(seconds / 60)}:${two(seconds % 60)}`;
      mark.textContent = hours ? `${hours}:${rest}` : rest;
    });
  }
  tellTimers();
  setInterval(tellTimers, 1000);
  document.addEventListener("htmx:afterSwap", tellTimers);
  document.addEventListener("htmx:sseMessage", tellTimers);

  // A form whose answer did not come may be sent again.
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest && event.target.closest("form");
    if (form) delete form.dataset.sent;
  });

  // The button that was pressed is gone: go on where the work goes on.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "duty" || document.activeElement !== document.body) return;
    const next = document.getElementById("next") || document.getElementById("call-button");
    if (next) next.focus();
  });

  // Another button stands where one was: a click that was meant for the old one, such as the second
  // half of a double click, presses nothing. Keys are never late in this way.
  const SETTLING_MS = 800;
  const offered = (place) => [...place.querySelectorAll("button")].map((button) => button.form.getAttribute("action") + button.value).join();
  document.querySelectorAll("#duty, #call").forEach((place) => {
    let known = offered(place);
    let until = 0;
    new MutationObserver(() => {
      const now = offered(place);
      if (now !== known) until = Date.now() + SETTLING_MS;
      known = now;
    }).observe(place, { childList: true });
    place.addEventListener("click", (event) => {
      if (event.detail === 0 || Date.now() >= until) return;
      event.preventDefault();
      event.stopPropagation();
    }, true);
  });

  // What asks for a yes is answered where it opens.
  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.matches("[data-confirm]")) event.target.querySelector("button").focus();
  }, true);

  // A digit chooses an outcome; the same again, or Enter, records it.
  function choose(digit) {
    const button = document.querySelector(`[data-outcome="${digit}"]`);
    if (!button) return;
    const fold = button.closest("details");
    if (fold) fold.open = true;
    if (button.classList.contains("is-chosen")) return void button.click();
    document.querySelectorAll(".is-chosen").forEach((other) => other.classList.remove("is-chosen"));
    button.classList.add("is-chosen");
    button.focus();
  }
  document.addEventListener("focusout", (event) => {
    if (event.target.classList) event.target.classList.remove("is-chosen");
  });

  // Enter goes on to the next field: a result is chosen on purpose only.
  function leave(field) {
    const fields = [...field.form.elements].filter((each) => each.matches("input:not([type=hidden]), select, textarea") && each.checkVisibility());
    const next = fields[fields.indexOf(field) + 1];
    if (next) next.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const field = event.target.closest("input, textarea, select");
    if (event.key === "Escape" && field && !event.defaultPrevented) return void field.blur();
    if (event.key === "Enter" && field && field.matches("#result input") && !event.defaultPrevented) {
      event.preventDefault();
      return leave(field);
    }
    if (field || event.repeat) return;
    if (/^[1-9]$/.test(event.key)) return choose(event.key);
    if (event.key === "?") {
      const keys = document.getElementById("keys");
      keys.open = !keys.open;
      return void keys.querySelector("summary").focus();
    }
    const button = document.querySelector(`[data-key="${event.key.toLowerCase()}"]`);
    if (button) {
      event.preventDefault();
      button.click();
    }
  });

  // What was typed is not lost by a slip: leaving the page asks first, and where the session has
  // ended the page stays. Whoever has logged in elsewhere meanwhile goes on here with a new token.
  const result = document.getElementById("result");
  if (result) {
    const ended = document.getElementById("ended");
    let isTyped = "typed" in result.dataset;
    ["input", "change"].forEach((name) => result.addEventListener(name, () => { isTyped = true; }));
    window.addEventListener("beforeunload", (event) => {
      if (!isTyped) return;
      event.preventDefault();
      // Who stays may press the same button again.
      setTimeout(() => document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));
    });
    document.addEventListener("tstn:ended", (event) => {
      if (!isTyped) return;
      event.preventDefault();
      ended.hidden = false;
    });

    async function goOn() {
      const answer = await fetch("/desk").catch(() => null);
      if (!answer || !answer.ok || answer.redirected) return false;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const token = page.querySelector("[name=csrf]").value;
      document.querySelectorAll("[name=csrf]").forEach((field) => { field.value = token; });
      document.body.setAttribute("hx-headers", page.body.getAttribute("hx-headers"));
      ended.hidden = true;
      return true;
    }
    window.addEventListener("focus", () => { if (!ended.hidden) goOn(); });
    result.addEventListener("submit", async (event) => {
      if (ended.hidden) {
        isTyped = false;
        return;
      }
      event.preventDefault();
      event.stopPropagation();
      if (await goOn()) result.requestSubmit(event.submitter);
      else ended.focus();
    });
  }

  // What is wrong with a form that came back is where the work goes on.
  const wrong = document.querySelector("[aria-invalid]");
  if (wrong) wrong.focus();

  // A field with suggestions: the browser's own list knows no Vietnamese without its marks.
  function suggest(field) {
    const source = document.getElementById(field.dataset.suggest);
    const box = document.createElement("ul");
    box.className = "suggestions";
    box.id = `${field.id}-suggestions`;
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-label", field.labels[0].textContent.trim());
    box.hidden = true;
    field.removeAttribute("list");
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", box.id]]) field.setAttribute(name, value);
    field.parentNode.append(box);
    let at = -1;

    const province = () => document.getElementById("province");
    function found() {
      const typed = fold(field.value);
      const within = field.id === "district" ? fold(province().value) : "";
      return [...source.options]
        .filter((option) => !within || fold(option.dataset.of) === within)
        .filter((option) => ` ${fold(option.value)}`.includes(` ${typed}`))
        .slice(0, 30);
    }
    function mark(index) {
      at = index;
      [...box.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === at)));
      const item = box.children[at];
      if (item) {
        field.setAttribute("aria-activedescendant", item.id);
        item.scrollIntoView({ block: "nearest" });
      } else field.removeAttribute("aria-activedescendant");
    }
    function close() {
      box.hidden = true;
      field.setAttribute("aria-expanded", "false");
      mark(-1);
    }
    function open() {
      box.replaceChildren(...found().map((option, number) => {
        const item = document.createElement("li");
        item.id = `${box.id}-${number}`;
        item.setAttribute("role", "option");
        item.textContent = option.value;
        item.dataset.of = option.dataset.of || "";
        return item;
      }));
      box.hidden = box.children.length === 0;
      field.setAttribute("aria-expanded", String(!box.hidden));
      mark(-1);
    }
    function take(item) {
      field.value = item.textContent;
      if (field.id === "district" && !province().value) province().value = item.dataset.of;
      close();
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    field.addEventListener("input", open);
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (box.hidden) open();
        const count = box.children.length;
        if (count) mark((at + (event.key === "ArrowDown" ? 1 : -1) + count + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) % count);
      } else if (event.key === "Enter" && !box.hidden) {
        event.preventDefault();
        take(box.children[Math.max(at, 0)]);
      } else if (event.key === "Escape" && !box.hidden) {
        event.preventDefault();
        close();
      }
    });
    box.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the field keeps the focus
      const item = event.target.closest("li");
      if (item) take(item);
    });
  }
  document.querySelectorAll("[data-suggest]").forEach(suggest);
})();
