// What was refused: counters over the window, a chart of them, and the events, newest first.
import { brief, date, exact, html, plural, time } from "../base.js";
import { down, get, state } from "../live.js";
import { Empty, Old, orNone } from "../parts.js";
import { chosenWindow, here, to, turned, windowed } from "../router.js";
import { Component } from "../vendor/preact.mjs";
import { Chart } from "./charts.js";
import { Part, Parts, Request } from "./part.js";

export const KINDS = {
  rate_limited: "Rate limited", blocked: "Blocked address", banned: "Banned", sqli: "SQL injection", xss: "Cross-site scripting",
  injection: "Injection", bad_key: "Wrong API key", too_large: "Body too large", bad_request: "Malformed", cors: "CORS refused",
  csp: "CSP report", sign_in_failed: "Failed sign-in", admin_action: "Administrator", refused: "Refused by own layer",
  block: "Address blocked", unblock: "Address let in", ban: "Address banned",
};
const COUNTED = ["rate_limited", "blocked", "banned", "xss", "sqli", "bad_key", "too_large", "cors", "csp"]; // shown though there are none

const counts = () => windowed("api/security/counts");

function events(cursor = "") {
  const { query } = here();
  const asked = new URLSearchParams({ limit: 50 });
  for (const name of ["kind", "client"]) if (query.get(name)) asked.set(name, query.get(name));
  if (cursor) asked.set("cursor", cursor);
  return `api/security/events?${asked}`;
}

export const paths = () => [counts(), events()];

export async function at({ parts: [part] }) {
  if (part === "blocked") return import("./security-blocked.js");
  if (part === "limits") return import("./security-limits.js");
  return part ? import("./security-posture.js") : null;
}

export const Nav = () => html`<${Parts} view="security" label="Security" parts=${[
  ["", "Events"], ["blocked", "Blocked addresses"], ["limits", "Limits"], ["posture", "Posture"], ["csp", "CSP reports"],
]}/>`;

function Counters({ told }) {
  const names = [...new Set([...COUNTED, ...Object.keys(told.counts)])];
  return html`<ul class="counters" aria-label=${`Events in ${chosenWindow()}`}>${names.map((name) => html`<li key=${name}>
    <a href=${to("security", [], { kind: name })} aria-current=${here().query.get("kind") === name ? "true" : undefined}>
      <b>${brief(told.counts[name] || 0)}</b> <span>${KINDS[name] || name}</span></a></li>`)}</ul>`;
}

const GROUPS = [
  ["attacks", "c4", ["sqli", "xss", "injection", "banned"]],
  ["limited", "c1", ["rate_limited", "too_large", "bad_request"]],
  ["keys and sign-ins", "c3", ["bad_key", "sign_in_failed"]],
];

// A point for each step of the window, since the API leaves out those in which nothing was.
function filled({ points, step, windowSeconds }) {
  const wide = Math.max(step, Math.ceil(windowSeconds / step / 90) * step) * 1000; // no more than 90 bars
  const last = Math.floor(Date.parse(state.meta.time) / wide) * wide;
  const sums = new Map();
  for (const each of points) {
    const start = Math.floor(each.atMs / wide) * wide;
    const sum = sums.get(start) || {};
    for (const [kind, n] of Object.entries(each.counts)) sum[kind] = (sum[kind] || 0) + n;
    sums.set(start, sum);
  }
  const many = Math.ceil((windowSeconds * 1000) / wide);
  return [...Array(many).keys()].map((n) => last - (many - 1 - n) * wide)
    .map((atMs) => ({ atMs, at: new Date(atMs).toISOString(), counts: sums.get(atMs) || {}, partial: atMs === last }));
}

function Over({ told }) {
  const others = (each) => Object.entries(each.counts).reduce((sum, [kind, n]) => sum + (GROUPS.some(([, , kinds]) => kinds.includes(kind)) ? 0 : n), 0);
  const series = [...GROUPS.map(([name, kind, kinds]) => ({ name, kind, of: (each) => kinds.reduce((sum, one) => sum + (each.counts[one] || 0), 0) })),
    { name: "others", kind: "c2", of: others }];
  return html`<${Chart} title="Events" hint=${`in ${chosenWindow()}`} stacked=${true} counts=${true} format=${brief} least=${1} points=${filled(told)} series=${series}/>`;
}

const choose = (name) => (event) => {
  event.preventDefault();
  location.hash = turned({ [name]: event.target.value.trim() });
};

const Filters = () => html`<form class="row filters" onSubmit=${(event) => event.preventDefault()}>
  <label class="field">Kind <select onChange=${choose("kind")}>
    ${[["", "All"], ...Object.entries(KINDS)].map(([value, text]) => html`<option value=${value} selected=${value === (here().query.get("kind") || "")}>${text}</option>`)}</select></label>
  <label class="field">Address <input type="search" maxlength="64" spellcheck="false" autocomplete="off" placeholder="192.0.2.7" value=${here().query.get("client") || ""} onChange=${choose("client")}/></label>
</form>`;

const DAY = 86_400_000; // milliseconds

const recent = (at) => (Date.parse(state.meta.time) - Date.parse(at) < DAY ? time : date)(at); // by the second while that tells bursts apart

const Event = ({ item }) => html`<li key=${item.id}><details><summary>
    <time class="soft" datetime=${item.at} title=${exact(item.at)}>${recent(item.at)}</time> <span class=${`chip ${item.severity === "high" || item.severity === "critical" ? "bad" : ""}`}>${KINDS[item.kind] || item.kind}</span> <code>${item.client || "–"}</code> <span class="path"><code>${item.method} ${item.path}</code></span>${item.times > 1 && html` <span class="chip">× ${brief(item.times)}</span>`}</summary>
  <dl class="pairs">
    <dt>Detail</dt><dd>${orNone(item.detail)}</dd><dt>Action</dt><dd>${item.action}${item.status ? `, answered ${item.status}` : ""}</dd>
    <dt>Layer</dt><dd>${orNone(item.layer)}</dd><dt>Severity</dt><dd>${item.severity}</dd><dt>Request</dt><dd><${Request} id=${item.request_id}/></dd>
    <dt>Address</dt><dd>${item.client ? html`<a href=${to("security", [], { client: item.client })}>all of ${item.client}</a>, <a href=${to("security", ["blocked"], { address: item.client })}>block it</a>` : "–"}</dd></dl>
  </details></li>`;

// The newest are asked for again and again; older ones once, when somebody wants them.
class Feed extends Component {
  state = { older: [], next: undefined, failed: "" };

  more = async (cursor) => {
    try {
      const told = await get(events(cursor));
      this.setState((was) => ({ older: [...was.older, ...told.items], next: told.nextCursor, failed: "" }));
    } catch (error) {
      this.setState({ failed: error.message });
    }
  };

  render({ told }, { older, next, failed }) {
    const seen = new Set(told.items.map((item) => item.id));
    const items = [...told.items, ...older.filter((item) => !seen.has(item.id))];
    const cursor = next === undefined ? told.nextCursor : next;
    if (!items.length) return html`<${Empty} title="No such event.">The newest 5,000 of the last 7 days are kept.<//>`;
    return html`<ul class="errors events">${items.map((item) => html`<${Event} key=${item.id} item=${item}/>`)}</ul>
      <div class="row">${cursor && html`<button type="button" class="button" onClick=${() => this.more(cursor)}>Older events</button>`}
        <span class="soft">${plural(items.length, "event")} shown</span><span class="said" role="status">${failed}</span></div>`;
  }
}

export const View = () => html`<${Nav}/>
  ${down() && html`<${Old} at=${state.more[counts()]?.meta?.time}/>`}
  <div class=${down() ? "old" : ""}>
    <${Part} path=${counts()} tall="rows">${(told) => html`<${Counters} told=${told}/><${Over} told=${told}/>`}<//>
    <section class="more"><h3>What happened</h3><${Filters}/>
      <${Part} path=${events()} tall="rows">${(told) => html`<${Feed} key=${events()} told=${told}/>`}<//></section>
  </div>`;
