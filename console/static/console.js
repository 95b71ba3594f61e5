// What pages need in the browser: one live stream that comes back by itself and says when it is
// lost, relative times that stay true, and buttons that are pressed once. Nothing here decides
// anything: pages work without it, and then say that they are not live.
"use strict";

(() => {
  const LOST_MS = 5000; // a stream beats every two seconds
  const FIRST_PAUSE_MS = 500;
  const LONGEST_PAUSE_MS = 10000;
  const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

  // An EventSource for htmx that reconnects with growing pauses and tells what it had got.
  class Stream extends EventTarget {
    constructor(url) {
      super();
      this.url = url;
      this.names = new Set(["beat", "ended"]);
      this.last = "";
      this.pause = FIRST_PAUSE_MS;
      this.closed = false;
      this.connect();
    }

    get readyState() {
      return this.closed ? EventSource.CLOSED : this.wire.readyState === EventSource.OPEN ? 1 : 0;
    }

    connect() {
      const joint = this.url.includes("?") ? "&" : "?";
      const last = this.last ? `${joint}last=${encodeURIComponent(this.last)}` : "";
      this.wire = new EventSource(this.url + last);
      this.wire.onopen = (event) => {
        this.pause = FIRST_PAUSE_MS;
        if (this.onopen) this.onopen(event);
      };
      this.wire.onerror = () => this.retry(); // htmx would only log it
      this.names.forEach((name) => this.forward(name));
    }

    retry() {
      this.wire.close();
      if (this.closed) return;
      const jitter = 0.5 + Math.random(); // a restarted server must not meet all browsers at once
      this.timer = setTimeout(() => this.connect(), this.pause * jitter);
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
    }

    forward(name) {
      this.wire.addEventListener(name, (event) => {
        this.last = event.lastEventId || this.last;
        if (name === "ended") this.end();
        else heard();
        this.dispatchEvent(new MessageEvent(name, { data: event.data, lastEventId: event.lastEventId }));
      });
    }

    // The session is over: to the login, unless the page has something to keep and says so itself.
    end() {
      this.pause = LONGEST_PAUSE_MS;
      if (document.dispatchEvent(new Event("tstn:ended", { cancelable: true }))) location.assign("/login?ended=1");
    }

    addEventListener(name, ...rest) {
      super.addEventListener(name, ...rest);
      if (this.names.has(name)) return;
      this.names.add(name);
      this.forward(name);
    }

    close() {
      this.closed = true;
      clearTimeout(this.timer);
      this.wire.close();
    }
  }

  let alarm;
  const hasStream = () => document.querySelector("[sse-connect]") !== null;

  function show(isLive) {
    document.getElementById("lost").hidden = isLive;
    document.querySelectorAll("[data-live]").forEach((mark) => mark.classList.toggle("is-live", isLive));
  }

  function heard() {
    clearTimeout(alarm);
    alarm = setTimeout(() => show(false), LOST_MS);
    show(true);
  }

  function tellTimes() {
    document.querySelectorAll("[data-relative]").forEach((mark) => {
      const seconds = (Date.parse(mark.closest("time").dateTime) - Date.now()) / 1000;
      const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) || ["second", 1];
      const said = relative.format(Math.trunc(seconds / size), unit);
      if (mark.textContent !== said) mark.textContent = said;
    });
  }

  if (window.htmx) window.htmx.createEventSource = (url) => new Stream(url);
  if (hasStream()) alarm = setTimeout(() => show(false), LOST_MS);

  tellTimes();
  setInterval(tellTimes, 1000);
  document.addEventListener("htmx:sseMessage", (event) => {
    tellTimes();
    const changed = event.target;
    changed.classList.remove("is-new");
    requestAnimationFrame(() => changed.classList.add("is-new"));
  });
  ["htmx:responseError", "htmx:sendError"].forEach((name) =>
    document.addEventListener(name, () => { document.getElementById("failed").hidden = false; }));

  // A second click while the first is on its way would only load the server.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.target) return; // this page stays, and its form is used again
    if (form.dataset.sent) event.preventDefault();
    else form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  // "/" goes to the search, as on every page that has one.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const search = document.querySelector("[data-search]");
    if (event.key === "/" && !typing && search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });
})();
