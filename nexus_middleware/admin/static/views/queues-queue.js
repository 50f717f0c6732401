// One queue: its jobs by state, how it went, and what may be done to many jobs at once.
import { count, decimal, html, lasting, ms, plural } from "../base.js";
import { act, set, state } from "../live.js";
import { ask, Button, Empty, Fact, Table, why } from "../parts.js";
import { here, to, turned, windowed } from "../router.js";
import { Chart, Histogram } from "./charts.js";
import { Ago, between, Down, Pages, Search, span, Told } from "./pieces.js";
import { QueueState, QueueWays, toState, Tools } from "./queues.js";

const STATES = ["waiting", "active", "delayed", "failed", "completed", "deferred", "canceled"];
const WHY_EMPTY = {
  waiting: "Jobs that are queued wait here until a worker takes them.",
  active: "No job runs at this moment.",
  delayed: "Jobs that are due later, and retries, wait here.",
  failed: "No job has failed. The last 500 are kept.",
  completed: "The last 100 are kept.",
  deferred: "Jobs that wait for others are listed here.",
  canceled: "Jobs that somebody canceled are listed here.",
};
const LIMIT = 25;

const queue = () => here().parts[0];
const shown = () => (STATES.includes(here().query.get("state")) ? here().query.get("state") : "waiting");
const at = () => `api/queues/${encodeURIComponent(queue())}`;

function list() {
  const { query } = here();
  const asked = new URLSearchParams({ state: shown(), limit: LIMIT });
  for (const name of ["q", "cursor"]) if (query.get(name)) asked.set(name, query.get(name));
  return `${at()}/jobs?${asked}`;
}

const history = () => windowed(`${at()}/history`);

export const paths = () => [list(), history()];

// --- what was selected: it stays over a refresh, and goes with the list

const chosen = { of: "", ids: new Set() };

function selected(items) {
  const of = `${queue()} ${shown()}`;
  if (chosen.of !== of) Object.assign(chosen, { of, ids: new Set() });
  return items.filter((job) => chosen.ids.has(job.id)).map((job) => job.id);
}

const select = (ids, on) => {
  ids.forEach((id) => (on ? chosen.ids.add(id) : chosen.ids.delete(id)));
  set({});
};

async function bulk(action, ids, word) {
  await act("POST", "api/jobs:bulk", { action, ids }, (said) => `${plural(said.count, "job")} ${word}.`);
  select(ids, false);
}

const erase = (ids) => ask({
  title: `Delete ${plural(ids.length, "job")} of ${queue()}?`,
  effect: "Their payloads, results and errors go with them. One that runs stays: cancel it first. This cannot be undone.",
  verb: `Delete ${plural(ids.length, "job")}`,
  does: () => bulk("delete", ids, "deleted"),
});

function Selection({ items }) {
  const ids = selected(items);
  const can = ids.length ? "" : "Select jobs first";
  const again = ["failed", "canceled"].includes(shown());
  return html`<div class="row selection" role="group" aria-label="Selected jobs">
    <span class="soft">${ids.length ? `${count(ids.length)} selected` : "None selected"}</span>
    ${again && html`<${Button} why=${can || why("queues:retry")} does=${() => bulk("retry", ids, "put back")}>Retry selected<//>`}
    <${Button} kind="danger" why=${can || why("queues:delete")} does=${() => erase(ids)}>Delete selected …<//></div>`;
}

// --- the jobs

const when = (job) => job.endedAt || job.startedAt || job.enqueuedAt || job.createdAt;

const Note = ({ job }) => {
  if (job.error && job.state !== "completed") return html`<span class="clip" title=${job.error}>${job.error}</span>`;
  if (job.progress) return `${count(job.progress.done)} of ${count(job.progress.total)} ${job.progress.note || ""}`;
  return job.worker ? html`<span class="soft clip">${job.worker}</span>` : "–";
};

const Job = ({ job }) => html`<tr class=${chosen.ids.has(job.id) ? "chosen" : ""}>
  <th scope="row"><span class="pick"><input type="checkbox" aria-label=${`Select ${job.name} ${job.id}`} checked=${chosen.ids.has(job.id)}
      onChange=${(event) => select([job.id], event.target.checked)}/>
    <span><a href=${to("queues", [job.queue, "jobs", job.id])}>${job.name}</a><small class="soft mono">${job.id}</small></span></span></th>
  <td class="number">${job.attempt} of ${job.attempts}</td>
  <td class="number"><${Ago} at=${when(job)}/></td>
  <td class="number">${span(job.startedAt ? between(job.startedAt, job.endedAt) : null)}</td>
  <td class="text"><${Note} job=${job}/></td></tr>`;

function Jobs({ told }) {
  const { query } = here();
  const { items } = told;
  const found = query.get("q") ? `${plural(items.length, "job")} found` : `${plural(told.total, "job")} in all`;
  const what = told.totalExact ? found : `${found} among the newest 1,000`;
  if (!items.length) {
    return html`<${Empty} title=${query.get("q") ? `No ${shown()} job has that.` : `No ${shown()} jobs.`}>
      ${query.get("q") ? "Names, ids and payloads of the newest 1,000 were searched." : WHY_EMPTY[shown()]}<//>
      ${query.get("cursor") && html`<${Pages} first=${true} what=""/>`}`;
  }
  const ids = items.map((job) => job.id);
  const all = ids.every((id) => chosen.ids.has(id));
  return html`<div class="between"><${Selection} items=${items}/>
      <label class="tick"><input type="checkbox" checked=${all} onChange=${() => select(ids, !all)}/> Select all on this page</label></div>
    <${Table} caption=${`${shown()} jobs of ${queue()}`} heads=${["Job", "#Attempt", "#When", "#Ran for", "Worker or error"]}>
      ${items.map((job) => html`<${Job} key=${job.id} job=${job}/>`)}<//>
    <${Pages} items=${items.length} next=${told.nextCursor} first=${query.get("cursor")} what=${what}/>`;
}

// --- how it went

const buckets = (counts) => Object.entries(counts).map(([number, many]) => [Number(number), many]).sort(([a], [b]) => a - b);

// The unit of an axis of lengths of time up to `longest` seconds, so that its steps are round: its name and its seconds.
const unitOf = (longest) => [["d", 86_400], ["h", 3600], ["min", 60]].find(([, seconds]) => longest >= 2 * seconds) || ["s", 1];

const ENDS = [["done", "c1"], ["failed", "c4"], ["retried", "c3"]];

function Went({ told }) {
  const points = told.points.map((point, n) => ({ ...point, atMs: point.at * 1000, at: new Date(point.at * 1000).toISOString(), partial: n === told.points.length - 1 }));
  const [unit, seconds] = unitOf(Math.max(...points.map((point) => point.oldestWaitSeconds || 0)));
  const age = (point) => (point.oldestWaitSeconds === null ? null : point.oldestWaitSeconds / seconds);
  const aged = (value) => lasting(value === null ? null : value * seconds);
  const within = (title, half, most) => (half === null ? title : `${title}: p50 ${ms(half)}, p95 ${ms(most)}`);
  return html`<div class="charts three">
    <${Chart} title=${`Ended by ${told.step === 60 ? "minute" : "hour"}`} hint=${`${decimal(told.throughputPerMinute)} a minute`} points=${points} stacked counts format=${count} least=${1}
      series=${ENDS.map(([name, kind]) => ({ name, kind, of: (point) => point[name] }))}/>
    <${Chart} title="Waiting" hint="the most at once" points=${points} format=${count} least=${1} series=${[{ name: "jobs", kind: "c1", of: (point) => point.waiting }]}/>
    <${Chart} title="Queue age" hint="of the oldest that waits" points=${points} format=${aged} axis=${(value) => `${decimal(value)} ${unit}`} least=${1} series=${[{ name: "oldest", kind: "c3", of: age }]}/>
  </div><div class="charts">
    <${Histogram} title=${within("Waited", told.waitP50, told.waitP95)} buckets=${buckets(told.wait)} format=${ms}/>
    <${Histogram} title=${within("Ran", told.runP50, told.runP95)} buckets=${buckets(told.run)} format=${ms}/>
  </div>`;
}

export function View() {
  const name = queue();
  const stats = state.last.queues?.stats?.[name];
  const which = shown();
  return html`<${QueueWays} now="queues"/>
    <${Down}/>
    <div class="title-row"><h3>${name}</h3>${stats && html`<${QueueState} queue=${stats}/><span class="tools"><${Tools} name=${name} queue=${stats}/></span>`}</div>
    ${stats && html`<dl class="facts">
      <${Fact} name="Oldest waits" value=${stats.waiting ? lasting(stats.oldestWaitSeconds) : "–"} note="since it was queued"/>
      <${Fact} name="Throughput" value=${decimal(stats.throughputPerMinute)} note="a minute, of the last 5"/>
      <${Fact} name="Wait p95" value=${ms(stats.waitP95)} note="long: add workers"/>
      <${Fact} name="Run p95" value=${ms(stats.runP95)} note="long: look at the job"/>
      <${Fact} name="Workers" value=${`${count(stats.busy)} / ${count(stats.workers)}`} note="busy, of those alive"/></dl>`}
    <${Told} path=${history()} as=${`history of ${name}`} gone="There is no queue of this name." draw=${(told) => html`<${Went} told=${told}/>`}/>
    ${stats && html`<nav class="parts states" aria-label="States">${STATES.map((each) => html`<a href=${toState(name, each)} aria-current=${each === which ? "page" : undefined}>
      ${each} <span class="chip ${each === "failed" && stats.failed ? "bad" : ""}">${count(each === "completed" ? stats.completedKept : stats[each])}</span></a>`)}</nav>
    <div class="between"><${Search} name="q" label="Name, id or text in the payload" value=${here().query.get("q") || ""} hint="analytics"/>
      ${here().query.get("q") && html`<a class="button" href=${turned({ q: "", cursor: "" })}>Show all</a>`}</div>
    <${Told} path=${list()} draw=${(told) => html`<${Jobs} told=${told}/>`}/>`}`;
}
