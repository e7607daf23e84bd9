// Changes the theme at once; the same form, sent in the background, keeps it for the next page.
document.addEventListener("submit", (event) => {
  const chosen = event.submitter;
  if (!event.target.matches("[data-theme-form]") || chosen?.name !== "theme") return;
  event.preventDefault();
  if (chosen.value) document.documentElement.dataset.theme = chosen.value;
  else delete document.documentElement.dataset.theme;
  for (const button of event.target.querySelectorAll('[name="theme"]')) {
    button.setAttribute("aria-pressed", String(button === chosen));
  }
  const body = new URLSearchParams(new FormData(event.target, chosen));
  fetch(event.target.action, { method: "POST", body, keepalive: true, redirect: "manual" }).catch(() => {});
}, { capture: true });
