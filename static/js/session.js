// A request in the background that ended at the sign-in page must not have that page put into a table cell.
document.addEventListener("htmx:before:response", (event) => {
  const raw = event.detail.ctx?.response?.raw;
  if (!raw?.redirected || new URL(raw.url).pathname !== "/login") return;
  event.preventDefault();
  location.reload();
});
