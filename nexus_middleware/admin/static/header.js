// The head of the page: where this runs, how fresh it is, what window is looked at, and how it is shown.
import { html, time } from "./base.js";
import { get, pause, refresh, set, state } from "./live.js";
import { chosenWindow, here, turned, WINDOWS } from "./router.js";
import { Component } from "./vendor/preact.mjs";

export const Choice = ({ name, value, options, does }) => html`<label><span>${name}</span>
  <select onChange=${(event) => does(event.target.value)}>
    ${options.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}</select></label>`;

// --- what is looked at

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

// --- how it is shown

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

export const Header = () => html`
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
