// What a request in the background must not put into a table cell: a sign-in page, or the page of an error. The first
// loads the page again, which leads to the sign-in and back; the second becomes a notice above the content.
import { say } from "./say.js";

const words = document.getElementById("says")?.dataset ?? {};

function notice(text, link) {
  const main = document.getElementById("main");
  if (!main || !text) return;
  const box = document.createElement("div");
  box.className = "flash flash--error";
  const shown = document.createElement("p");
  shown.className = "flash__text";
  shown.textContent = text;
  if (link) shown.append(" ", link);
  box.append(shown);
  main.querySelector(":scope > .flash--error")?.remove();
  main.prepend(box);
  say(text);
}

// Whether somebody has written or chosen anything on this page that was not sent.
function unsent() {
  return [...document.querySelectorAll("main form :is(input, textarea, select)")].some((field) => {
    if (field.type === "hidden" || field.form.method === "get") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.type === "file") return field.files.length > 0;
    if (field.options) return [...field.options].some((o) => o.selected !== o.defaultSelected && field.value !== field.options[0].value);
    return field.value !== field.defaultValue;
  });
}

let told = false;

// The session is over. A page with nothing unsent on it leads to the sign-in and back; on another, what was written stays,
// and can be sent after a sign-in in another tab.
export function signedOut() {
  if (!unsent()) {
    location.reload();
    return;
  }
  if (told) return;
  told = true;
  const link = document.createElement("a");
  link.href = "/login";
  link.target = "_blank";
  link.textContent = words.signin;
  notice(words.over, link);
}

document.addEventListener("htmx:before:response", (event) => {
  const raw = event.detail.ctx?.response?.raw;
  if (!raw) return;
  const over = raw.status === 401 || (raw.redirected && new URL(raw.url).pathname === "/login");
  // 422 is a form with its errors and belongs where the form was.
  if (!over && (raw.ok || raw.status === 422)) return;
  event.preventDefault();
  if (over) signedOut();
  // A stream that does not open is told by the live line.
  else if (!event.target.hasAttribute?.("hx-sse:connect")) notice(words.failed);
});
