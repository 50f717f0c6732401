// What was measured: response times, checks, and what took the most time.
import { brief, count, decimal, html, ms, percent } from "../base.js";
import { state } from "../live.js";
import { Bar, Empty, Fact, Status, Table } from "../parts.js";
import { windowed } from "../router.js";

const path = () => windowed("api/performance");

export const paths = () => [path()];

const level = (value, degraded, unhealthy) => (value >= unhealthy ? "bad" : value >= degraded ? "warn" : "ok");
const share = (value) => Math.log10(1 + value) / 4; // 10 s fill the bar

const Latency = ({ name, value }) => html`<tr>
  <th scope="row">${name}</th>
  <td class="wide"><${Bar} share=${share(value || 0)} kind=${level(value, 1000, 5000)} label=${`${name} ${ms(value)}`}/></td>
  <td class="number">${value === null ? "–" : `≈ ${ms(value)}`}</td></tr>`;

export function View() {
  const { api, database, checks } = state.health;
  const minutes = Math.round((api.windowSeconds || 300) / 60);
  return html`
    <dl class="facts">
      <${Fact} name="Requests" value=${brief(api.requestCount)} note="in all"/>
      <${Fact} name="Requests per second" value=${decimal(api.requestsPerSecond)} note=${`over ${minutes} min`}/>
      <${Fact} name="Error rate" value=${percent(api.errorRate)} note=${api.errorRate === null ? "too few requests to tell" : "answers with 5xx"}/>
      <${Fact} name="Queries" value=${brief(database.queryCount)} note=${`${ms(database.avgQueryTime)} on average`}/>
      <${Fact} name="Slow queries" value=${count(database.slowCount)} note=${`95 % within ${ms(database.p95)}`}/>
    </dl>
    <div class="halves">
      <section><h3>Response time <small>${minutes} min, logarithmic</small></h3>
        <${Table} caption="Response time" heads=${["Share of requests", "", "#Within"]}>
          <${Latency} name="50 %" value=${api.p50}/><${Latency} name="95 %" value=${api.p95}/><${Latency} name="99 %" value=${api.p99}/>
        <//></section>
      <section><h3>Checks</h3>
        <${Table} caption="Checks" heads=${["Check", "Status"]}>
          ${checks.map((check) => html`<tr key=${check.name}><th scope="row">${check.text}</th><td><${Status} of=${check.status}/></td></tr>`)}
        <//></section>
    </div>
    <${Heaviest}/>`;
}

const Rows = ({ title, rows, name }) => html`<section class="more"><h3>${title} <small>by total time</small></h3>
  <${Table} caption=${title} heads=${[name, "Share of time", "#Count", "#Average", "#Longest", "#Slow", "#Errors"]}>
    ${rows.map((row) => html`<tr key=${row.endpoint || row.query}>
      <th scope="row" class="label"><code>${row.endpoint || row.query}</code></th>
      <td class="share"><${Bar} share=${row.share} label=${percent(row.share * 100)}/></td>
      <td class="number">${count(row.count)}</td><td class="number">${ms(row.avg)}</td><td class="number">${ms(row.max)}</td>
      <td class="number">${count(row.slow)}</td><td class="number ${row.errors ? "bad" : ""}">${count(row.errors)}</td></tr>`)}
  <//></section>`;

function Heaviest() {
  const found = state.more[path()];
  if (!found) return html`<p class="soft" aria-busy="true">Loading …</p>`;
  if (!found.endpoints.length && !found.queries.length) {
    return html`<${Empty} title="Nothing was measured yet.">Requests to the app are measured as they come; those to this page are not.<//>`;
  }
  return html`${found.endpoints.length > 0 && html`<${Rows} title="Endpoints" name="Endpoint" rows=${found.endpoints}/>`}
    ${found.queries.length > 0 && html`<${Rows} title="Queries" name="Query" rows=${found.queries}/>`}`;
}
