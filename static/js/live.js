// Live pages. htmx keeps the stream and swaps what comes; this says how the stream is, holds the page still while
// paused (WCAG 2.2, 2.2.2), marks what changed, and announces one summary at most every ten seconds (4.1.3).
import { ago } from "./ago.js";
import { say } from "./say.js";
import { signedOut } from "./session.js";

const QUIET = 10_000; // between announcements, and how long a change stays marked

const source = document.querySelector("[hx-sse\\:connect]");
if (source) watch(source, document.querySelector("[data-live]"), document.getElementById("says")?.dataset ?? {});

function watch(source, line, words) {
  const text = line?.querySelector("[data-live-text]");
  const pause = line?.querySelector("[data-live-pause]");
  const changed = new Set(); // not yet announced
  const before = new Map();  // what the targets of the message being swapped said, and how high they were
  let connection, changedAt, timer;
  let state = "on";          // on, lost (htmx tries again), stopped (it does not)
  let paused = false;

  function show() {
    if (!line) return;
    const shown = paused ? "paused" : state;
    line.classList.toggle("live--paused", paused);
    line.classList.toggle("live--lost", !paused && state !== "on");
    let now = line.dataset[shown];
    if (shown === "on" && changedAt) now += `. ${words.changed.replace("{when}", ago((Date.now() - changedAt) / 1000))}`;
    if (text.textContent !== now) text.textContent = now;
  }

  function announce() {
    timer = undefined;
    if (!changed.size) return;
    say((changed.size === 1 ? words.single : words.several).replace("{count}", changed.size));
    changed.clear();
    timer = setTimeout(announce, QUIET);
  }

  // What an element says, apart from the passing of time.
  function meaning(element) {
    const copy = element.cloneNode(true);
    for (const time of copy.querySelectorAll("time, [data-ticks]")) time.remove();
    return copy.textContent.replace(/\s+/g, " ");
  }

  source.addEventListener("htmx:sse:before:message", (event) => {
    // Nothing is kept for later: a stream that opens again shows every row as it stands by then.
    if (paused) event.detail.cancelled = true;
    else {
      for (const [, id] of event.detail.message.data.matchAll(/hx-target="#([\w-]+)"/g)) {
        const element = document.getElementById(id);
        if (element) before.set(id, { said: meaning(element), high: element.matches("tr") ? element.offsetHeight : 0 });
      }
    }
  });

  source.addEventListener("htmx:sse:after:message", () => {
    for (const [id, { said, high }] of before) {
      const element = document.getElementById(id);
      if (!element) continue;
      if (element.offsetHeight < high) element.classList.add("table__room"); // the rows below are being read
      if (meaning(element) === said) continue;
      changedAt = Date.now();
      changed.add(id);
      if (!element.matches("tr")) continue;
      element.classList.add("table__fresh");
      setTimeout(() => document.getElementById(id)?.classList.remove("table__fresh"), QUIET);
    }
    before.clear();
    show();
    if (!timer) announce();
  });

  const become = (next) => () => {
    state = next;
    show();
  };
  source.addEventListener("htmx:sse:after:connection", (event) => {
    connection = event.detail.connection;
    become("on")();
  });
  // htmx rests a stream when its tab goes to the background, but not one that was opened there.
  source.addEventListener("stream-open", () => {
    if (document.hidden) document.dispatchEvent(new Event("visibilitychange"));
  });
  source.addEventListener("htmx:sse:error", (event) => {
    if (event.detail.status === 401) signedOut();
    become("lost")();
  });
  source.addEventListener("htmx:sse:close", become("stopped"));
  // A stream that never opened is not tried again; the line's own link loads the page.
  source.addEventListener("htmx:error", become("stopped"));
  source.addEventListener("htmx:before:response", (event) => {
    if (!event.detail.ctx.response.raw.ok) become("stopped")();
  });

  pause?.addEventListener("click", () => {
    paused = !paused;
    if (!paused) connection?.reader?.cancel();
    const word = pause.lastChild;
    word.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
    pause.querySelector("use")?.setAttribute("href", paused ? "#i-play" : "#i-pause");
    show();
    say(text.textContent);
  });

  if (line) setInterval(show, QUIET);
}
