// What a request in the background must not put into a table cell: a sign-in page, or the page of an error. The first
// loads the page again, which leads to the sign-in and back; the second becomes a notice above the content.
import { say } from "./say.js";

function notice(text) {
  const main = document.getElementById("main");
  if (!main || !text) return;
  const box = document.createElement("div");
  box.className = "flash flash--error";
  const words = document.createElement("p");
  words.className = "flash__text";
  words.textContent = text;
  box.append(words);
  main.querySelector(":scope > .flash--error")?.remove();
  main.prepend(box);
  say(text);
}

document.addEventListener("htmx:before:response", (event) => {
  const raw = event.detail.ctx?.response?.raw;
  if (!raw) return;
  const signedOut = raw.status === 401 || (raw.redirected && new URL(raw.url).pathname === "/login");
  // 422 is a form with its errors and belongs where the form was.
  if (!signedOut && (raw.ok || raw.status === 422)) return;
  event.preventDefault();
  if (signedOut) location.reload();
  // A stream that does not open is told by the live line.
  else if (!event.target.hasAttribute?.("hx-sse:connect")) notice(document.getElementById("says")?.dataset.failed);
});
