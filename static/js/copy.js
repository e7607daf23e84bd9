// Copy buttons: <button data-copy="text" data-copied="word to announce">.
import { say } from "./say.js";

async function put(text) {
  // The clipboard needs a secure context; a console on plain http in a closed network has none.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "u-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copy refused");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await put(button.dataset.copy);
  } catch {
    return; // the text is on the page, to be selected by hand
  }
  const use = button.querySelector("use");
  use?.setAttribute("href", "#i-check");
  button.dataset.done = "";
  say(button.dataset.copied);
  button.focus();
  setTimeout(() => {
    use?.setAttribute("href", "#i-copy");
    delete button.dataset.done;
  }, 2000);
});
