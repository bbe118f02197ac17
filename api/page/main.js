// @ts-check
/** Begins: the frame of the page, and which view is shown. */

import { getJson } from "./api.js";
import { clearComposer, prepareComposer, setModel } from "./composer.js";
import { Dashboard } from "./dashboard.js";
import { byId, icon, say } from "./dom.js";
import { onLanguage, switchLanguage, t, translate } from "./i18n.js";
import { JobPanel } from "./job.js";
import { prepareKeyDialog } from "./key.js";
import { keep, kept } from "./memory.js";
import { RecentJobs } from "./recent.js";

const RECENT_EVERY_MS = 5_000;
const UPLOADING = "#/upload";
const THEMES = ["auto", "light", "dark"];

translate();
prepareKeyDialog(() => {
  recent.refresh();
  dashboard.show(false);
  route();
});
const recent = new RecentJobs();
const panel = new JobPanel({
  onMade: (id) => {
    const address = `#/jobs/${id}`;
    if (location.hash === UPLOADING) location.replace(address);
    else returnTo(address);
  },
  onChange: () => recent.refresh(),
});
const dashboard = new Dashboard({ onModel: showModel });
prepareComposer((file, fields) => {
  panel.submit(file, fields);
  location.hash = UPLOADING;
  clearComposer();
});

/** The view of the address: `#/`, `#/upload` while that lasts, `#/jobs/ID` or `#/dashboard`. */
function route() {
  const [, id] = location.hash.match(/^#\/jobs\/([0-9a-f]{32})$/) ?? [];
  if (location.hash === "#/dashboard") return show("dashboard", false);
  returnTo(location.hash || "#/");
  if (location.hash === UPLOADING && panel.uploading) return show("transcribe", true);
  show("transcribe", Boolean(id));
  recent.mark(id ?? "");
  if (id) panel.open(id);
  else panel.close();
  recent.refresh();
}

/** Lead back from the dashboard to what was shown, which an upload must survive. @param {string} address */
const returnTo = (address) => byId("to-transcribe").setAttribute("href", address);

/** @param {"transcribe" | "dashboard"} view @param {boolean} job whether a job is shown in place of the form */
function show(view, job) {
  for (const name of ["transcribe", "dashboard"]) {
    byId(name).hidden = name !== view;
    if (name === view) byId(`to-${name}`).setAttribute("aria-current", "page");
    else byId(`to-${name}`).removeAttribute("aria-current");
  }
  document.title = view === "dashboard" ? `${t("dashboard")} · Quintet` : "Quintet";
  if (view === "dashboard") panel.player.pause();
  if (view === "transcribe") {
    byId("composer").hidden = job;
    byId("job").hidden = !job;
  }
  dashboard.show(view === "dashboard");
}

/** What runs, in the header and in the form. @param {any} health the answer of `/health`, null where there is none */
function showModel(health) {
  const chip = byId("model");
  chip.hidden = false;
  chip.className = `chip model ${health?.status ?? "away"}`;
  say(chip, health ? (health.model?.model ?? t("no_model")) : t("health_away"));
  chip.title = t(`health_${health?.status ?? "away"}_note`);
  if (health?.model) setModel(health.model);
}

async function askModel() {
  try {
    showModel(await getJson("health", { accept: [503], quiet: true }));
  } catch {
    showModel(null);
  }
}

function showTheme() {
  const theme = kept("theme", "auto");
  const name = THEMES.includes(theme) ? theme : "auto";
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  byId("theme").replaceChildren(icon(name));
  byId("theme").setAttribute("aria-label", t(`theme_${name}`));
  byId("theme").title = t(`theme_${name}`);
}

byId("theme").addEventListener("click", () => {
  keep("theme", THEMES[(THEMES.indexOf(kept("theme", "auto")) + 1) % THEMES.length]);
  showTheme();
});
byId("language").addEventListener("click", switchLanguage);
byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names the view
  byId("main").focus();
});
onLanguage(() => {
  showTheme();
  askModel();
});
addEventListener("hashchange", route);
addEventListener("beforeunload", (event) => panel.uploading && event.preventDefault());
let ticks = 0;
setInterval(() => {
  ticks += 1;
  if (document.hidden || !byId("dashboard").hidden) return;
  if (recent.active || ticks % 6 === 0) recent.refresh();
  if (ticks % 3 === 0) askModel();
}, RECENT_EVERY_MS);

showTheme();
askModel();
route();
