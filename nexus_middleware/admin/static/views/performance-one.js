// All that is known of one endpoint, and of one request.
import { count, date, html, ms, percent } from "../base.js";
import { may, state } from "../live.js";
import { Empty, Fact, Table } from "../parts.js";
import { here, to, windowed } from "../router.js";
import { Histogram } from "./charts.js";
import { Decided } from "./decision.js";
import { Own, Part } from "./part.js";
import { Errors, Slow } from "./performance-lists.js";
import { Nav, within } from "./performance.js";

const id = () => here().parts[1] || "";
const SLOW = "api/performance/slow?limit=200";
const ERRORS = "api/performance/errors";

const endpoint = () => windowed(`api/performance/endpoint?endpoint=${encodeURIComponent(id())}`);
const jobs = () => `api/requests/${encodeURIComponent(id())}/jobs`;
const decided = () => `api/decisions?request=${encodeURIComponent(id())}`;
const lines = () => `api/logs?request=${encodeURIComponent(id())}`;

export function paths() {
  if (!id()) return [];
  if (here().parts[0] === "endpoint") return [endpoint()];
  return [decided(), SLOW, ERRORS, ...(state.services.queues === "disabled" ? [] : [jobs()]), ...(may("logs:read") ? [lines()] : [])];
}

const Endpoint = ({ told }) => html`<${Own} told=${told}/>
  ${!told.count ? html`<${Empty} title="Nobody asked for it in this window.">Choose a longer window above.<//>` : html`
  <dl class="facts">
    <${Fact} name="Requests" value=${count(told.count)} note=${Object.entries(told.statuses).map(([name, n]) => `${name} ${count(n)}`).join(" · ")}/>
    <${Fact} name="Average" value=${ms(told.avg)} note=${`longest ${ms(told.max)}`}/>
    <${Fact} name="p50" value=${`≈ ${ms(within(told.p50, told))}`} note=${`first byte ${ms(told.firstByte.p50)}`}/>
    <${Fact} name="p95" value=${`≈ ${ms(within(told.p95, told))}`} note=${`first byte ${ms(told.firstByte.p95)}`}/>
    <${Fact} name="p99" value=${`≈ ${ms(within(told.p99, told))}`} note=${`${count(told.slow)} of a second or more`}/>
    <${Fact} name="Errors" value=${percent((100 * told.errors) / told.count)} note=${`${count(told.errors)} answers with 5xx`}/>
  </dl>
  <div class="charts"><${Histogram} title="To the last byte" buckets=${told.histogram} format=${ms}/>
    <${Histogram} title="To the first byte" buckets=${told.firstHistogram} format=${ms}/></div>`}
  ${told.slowest?.length > 0 && html`<section class="more"><h3>Slowest requests <small>of the last that took a second or more</small></h3>
    <${Slow} items=${told.slowest.map(dated).sort((a, b) => b.ms - a.ms)}/></section>`}`;

const dated = (item) => (typeof item.at === "number" ? { ...item, at: new Date(item.at * 1000).toISOString() } : item);

const Jobs = ({ items }) => (items.length === 0 ? html`<p class="soft">It queued no job that is still kept.</p>`
  : html`<${Table} caption="Jobs of the request" heads=${["Job", "Queue", "State", "#Attempts"]}>
    ${items.map((job) => html`<tr key=${job.id}><th scope="row"><a href=${to("queues", [job.queue, "jobs", job.id])}>${job.name}</a></th>
      <td>${job.queue}</td><td>${job.state}</td><td class="number">${count(job.attempts?.length)}</td></tr>`)}<//>`);

const Lines = ({ told }) => (told.state === "disabled" ? html`<p class="soft">No log files are kept: NEXUS_LOG_DIR says where.</p>`
  : told.items.length === 0 ? html`<p class="soft">The newest files hold no line of it.</p>`
    : html`<ol class="lines plain">${[...told.items].reverse().map((line, n) => html`<li key=${n}><span class="soft">${date(line.at)}</span> <b>${line.level}</b> ${line.kind === "request" ? `${line.method} ${line.path} ${line.status}, ${ms(line.ms)}` : line.event}</li>`)}</ol>`);

const Decisions = () => html`<${Part} path=${decided()}>${({ items: [record] }) => (!record
  ? html`<p class="soft">Nothing refused it, and it was not in the sample that NEXUS_DECISION_SAMPLE keeps; or it is more than a day ago.</p>`
  : html`<p><span class=${`chip ${record.outcome === "refused" ? "bad" : ""}`}>${record.outcome}</span> ${date(record.at)}
    ${" "}<code>${record.method} ${record.path}</code> of <code>${record.client}</code>, answered ${record.status}.</p><${Decided} record=${record}/>`)}<//>`;

function Asked() {
  const mine = (items) => items.filter((item) => item.requestId === id());
  return html`<section><h3>Decisions <small>of each layer</small></h3><${Decisions}/></section>
    <section class="more"><h3>The request</h3><${Part} path=${SLOW}>${({ items }) => (mine(items).length
      ? html`<${Slow} items=${mine(items)}/>` : html`<p class="soft">It was not slow, or so long ago that it is not kept.</p>`)}<//></section>
    <section class="more"><h3>Exceptions <small>of which it was the first</small></h3><${Part} path=${ERRORS}>${({ items }) => (mine(items).length
      ? html`<${Errors} items=${mine(items)}/>` : html`<p class="soft">None.</p>`)}<//></section>
    ${paths().includes(jobs()) && html`<section class="more"><h3>Jobs <small>and those that they queued</small></h3><${Part} path=${jobs()}>${({ items }) => html`<${Jobs} items=${items}/>`}<//></section>`}
    ${may("logs:read") && html`<section class="more"><h3>Lines of the log</h3><${Part} path=${lines()}>${(told) => html`<${Lines} told=${told}/>`}<//></section>`}`;
}

export function View() {
  const one = here().parts[0] === "endpoint";
  return html`<${Nav}/><h3 class="title"><a href=${to("performance", one ? [] : ["slow"])}>${one ? "Endpoints" : "Requests"}</a> › <code>${id()}</code></h3>
    ${one ? html`<${Part} path=${endpoint()} tall="charts">${(told) => html`<${Endpoint} told=${told}/>`}<//>` : html`<${Asked}/>`}`;
}
