// Keyboard shortcuts: off while somebody types, and for good where they were switched off. It loads when somebody is there.
import { chosen } from "./base.js";
import { pause, refresh, set, state } from "./live.js";
import { to } from "./router.js";

const VIEWS = { o: "", c: "cache", q: "queues", p: "performance", s: "security", r: "rules", l: "logs" };
const WAITS = 1_500; // milliseconds between the two keys of a pair

export const shortcuts = () => chosen("shortcuts") !== "off";

export const openHelp = async () => set({ help: await import("./help.js") });

const KEYS = {
  "/": () => document.querySelector("[type=search]")?.focus(),
  r: refresh,
  p: () => pause(!state.paused),
  t: async () => (await import("./settings.js")).nextTheme(),
  "?": openHelp,
};

const typing = (element) => element.isContentEditable || /^(input|select|textarea)$/i.test(element.tagName);

let begun = -WAITS; // when "g" was pressed

function go(view) {
  location.hash = to(view || "cache");
  if (view) document.getElementById(`tab-${view}`)?.focus();
  else document.querySelector(".card a")?.focus();
}

export function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !shortcuts()) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const second = event.timeStamp - begun < WAITS;
  begun = -WAITS;
  if (second && VIEWS[event.key] !== undefined) go(VIEWS[event.key]);
  else if (event.key === "g") begun = event.timeStamp;
  else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
}
