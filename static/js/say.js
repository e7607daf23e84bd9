// One polite live region for the whole page (WCAG 2.2, 4.1.3): a second one would talk over the first.
const region = document.getElementById("says");

export function say(text) {
  if (!region || !text) return;
  // An unchanged text would not be announced again.
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = text; });
}
