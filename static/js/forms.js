// Forms: one send per press, the focus on what was refused or asked for, notices that can be put away.
const AGAIN = 10_000; // an answer that never came may be asked for again
const FILE = 2_000; // a form that is answered with a file stays where it is
const sent = new WeakSet();

function free(form) {
  sent.delete(form);
  for (const busy of form.querySelectorAll("[aria-busy]")) busy.removeAttribute("aria-busy");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(() => free(form), "download" in form.dataset ? FILE : AGAIN);
});

// A page taken back from the browser's memory may be sent again.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) free(form);
});

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".flash")?.remove();
});

document.querySelector("[data-focus]")?.focus();

// The same in an answer that took the place of what was pressed: the focus went with it, and the keyboard would begin again at
// the top of the page. Whoever has gone on meanwhile is not called back.
document.addEventListener("htmx:after:swap", (event) => {
  const at = document.activeElement;
  if (at && at !== document.body) return;
  event.target.querySelector?.("[data-focus]")?.focus();
});
