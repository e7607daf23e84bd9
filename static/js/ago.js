// Keeps relative times true while a page stays open. From a day on the server's words count calendar days in the
// reader's zone; those stand until the page is loaded again.
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short", numeric: "always" });
const DAY = 86400;

export function ago(seconds) {
  const past = Math.max(1, Math.floor(seconds));
  const [n, unit] = past < 60 ? [past, "second"] : past < 3600 ? [Math.floor(past / 60), "minute"] : [Math.floor(past / 3600), "hour"];
  return words.format(-n, unit).replace(".", "");
}

function refresh() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    // The first seconds keep the server's "a moment ago": two clocks never agree that well.
    if (seconds >= 20 && seconds < DAY) time.textContent = ago(seconds);
  }
}

setInterval(refresh, 15_000);
document.addEventListener("visibilitychange", refresh);
