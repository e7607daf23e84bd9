// Print buttons: <button data-print>. Without script the browser's own menu prints the same.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
