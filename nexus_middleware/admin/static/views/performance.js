// What was measured: charts over the window, and the endpoints by the time they took.
import { brief, count, decimal, html, mib, ms, percent, plural, time } from "../base.js";
import { state } from "../live.js";
import { Bar, Empty, Fact, Status, Table } from "../parts.js";
import { here, to, windowed } from "../router.js";
import { Chart } from "./charts.js";
import { Own, Part, Parts, Sorted } from "./part.js";

const series = () => windowed("api/performance/series", { process: true });
const endpoints = () => windowed("api/performance/endpoints");

export const paths = () => [series(), endpoints()];

const ONE = ["endpoint", "request"];

// Addresses below this one have modules of their own.
export async function at({ parts: [part] }) {
  if (!part) return null;
  return ONE.includes(part) ? import("./performance-one.js") : import("./performance-lists.js");
}

export const Nav = () => html`<${Parts} view="performance" label="Performance" parts=${[
  ["", "Overview"], ["slow", "Slow requests"], ["queries", "Queries"], ["timers", "Timers"], ["calls", "Calls"],
  ["connections", "Connections"], ["errors", "Errors"],
]}/>`;

const CLASSES = [["2xx", "c1"], ["3xx", "c2"], ["4xx", "c3"], ["5xx", "c4"]];

function Charts({ told }) {
  const { points, deploys, step } = told;
  const common = { points, marks: deploys };
  const rate = (name) => (each) => (each.statuses[name] || 0) / step;
  const value = (name) => (each) => each[name];
  return html`<${Own} told=${told}/>
    <div class="charts">
      <${Chart} ...${common} title="Requests" hint="a second, by status" stacked=${true} format=${decimal} axis=${brief0}
        series=${CLASSES.map(([name, kind]) => ({ name, kind, of: rate(name) }))}/>
      <${Chart} ...${common} title="Response time" hint="logarithmic" log=${true} format=${ms} axis=${tick}
        series=${[["p50", "c1"], ["p95", "c3"], ["p99", "c4"]].map(([name, kind]) => ({ name, kind, of: value(name) }))}/>
      <${Chart} ...${common} title="Memory" hint="resident, all processes" format=${mib} series=${[{ name: "RSS", kind: "c1", of: value("rssMB") }]}/>
      <${Chart} ...${common} title="Processor" hint="of the usable cores" format=${percent} most=${busiest(points)} series=${[{ name: "CPU", kind: "c1", of: value("cpu") }]}/>
      <${Chart} ...${common} title="Event loop" hint="how late it is, logarithmic" log=${true} format=${ms} axis=${tick} series=${[{ name: "lag p95", kind: "c1", of: value("lagP95") }]}/>
      <${Chart} ...${common} title="Database" hint="a query, logarithmic" log=${true} format=${ms} axis=${tick}
        series=${[{ name: "average", kind: "c1", of: value("dbAvg") }, { name: "p95", kind: "c3", of: value("dbP95") }]}/>
    </div>
    <p class="soft">A point is ${step < 120 ? `${step} s` : `${step / 60} min`}; the newest is dashed, since its time is not over.
      ${deploys.length > 0 && html` Releases: ${deploys.map((mark) => html`<span class="chip">▼ ${mark.release} · ${time(mark.at)}</span> `)}`}</p>`;
}

// On an axis: 500 ms, and 1 s rather than 1,000 ms.
const tick = (value) => (value >= 1000 ? `${value / 1000} s` : `${value} ms`);
const brief0 = (value) => (value >= 1000 ? brief(value) : decimal(value));
const busiest = (points) => Math.max(...points.map((each) => each.cpu || 0), 10);

// A percentile is the middle of its bucket, which the longest of all may fall short of.
export const within = (value, row) => (value > row.max ? row.max : value);

const COLUMNS = [
  ["endpoint", "Endpoint", (row) => html`<a href=${to("performance", ["endpoint", row.endpoint])}><code>${row.endpoint}</code></a>`],
  ["totalMs", "Share of time", (row) => html`<div class="share"><${Bar} share=${row.share} label=${percent(row.share * 100)}/></div>`, (row) => row.totalMs],
  ["count", "Requests", (row) => count(row.count), (row) => row.count],
  ["p50", "p50", (row) => ms(within(row.p50, row)), (row) => row.p50],
  ["p95", "p95", (row) => ms(within(row.p95, row)), (row) => row.p95],
  ["p99", "p99", (row) => ms(within(row.p99, row)), (row) => row.p99],
  ["max", "Longest", (row) => ms(row.max), (row) => row.max],
  ["slow", "Slow", (row) => count(row.slow), (row) => row.slow],
  ["errors", "Errors", (row) => (row.errors ? html`<b class="bad">${percent((100 * row.errors) / row.count)}</b>` : "0 %"), (row) => row.errors / (row.count || 1)],
];

function Endpoints({ items }) {
  if (!items.length) return html`<${Empty} title="Nothing was measured yet.">Requests to the app are measured as they come; those to this page are not.<//>`;
  return html`<section class="more"><h3>Endpoints <small>${here().query.get("process") ? "of all processes; click a heading to sort" : "click a heading to sort"}</small></h3>
    <${Sorted} caption="Endpoints" columns=${COLUMNS} rows=${items} id=${(row) => row.endpoint} usual="totalMs"/></section>`;
}

const Checks = () => html`<section class="more"><h3>Checks</h3><${Table} caption="Checks" heads=${["Check", "Status"]}>
  ${state.health.checks.map((check) => html`<tr key=${check.name}><th scope="row">${check.text}</th><td><${Status} of=${check.status}/></td></tr>`)}<//></section>`;

export function View() {
  const { api, database } = state.health;
  const minutes = Math.round((api.windowSeconds || 300) / 60);
  return html`<${Nav}/>
    <dl class="facts">
      <${Fact} name="Requests per second" value=${decimal(api.requestsPerSecond)} note=${`over ${minutes} min`}/>
      <${Fact} name="Response time" value=${`≈ ${ms(api.p95)}`} note=${`for 95 %; half within ${ms(api.p50)}`}/>
      <${Fact} name="Error rate" value=${percent(api.errorRate)} note=${api.errorRate === null ? "too few requests to tell" : "answers with 5xx"}/>
      <${Fact} name="Requests" value=${brief(api.requestCount)} note="in all"/>
      <${Fact} name="Queries" value=${brief(database.queryCount)} note=${`${ms(database.avgQueryTime)} on average, ${plural(database.slowCount, "slow one")}`}/>
    </dl>
    <${Part} path=${series()} tall="charts">${(told) => html`<${Charts} told=${told}/>`}<//>
    <${Part} path=${endpoints()}>${(told) => html`<${Endpoints} items=${told.items}/>`}<//>
    <${Checks}/>`;
}
