// The page: header, what is always in sight, and the tabs.
import { brief, html, time } from "./base.js";
import { begin, down, get, interval, pause, refresh, refreshAnew, set, state } from "./live.js";
import { Choice, Loading } from "./parts.js";
import { chosenWindow, here, to, turned, WINDOWS } from "./router.js";
import { Alerts, Cards } from "./views/overview.js";
import { Component, render } from "./vendor/preact.mjs";

const TABS = { // each loads when it is first looked at, or pointed to
  cache: ["Cache", () => import("./views/cache.js")],
  queues: ["Queues", () => import("./views/queues.js")],
  performance: ["Performance", () => import("./views/performance.js")],
  security: ["Security", () => import("./views/security.js")],
  rules: ["Rules", () => import("./views/rules.js")],
  logs: ["Logs", () => import("./views/logs.js")],
};
const NAMES = Object.keys(TABS);
const STALE = 3; // intervals without news, after which the title says so

// --- head: what is looked at, how fresh it is, how it is shown

// All processes, or one of them; who they are is asked when somebody is about to choose.
class Processes extends Component {
  state = { names: [] };

  componentDidMount = () => this.look();

  look = async () => {
    const { items } = await get("api/processes").catch(() => ({ items: [] }));
    this.setState({ names: items.map((item) => item.name) });
  };

  render(_, { names }) {
    const now = here().query.get("process") || "";
    const all = now && !names.includes(now) ? [now, ...names] : names;
    return html`<span class="choice" onFocusIn=${this.look}>
      <${Choice} name="Process" value=${now} options=${[["", `All ${state.meta.processes} processes`], ...all.map((name) => [name, name])]}
        does=${(process) => { location.hash = turned({ process }); }}/></span>`;
  }
}

async function opened(event) {
  const menu = event.currentTarget;
  if (!menu.open || state.settings) return;
  set({ settings: await import("./settings.js") });
}

const Menu = () => html`<details class="menu" onToggle=${opened} onKeyDown=${(event) => { if (event.key === "Escape") shut(event.currentTarget); }}>
  <summary class="button">Settings</summary>
  <div>${state.settings && html`<${state.settings.Settings}/>`}</div></details>`;

function shut(menu) {
  menu.open = false;
  menu.firstElementChild.focus();
}

const place = () => state.meta.environment;

const Header = () => html`
  <header>
    <div class="brand"><svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/><path d="M9 23V9l14 14V9"/></svg>
      <h1>Infrastructure</h1><span class="chip ${place() === "production" ? "bad" : ""}">${place()}</span></div>
    <div class="controls">
      <span class="soft fresh"><span>${state.paused ? "Paused at" : "Updated"} </span><b>${time(state.meta.time)}</b></span>
      <button type="button" class="button" aria-pressed=${state.paused} onClick=${() => pause(!state.paused)}>${state.paused ? "Resume" : "Pause"}</button>
      <button type="button" class="button" onClick=${refresh}>Refresh</button>
      ${state.meta.processes > 1 && html`<${Processes}/>`}
      <span class="choice"><${Choice} name="Window" value=${chosenWindow()} options=${WINDOWS.map((name) => [name, name])}
        does=${(window) => { location.hash = turned({ window }); }}/></span>
      <${Menu}/>
    </div>
  </header>`;

document.addEventListener("pointerdown", (event) => document.querySelectorAll("details.menu[open]").forEach((menu) => {
  if (!menu.contains(event.target)) menu.open = false;
}));

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

// The lists of a view as files: each whole, whatever page of it is shown.
function file(path, kind) {
  const [address, query = ""] = path.split("?");
  const asked = new URLSearchParams(query);
  asked.delete("cursor");
  asked.delete("limit");
  asked.set("download", kind);
  return `${address}?${asked}`;
}

const Files = () => html`<p class="soft files">${Object.entries(state.more).filter(([, told]) => told?.items?.length).map(([path]) => {
  const name = path.split("?")[0].replace("/each", "").split("/").pop();
  return html`<span key=${path}>Download ${name} ${["csv", "json"].map((kind) => html`<a href=${file(path, kind)} download aria-label=${`${kind.toUpperCase()}: download ${name}`}>${kind.toUpperCase()}</a> `)}</span>`;
})}</p>`;

function Tabs() {
  return html`
    <div class="tabs" role="tablist" aria-label="Details" onKeyDown=${move}>
      ${NAMES.map((name) => html`<a key=${name} role="tab" id=${`tab-${name}`} href=${to(name)} aria-selected=${name === state.tab}
        aria-controls="panel" tabindex=${name === state.tab ? 0 : -1} onPointerEnter=${TABS[name][1]}>${TABS[name][0]}${mark(name)}</a>`)}
    </div>
    <section class="panel" role="tabpanel" id="panel" aria-labelledby=${`tab-${state.tab}`} key=${state.tab}>
      <h2 class="hidden">${TABS[state.tab][0]}</h2>${state.view ? html`<${state.view.View}/><${Files}/>` : html`<${Loading}/>`}</section>`;
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
  const link = document.getElementById(`tab-${tab}`);
  link.parentNode.scrollLeft = link.offsetLeft - 60; // on a phone it may be out of sight
  if (view.paths().length) refreshAnew();
}

function draw() {
  const stale = Date.now() - state.at > STALE * interval() * 1000 && !state.paused ? "stale · " : "";
  document.title = `${stale}${state.health.status} · Infrastructure`;
  render(html`<${App}/>`, document.getElementById("app"));
}

// Shortcuts are for somebody who is there: they load with the first sign of one, and lose no key meanwhile.
function attend() {
  let keys, loading;
  const load = () => (loading ||= import("./keys.js").then((module) => { keys = module; }));
  document.addEventListener("pointermove", load, { once: true });
  document.addEventListener("keydown", (event) => (keys ? keys.pressed(event) : load().then(() => keys.pressed(event))));
}

window.addEventListener("hashchange", follow);
begin(draw);
follow();
attend();
