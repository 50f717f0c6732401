// Lists of what was measured: slow requests, queries, timers, calls, connections, errors.
import { count, date, html, ms, percent, plural } from "../base.js";
import { Bar, Empty, Table } from "../parts.js";
import { here, to, windowed } from "../router.js";
import { Own, Part, Request, Sorted } from "./part.js";
import { Nav, within } from "./performance.js";

const LISTS = {
  slow: { path: () => "api/performance/slow", Shown: Slow, empty: ["No request was slow.", "Requests of a second or more are listed here, the last 100 of them."] },
  queries: { path: () => windowed("api/performance/queries"), Shown: Queries, empty: ["No query was measured.", "nexus.monitor.instrument_sqlalchemy and its like tell of queries, or monitor.track_db(query, ms)."] },
  timers: { path: () => windowed("api/performance/timers"), Shown: Timed, empty: ["No timer ran.", "monitor.measure(name, fn) and PerformanceTimer(name) time what you like."] },
  calls: { path: () => windowed("api/performance/calls"), Shown: Timed, empty: ["No call was measured.", "Calls to other services are measured once httpx is instrumented."] },
  connections: { path: () => windowed("api/performance/connections"), Shown: Connections, empty: ["No websocket and no stream was open.", "They have no response time, so they stand here and not among the endpoints."] },
  errors: { path: () => "api/performance/errors", Shown: Errors, empty: ["No exception was raised.", "Those that the app lets through are grouped by type and line."] },
};

const list = () => LISTS[here().parts[0]] || LISTS.slow;

export const paths = () => [list().path()];

const share = ["totalMs", "Share of time", (row) => html`<div class="share"><${Bar} share=${row.share} label=${percent(row.share * 100)}/></div>`, (row) => row.totalMs];
const times = [
  share,
  ["count", "Count", (row) => count(row.count), (row) => row.count],
  ["avg", "Average", (row) => ms(row.avg), (row) => row.avg],
  ["p95", "p95", (row) => ms(within(row.p95, row)), (row) => row.p95],
  ["max", "Longest", (row) => ms(row.max), (row) => row.max],
];

export function Slow({ items }) {
  return html`<${Table} caption="Slow requests" heads=${["When", "Request", "#Status", "#Took", "#Database", "Client", "Request id"]}>
    ${items.map((item, n) => html`<tr key=${item.requestId || n}><th scope="row" class="plain">${date(item.at)}</th>
      <td class="text"><a href=${to("performance", ["endpoint", `${item.method} ${item.route}`])}><code>${item.method} ${item.route}</code></a></td>
      <td class="number ${item.status >= 500 ? "bad" : ""}">${item.status}</td><td class="number strong">${ms(item.ms)}</td>
      <td class="number">${item.dbCount ? `${ms(item.dbMs)} in ${count(item.dbCount)}` : "–"}</td><td><code>${item.client}</code></td><td><${Request} id=${item.requestId}/></td></tr>`)}<//>`;
}

const Query = ({ row }) => html`<code>${row.query}</code>${row.repeated.map((each) => html`<div class="nplus" key=${each.endpoint}><span class="chip bad">N+1</span>
  up to ${count(each.most)} times in one <a href=${to("performance", ["endpoint", each.endpoint])}><code>${each.endpoint}</code></a>, ${plural(each.requests, "request")}</div>`)}`;

function Queries({ items }) {
  return html`<${Sorted} caption="Queries" columns=${[["query", "Query, without values", (row) => html`<${Query} row=${row}/>`], ...times,
    ["slow", "Slow", (row) => count(row.slow), (row) => row.slow]]} rows=${items} id=${(row) => row.query} usual="totalMs"/>`;
}

function Timed({ items }) {
  return html`<${Sorted} caption="By name" columns=${[["name", "Name", (row) => html`<code>${row.name}</code>`], ...times,
    ["errors", "Errors", (row) => count(row.errors), (row) => row.errors]]} rows=${items} id=${(row) => row.name} usual="totalMs"/>`;
}

function Connections({ items }) {
  return html`<${Sorted} caption="Connections" columns=${[["name", "Endpoint", (row) => html`<code>${row.name}</code> <span class="chip">${row.kind}</span>`],
    ["count", "Count", (row) => count(row.count), (row) => row.count], ["avg", "Lasted on average", (row) => ms(row.avg), (row) => row.avg],
    ["max", "Longest", (row) => ms(row.max), (row) => row.max]]} rows=${items} id=${(row) => row.kind + row.name} usual="count"/>`;
}

export function Errors({ items }) {
  return html`<ul class="errors">${items.map((item) => html`<li key=${item.id}><details>
    <summary><b>${item.type}</b> <span class="chip bad">${plural(item.count, "time")}</span> <span class="soft">${item.where} · last ${date(item.last)}</span></summary>
    <p>${item.message || "No message."}</p>
    <p class="soft">First ${date(item.first)}${item.endpoint && html` in <code>${item.endpoint}</code>`}, request <${Request} id=${item.requestId}/>.</p>
    ${item.traceback && html`<pre tabindex="0" aria-label=${`Traceback of ${item.type}`}>${item.traceback}</pre>`}</details></li>`)}</ul>`;
}

export function View() {
  const { path, Shown, empty: [title, text] } = list();
  return html`<${Nav}/><${Part} path=${path()} tall="rows">${(told) => html`<${Own} told=${told}/>
    ${told.items.length ? html`<${Shown} items=${told.items}/>` : html`<${Empty} title=${title}>${text}<//>`}`}<//>`;
}
