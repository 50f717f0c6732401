// What jobs have calculated of users, events and revenue: one metric over time, or the newest of each.
import { count, date, html, NONE, percent } from "../base.js";
import { state } from "../live.js";
import { Bar, Empty, Table } from "../parts.js";
import { here, to, turned } from "../router.js";
import { Down, Told } from "./pieces.js";
import { QueueWays } from "./queues.js";

const UNITS = { day: "Days", week: "Weeks", month: "Months" };
const SINCE = { 35: "5 weeks", 100: "3 months", 400: "13 months" }; // days
const FIRST = 8; // parts of a value that are shown at once

const asked = (name) => here().query.get(name) || "";
const days = () => (SINCE[asked("since")] ? asked("since") : "100");
const since = () => new Date(Date.parse(state.meta.time.slice(0, 10)) - days() * 86_400_000).toISOString().slice(0, 10);
const results = () => `api/analytics?since=${since()}`;
const sheet = () => `${results()}&format=csv${asked("metric") ? `&metric=${encodeURIComponent(asked("metric"))}` : ""}`;

export const paths = () => (state.services.queues === "disabled" ? [] : [results()]);

const unitOf = (period) => (period.includes("W") ? "week" : period.length > 7 ? "day" : "month");

// A value of several parts, as [name, number]; as in the CSV.
function partsOf(value, name = "") {
  if (value === null || typeof value !== "object") return [[name, value]];
  const list = Array.isArray(value);
  return Object.entries(value).flatMap(([key, inner]) => partsOf(inner, [name, list ? Number(key) + 1 : key].filter((part) => part !== "").join(".")));
}

function shown(value, metric) {
  if (typeof value !== "number") return value === null ? NONE : String(value);
  if (metric.startsWith("conversion.")) return percent(value * 100);
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
}

const Parts = ({ parts, metric }) => html`<ul class="values">${parts.map(([name, value]) => html`<li key=${name}>${name && html`<span class="soft">${name}</span> `}<b>${shown(value, metric)}</b></li>`)}</ul>`;

function Value({ value, metric }) {
  const parts = partsOf(value);
  if (!parts.length) return NONE;
  return parts.length <= FIRST ? html`<${Parts} parts=${parts} metric=${metric}/>`
    : html`<${Parts} parts=${parts.slice(0, FIRST)} metric=${metric}/><details><summary>${count(parts.length - FIRST)} more</summary><${Parts} parts=${parts.slice(FIRST)} metric=${metric}/></details>`;
}

const Choice = ({ name, label, value, options }) => html`<label class="field">${label} <select onChange=${(event) => { location.hash = turned({ [name]: event.target.value }); }}>
  ${options.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}</select></label>`;

// One metric over time, with bars where it is one number.
function Series({ metric, items }) {
  const numbers = items.filter((item) => typeof item.value === "number");
  const most = Math.max(...numbers.map((item) => Math.abs(item.value)), 0);
  return html`<${Table} caption=${`${metric} over time`} heads=${["Period", "Value", ...(most ? [""] : []), "Calculated"]}>
    ${items.map((item) => html`<tr key=${item.period}><th scope="row">${item.period}</th><td class="text"><${Value} value=${item.value} metric=${metric}/></td>
      ${most > 0 && html`<td class="wide"><${Bar} share=${typeof item.value === "number" ? Math.abs(item.value) / most : 0} label=${`${shown(item.value, metric)} of at most ${shown(most, metric)}`}/></td>`}
      <td>${date(item.at)}</td></tr>`)}<//>`;
}

const Newest = ({ names, items }) => html`<${Table} caption="The newest of each metric" heads=${["Metric", "Value", "Calculated"]}>
  ${names.map((name) => [name, items.find((item) => item.metric === name)]).map(([name, item]) => html`<tr key=${name}>
    <th scope="row"><a href=${to("queues", ["results"], { unit: asked("unit"), since: asked("since"), metric: name })}>${name}</a><small class="soft">${item.period}</small></th>
    <td class="text"><${Value} value=${item.value} metric=${name}/></td><td>${date(item.at)}</td></tr>`)}<//>`;

function Shown({ items }) {
  if (!items.length) {
    return html`<${Empty} title="Nothing was calculated of this time.">Jobs calculate what <code>nexus.runtime.analytics.record</code> has counted, and the
      subscriptions that your app gives: schedule them with <code>nexus.queues.schedule_recurring_jobs()</code>, and start <code>nexus worker</code>.<//>`;
  }
  const units = Object.keys(UNITS).filter((unit) => items.some((item) => unitOf(item.period) === unit));
  const unit = units.includes(asked("unit")) ? asked("unit") : units[0];
  const newest = items.filter((item) => unitOf(item.period) === unit).reverse();
  const names = [...new Set(newest.map((item) => item.metric))].sort();
  const metric = names.includes(asked("metric")) ? asked("metric") : "";
  return html`<div class="between"><div class="row">
      <${Choice} name="metric" label="Metric" value=${metric} options=${[["", "All, the newest of each"], ...names.map((name) => [name, name])]}/>
      <${Choice} name="unit" label="By" value=${unit} options=${units.map((each) => [each, UNITS[each]])}/>
      <${Choice} name="since" label="Of the last" value=${days()} options=${Object.entries(SINCE)}/></div>
    <a class="button" href=${sheet()} download>CSV by parts</a></div>
    ${metric ? html`<${Series} metric=${metric} items=${newest.filter((item) => item.metric === metric)}/>` : html`<${Newest} names=${names} items=${newest}/>`}
    <p class="soft">Amounts are in the currency's smallest unit, such as cents. Periods are those of NEXUS_ZONE, and results are kept for 400 days.</p>`;
}

export const View = () => html`<${QueueWays} now="results"/><${Down}/>
  ${paths().length ? html`<${Told} path=${results()} as="results" draw=${(told) => html`<${Shown} items=${told.items}/>`}/>`
    : html`<${Empty} title="No results are kept.">They are calculated by jobs, which are kept in Redis: set <code>NEXUS_STORE</code> to its URL.<//>`}`;
