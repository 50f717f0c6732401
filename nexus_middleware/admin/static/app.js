// The page: header, what is always in sight, and the tabs.
import { brief, html } from "./base.js";
import { Header } from "./header.js";
import { listen } from "./keys.js";
import { begin, down, interval, refreshAnew, set, state } from "./live.js";
import { Loading } from "./parts.js";
import { here, to } from "./router.js";
import { Alerts, Cards } from "./views/overview.js";
import { render } from "./vendor/preact.mjs";

const TABS = { // each loads when it is first looked at
  cache: ["Cache", () => import("./views/cache.js")],
  queues: ["Queues", () => import("./views/queues.js")],
  performance: ["Performance", () => import("./views/performance.js")],
  security: ["Security", () => import("./views/security.js")],
  logs: ["Logs", () => import("./views/logs.js")],
};
const NAMES = Object.keys(TABS);
const STALE = 3; // intervals without news, after which the title says so

// --- tabs

function move(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const at = NAMES.indexOf(state.tab);
  const next = { Home: 0, End: NAMES.length - 1 }[event.key] ?? (step && (at + step + NAMES.length) % NAMES.length);
  if (next === undefined) return;
  event.preventDefault();
  location.hash = to(NAMES[next]);
  document.getElementById(`tab-${NAMES[next]}`).focus();
}

function mark(name) {
  if (name === "cache" && (state.cache.error || down())) return html` <span class="dot bad" title="Redis does not answer"></span>`;
  const failed = name === "queues" && Object.values(state.last.queues?.stats || {}).reduce((sum, queue) => sum + queue.failed, 0);
  return failed ? html` <span class="chip bad">${brief(failed)}<span> failed</span></span>` : "";
}

function Tabs() {
  return html`
    <div class="tabs" role="tablist" aria-label="Details" onKeyDown=${move}>
      ${NAMES.map((name) => html`<a key=${name} role="tab" id=${`tab-${name}`} href=${to(name)} aria-selected=${name === state.tab}
        aria-controls="panel" tabindex=${name === state.tab ? 0 : -1}>${TABS[name][0]}${mark(name)}</a>`)}
    </div>
    <section class="panel" role="tabpanel" id="panel" aria-labelledby=${`tab-${state.tab}`} key=${state.tab}>
      <h2 class="hidden">${TABS[state.tab][0]}</h2>${state.view ? html`<${state.view.View}/>` : html`<${Loading}/>`}</section>`;
}

const App = () => html`
  <a class="skip" href="#panel" onClick=${skip}>To the details</a>
  <${Header}/>
  <main class=${state.lost || state.signedOut ? "lost" : ""}><${Alerts}/><${Cards}/><${Tabs}/></main>
  ${state.view && html`<footer class="soft">nexus_middleware ${state.meta.version} · every ${interval()} s ·
    ${state.meta.scope === "process" ? " this process only" : " all processes"} · <a href="api/overview">JSON</a></footer>`}
  <div class="toasts" role="status">${state.toast && html`<div class="toast ${state.toast.bad ? "bad" : ""}">${state.toast.text}</div>`}</div>
  ${state.ask && html`<${state.dialog.Dialog} question=${state.ask} key=${state.ask.title}/>`}
  ${state.meaning && html`<${state.meaning.module.Meaning} key=${state.meaning.name} ...${state.meaning}/>`}
  ${state.help && html`<${state.help.Help}/>`}`;

function skip(event) {
  event.preventDefault();
  document.getElementById(`tab-${state.tab}`).focus();
}

let latest = 0;

// A tab's module may name, by `at`, another one for an address below it.
async function follow() {
  const place = here();
  const mine = (latest += 1);
  const tab = NAMES.includes(place.view) ? place.view : "cache";
  if (tab !== state.tab) set({ tab, view: null });
  let view = await TABS[tab][1]();
  view = (await view.at?.(place)) || view;
  if (mine !== latest) return; // somebody was quicker
  set({ view });
  if (view.paths().length) refreshAnew();
}

function draw() {
  const stale = Date.now() - state.at > STALE * interval() * 1000 && !state.paused ? "stale · " : "";
  document.title = `${stale}${state.health.status} · Infrastructure`;
  render(html`<${App}/>`, document.getElementById("app"));
}

window.addEventListener("hashchange", follow);
listen();
begin(draw);
follow();
