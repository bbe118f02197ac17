// A classic script, read before the first paint, so that no page flashes in the wrong colours.
"use strict";

(() => {
  let theme = null;
  try {
    theme = JSON.parse(localStorage.getItem("quintet.theme"));
  } catch {
    // the system's colours, then
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
