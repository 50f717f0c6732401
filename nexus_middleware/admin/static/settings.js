// How the page is shown: theme, zone, pace, shortcuts. It loads when somebody opens the menu.
import { chosen, html, tellTimes } from "./base.js";
import { openHelp, shortcuts } from "./keys.js";
import { every, interval, set, signOut, state } from "./live.js";
import { Choice } from "./parts.js";

const EVERY = [5, 10, 30, 60]; // seconds
const YEAR = 31_536_000; // seconds

// --- theme

const themes = { "": "Auto", light: "Light", dark: "Dark" };
const theme = () => document.documentElement.dataset.theme || "";

export function dress(value) {
  if (value) document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
  // a cookie, so that the next page comes in it; none but the dashboard is told, since its path is the page's
  document.cookie = `nexus-theme=${value}; max-age=${value ? YEAR : 0}; samesite=strict${location.protocol === "https:" ? "; secure" : ""}`;
  set({});
}

export function nextTheme() {
  const names = Object.keys(themes);
  dress(names[(names.indexOf(theme()) + 1) % names.length]);
}

const tell = (times) => {
  chosen("times", times);
  tellTimes(times === "utc");
  set({});
};

export const Settings = () => html`<${Choice} name="Theme" value=${theme()} options=${Object.entries(themes)} does=${dress}/>
  <${Choice} name="Times" value=${chosen("times")} options=${[["", "Local"], ["utc", "UTC"]]} does=${tell}/>
  <${Choice} name="Refresh" value=${interval()} options=${[...new Set([...EVERY, interval()])].map((n) => [n, `Every ${n} s`])} does=${every}/>
  <${Choice} name="Shortcuts" value=${shortcuts() ? "" : "off"} options=${[["", "On"], ["off", "Off"]]} does=${(value) => { chosen("shortcuts", value); set({}); }}/>
  <button type="button" class="button" onClick=${openHelp}>All shortcuts</button>
  ${state.me.who === "session" && html`<button type="button" class="button" onClick=${signOut}>Sign out</button>`}`;
