// Keys for people who work in the console all day. They can be switched off, because a single letter may reach a page
// by accident (dictation, WCAG 2.2, 2.1.4); the choice is the browser's, not the user's account.
const STORE = "cotejo.keys";
const box = document.querySelector("[data-keys-switch]");
const off = () => localStorage.getItem(STORE) === "off";

if (box) {
  box.checked = !off();
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(STORE);
    else localStorage.setItem(STORE, "off");
  });
}

const typing = (element) => element.closest("input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable]");

// Rows are moved through by moving the focus to the first link of each: Enter, screen readers and the browser's own
// keys then work as on any link.
function move(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const to = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
  rows[to].querySelector("a[href]")?.focus();
}

const acts = {
  "/": () => {
    const box = document.querySelector("[data-search], [data-filter]");
    box?.focus();
    if (box?.matches("[data-search]")) box.select();
  },
  "?": () => document.getElementById("keys")?.togglePopover(),
  n: () => document.querySelector('[data-key="n"]')?.click(),
  j: () => move(1),
  k: () => move(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || off()) return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
