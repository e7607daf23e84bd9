// The live line. htmx keeps the stream and swaps what comes; this says how the stream is, holds the page still while
// paused (WCAG 2.2, 2.2.2), marks what changed, and announces one summary at most every ten seconds (4.1.3).
import htmx from "htmx.org";

import { ago } from "./ago.js";
import { say } from "./say.js";

const QUIET = 10_000;  // between announcements, and how long a change stays marked
const RETRY = 5_000;   // after a stream that never opened; an open one that breaks is htmx's to mend

const line = document.querySelector("[data-live]");
if (line) watch(line);

function watch(line) {
  const text = line.querySelector("[data-live-text]");
  const pause = line.querySelector("[data-live-pause]");
  const word = line.dataset;
  let connection, changedAt, pausedAt, timer;
  let lost = false;
  const waiting = new Set();

  const clock = () => new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });

  function show() {
    line.classList.toggle("live--paused", Boolean(pausedAt));
    line.classList.toggle("live--lost", lost && !pausedAt);
    let now = word.on;
    if (pausedAt) now = word.paused.replace("{clock}", pausedAt);
    else if (lost) now = word.lost;
    else if (changedAt) now = `${word.on}. ${word.changed.replace("{when}", ago((Date.now() - changedAt) / 1000))}`;
    if (text.textContent !== now) text.textContent = now;
  }

  function announce() {
    timer = undefined;
    if (!waiting.size) return;
    say((waiting.size === 1 ? word.single : word.several).replace("{count}", waiting.size));
    waiting.clear();
    timer = setTimeout(announce, QUIET);
  }

  // What a stretch of the page says, apart from the passing of time.
  function meaning(element) {
    const copy = element.cloneNode(true);
    for (const time of copy.querySelectorAll("time")) time.remove();
    return copy.textContent.replace(/\s+/g, " ");
  }

  function targets(html) {
    return [...html.matchAll(/hx-target="#([\w-]+)"/g)].map((match) => match[1]);
  }

  const before = new Map();

  line.addEventListener("htmx:sse:before:message", (event) => {
    if (pausedAt) {
      event.detail.cancelled = true;
      return;
    }
    for (const id of targets(event.detail.message.data)) {
      const element = document.getElementById(id);
      if (element) before.set(id, meaning(element));
    }
  });

  line.addEventListener("htmx:sse:after:message", () => {
    for (const [id, said] of before) {
      const element = document.getElementById(id);
      if (!element || meaning(element) === said) continue;
      changedAt = Date.now();
      waiting.add(id);
      if (element.matches("tr")) {
        element.classList.add("table__fresh");
        setTimeout(() => document.getElementById(id)?.classList.remove("table__fresh"), QUIET);
      }
    }
    before.clear();
    show();
    if (!timer) announce();
  });

  line.addEventListener("htmx:sse:after:connection", (event) => {
    connection = event.detail.connection;
    lost = false;
    show();
  });

  const fail = () => { lost = true; show(); };
  line.addEventListener("htmx:sse:error", fail);
  line.addEventListener("htmx:sse:close", fail);
  for (const name of ["htmx:error", "htmx:response:error"]) {
    line.addEventListener(name, (event) => {
      fail();
      event.preventDefault();
      setTimeout(() => { if (lost) htmx.ajax("GET", line.getAttribute("hx-sse:connect"), { source: line }); }, RETRY);
    });
  }

  // Resuming asks for the stream anew: the server then sends every row of this page as it stands.
  pause?.addEventListener("click", () => {
    if (pausedAt) connection?.reader?.cancel();
    pausedAt = pausedAt ? undefined : clock();
    const label = pause.querySelector("[data-live-word]");
    label.textContent = pausedAt ? word.resume : word.pause;
    pause.querySelector("use")?.setAttribute("href", pausedAt ? "#i-play" : "#i-pause");
    show();
    say(text.textContent);
  });

  show();
  setInterval(show, QUIET);
}
