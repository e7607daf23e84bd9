// The live tail of deliveries. Each event of the stream is one row. A row of the page is put in its own place; a new one
// goes on top of the list, unless somebody is reading there: while the page is paused, scrolled, or the list has the
// pointer or the focus, new rows wait behind a button that counts them.
import "htmx.org";
import { say } from "./say.js";

const QUIET = 10_000; // between announcements
const LIMIT = 300;    // rows that wait; beyond, the button loads the page

const list = document.querySelector("[data-tail]");
const source = document.querySelector("[hx-sse\\:connect]");
if (list && source) follow(list, source, document.querySelector("[data-live]"), document.querySelector("[data-tail-new]"));

function follow(list, source, line, button) {
  const waiting = new Map(); // id to row, in the order of arrival
  let announced = 0;

  const paused = () => line?.classList.contains("live--paused");
  const top = () => list.querySelector("tbody");
  const read = () => paused() || !top() || list.dataset.tail !== "top" || list.getBoundingClientRect().top < 0 || list.matches(":hover, :focus-within");

  function rowOf(text) {
    const page = new DOMParser().parseFromString(`<table><tbody>${text}</tbody></table>`, "text/html"); // runs nothing
    return document.adoptNode(page.querySelector("tr"));
  }

  // Rows are ordered by when they came, which is not always the order in which they are told of.
  function insert(row) {
    const below = [...top().children].find((other) => other.dataset.order < row.dataset.order);
    top().insertBefore(row, below ?? null);
    window.htmx?.process?.(row);
    row.classList.add("table__fresh");
    setTimeout(() => row.classList.remove("table__fresh"), QUIET);
  }

  // A swap never takes the focus away (WCAG 2.2, 2.4.3).
  function replace(there, row) {
    const stops = (of) => [...of.querySelectorAll("a, button")];
    const at = stops(there).indexOf(document.activeElement);
    there.replaceWith(row);
    if (at >= 0) stops(row)[at]?.focus({ preventScroll: true });
  }

  function show() {
    button.hidden = waiting.size === 0;
    const count = waiting.size > LIMIT ? `${LIMIT}+` : waiting.size;
    button.textContent = (waiting.size === 1 ? button.dataset.single : button.dataset.several).replace("{count}", count);
  }

  function arrive(text) {
    const row = rowOf(text);
    const there = document.getElementById(row.id);
    if (there) {
      if (there.outerHTML !== row.outerHTML && !paused()) replace(there, row);
      return;
    }
    if (!read() && waiting.size === 0) {
      insert(row);
      return;
    }
    if (waiting.size <= LIMIT) waiting.set(row.id, row);
    show();
    if (Date.now() - announced > QUIET) {
      announced = Date.now();
      say(button.textContent);
    }
  }

  // Paused, messages are dropped before they become events; they are counted all the same.
  source.addEventListener("htmx:sse:before:message", (event) => {
    const { message } = event.detail;
    if (message.event === "delivery" && paused()) arrive(message.data);
  });
  source.addEventListener("delivery", (event) => arrive(event.detail.data));

  button.addEventListener("click", (event) => {
    if (!top() || list.dataset.tail !== "top" || waiting.size > LIMIT) return; // its address is the newest page
    event.preventDefault();
    for (const row of waiting.values()) if (!document.getElementById(row.id)) insert(row);
    waiting.clear();
    show();
    line.scrollIntoView({ block: "nearest" });
  });
}
