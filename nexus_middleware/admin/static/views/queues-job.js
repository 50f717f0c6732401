// One job: what became of it, with what, and what may be done now.
import { count, exact, html, ms, plural } from "../base.js";
import { act } from "../live.js";
import { ask, Bar, Button, Fact, orNone, Table, why } from "../parts.js";
import { here, to } from "../router.js";
import { Ago, between, Down, span, Text, Told } from "./pieces.js";
import { QueueWays, toState } from "./queues.js";

const ident = () => here().parts[2];
const path = () => `api/jobs/${encodeURIComponent(ident())}`;

export const paths = () => [path()];

const KINDS = { completed: "ok", failed: "bad", canceled: "", active: "ok" };
const pretty = (value) => JSON.stringify(value, null, 2) ?? "";
const goBack = (job) => { location.hash = toState(job.queue, job.state); };

const cancel = (job) => ask({
  title: `Cancel ${job.name}?`,
  effect: job.state === "active" ? "It is stopped within seconds, wherever it is; what it has done already stays done." : "It will not be run unless somebody retries it.",
  verb: "Cancel the job",
  does: () => act("POST", `${path()}/cancel`, null, (said) => (said.state === "stopping" ? "The job is being stopped." : "The job is canceled.")),
});

const erase = (job) => ask({
  title: `Delete ${job.name}?`,
  effect: "Its payload, result and error go with it. This cannot be undone.",
  verb: "Delete the job",
  does: () => act("DELETE", path(), null, () => { goBack(job); return "The job is deleted."; }),
});

const ended = (job) => ["completed", "failed", "canceled"].includes(job.state);

const Actions = ({ job }) => html`<span class="tools">
  <${Button} why=${["failed", "canceled"].includes(job.state) ? why("queues:retry") : "It has neither failed nor been canceled"}
    does=${() => act("POST", `${path()}/retry`, null, () => "The job is queued again.")}>Retry now<//>
  <${Button} why=${ended(job) ? "It has ended" : job.canceling ? "It is being stopped" : why("queues:delete")} does=${() => cancel(job)}>Cancel …<//>
  <${Button} kind="danger" why=${job.state === "active" ? "It runs: cancel it first" : why("queues:delete")} does=${() => erase(job)}>Delete …<//></span>`;

// What happened when, and how long it took from one to the next.
function Timeline({ job }) {
  const end = { completed: "Finished", failed: "Failed", canceled: "Canceled" }[job.state] || "Ended";
  const steps = [["Created", job.createdAt], ["Queued", job.enqueuedAt], ["Started", job.startedAt], [end, job.endedAt]].filter(([, at]) => at);
  if (job.due) steps.push(["Due", new Date(job.due * 1000).toISOString()]);
  return html`<ol class="timeline">${steps.map(([name, at], n) => {
    const after = n ? between(steps[n - 1][1], at) : null;
    return html`<li class=${name === "Failed" ? "bad" : ""}><b>${name}</b><span>${exact(at)}</span>
      <small class="soft">${after === null || after < 0 ? html`<${Ago} at=${at}/>` : `${span(after)} later`}</small></li>`;
  })}</ol>`;
}

const Progress = ({ of }) => html`<div class="progress"><${Bar} share=${of.total ? of.done / of.total : 0} kind="ok" label=${`progress: ${count(of.done)} of ${count(of.total)}`}/>
  <small class="soft">${count(of.done)} of ${count(of.total)} ${of.note || ""}</small></div>`;

// Its last line; the whole of it for who asks.
function Failure({ text }) {
  if (!text) return "–";
  const last = text.trim().split("\n").pop();
  return last === text ? last : html`<details><summary>${last}</summary><pre>${text}</pre></details>`;
}

const Attempts = ({ job }) => job.history.length > 0 && html`<section class="more"><h3>Attempts that did not end well</h3>
  <${Table} caption="Attempts" heads=${["Attempt", "Outcome", "Started", "#Ran for", "Worker", "Error"]}>
    ${job.history.map((each) => html`<tr><th scope="row">${each.attempt}</th><td>${each.outcome}</td>
      <td>${each.startedAt ? exact(each.startedAt) : "–"}</td><td class="number">${ms(each.ms)}</td>
      <td class="text">${orNone(each.worker)}</td><td class="text"><${Failure} text=${each.error}/></td></tr>`)}<//></section>`;

function Job({ job }) {
  const waits = job.waitsFor.length > 0 && html`<p class="soft">It waits for ${job.waitsFor.map((id) => html`<a class="mono" href=${to("queues", [job.queue, "jobs", id])}>${id}</a> `)}</p>`;
  return html`
    <div class="title-row"><h3><a href=${toState(job.queue, job.state)}>${job.queue}</a> / ${job.name}</h3><span class="chip ${KINDS[job.state] || ""}">${job.canceling ? "stopping" : job.state}</span><${Actions} job=${job}/></div>
    ${job.progress && html`<${Progress} of=${job.progress}/>`}
    <${Timeline} job=${job}/>
    <dl class="facts">
      <${Fact} name="Attempt" value=${`${job.attempt} of ${job.attempts}`} note=${job.due && job.state === "delayed" ? html`next <${Ago} at=${new Date(job.due * 1000).toISOString()} fresh="now"/>` : `${job.retriesLeft} left`}/>
      <${Fact} name="May run for" value=${span(job.timeout)} note=${job.rescues ? `${plural(job.rescues, "time")} rescued` : "then it is stopped"}/>
      <${Fact} name="Schedule" value=${orNone(job.schedule)} note=${job.slot || ""}/>
    </dl>
    ${waits}
    <dl class="pairs"><dt>Id</dt><dd class="mono">${job.id}</dd> ${[["Worker", job.worker], ["Request", job.requestId], ["Key", job.key], ["Trace", job.traceparent]].filter(([, value]) => value).map(([name, value]) => html`<dt>${name}</dt><dd class="mono">${value}</dd>`)}</dl>
    ${job.traceback && job.state !== "completed" && html`<${Text} title="Error" kind="bad" open text=${job.traceback}/>`}
    <${Text} title="Payload" text=${pretty(job.payload)}/>
    ${job.state === "completed" && html`<${Text} title="Result" text=${pretty(job.result)}/>`}
    <${Attempts} job=${job}/>`;
}

export const View = () => html`<${QueueWays} now="queues"/><${Down}/>
  <${Told} path=${path()} gone="This job is not kept any more." draw=${(told) => html`<${Job} job=${told.job}/>`}/>`;
