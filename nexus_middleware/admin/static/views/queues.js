// The queues: how long they are, whether they move, and what may be done to them.
import { brief, count, decimal, html, lasting, ms, plural } from "../base.js";
import { act, state } from "../live.js";
import { ask, Button, Empty, Old, Table, why } from "../parts.js";
import { chosenWindow, to, windowed } from "../router.js";
import { Ways } from "./pieces.js";

const throughput = () => windowed("api/queues/throughput");

export const paths = () => (state.services.queues === "disabled" ? [] : ["api/workers", throughput()]);

// A queue may have any name, also that of a view: its own links always say a state.
export function at({ parts, query }) {
  if (parts[0] === "workers" && !query.has("state")) return import("./queues-workers.js");
  if (parts[0] === "schedules" && !query.has("state")) return import("./queues-schedules.js");
  if (parts[0] === "results" && !query.has("state")) return import("./queues-results.js");
  if (parts[1] === "jobs" && parts[2]) return import("./queues-job.js");
  return parts[0] ? import("./queues-queue.js") : undefined;
}

export const toState = (name, which) => to("queues", [name], { state: which });

export const QueueWays = ({ now }) => html`<${Ways} label="Queues" ways=${[
  [to("queues"), "Queues", now === "queues"], [to("queues", ["workers"]), "Workers", now === "workers"],
  [to("queues", ["schedules"]), "Schedules", now === "schedules"], [to("queues", ["results"]), "Results", now === "results"]]}/>`;

const queuePath = (name, action) => `api/queues/${encodeURIComponent(name)}/${action}`;
const steer = (name, action, done) => act("POST", queuePath(name, action), null, done);

function empty(name, queue) {
  const all = queue.waiting + queue.delayed;
  const what = plural(all, "job");
  ask({
    title: `Drop ${what} of ${name}?`,
    effect: "All that wait or are delayed go. Jobs that run now, and those that failed, stay. This cannot be undone.",
    verb: `Drop ${what}`,
    type: all > 100 ? name : "",
    does: () => steer(name, `empty?expected=${all}`, (said) => `${plural(said.count ?? all, "job")} dropped.`),
  });
}

const trouble = (queue) => queue.waiting > 0 && !queue.paused && queue.workers === 0;

export function QueueState({ queue }) {
  if (queue.paused) return html`<span class="chip">paused</span>`;
  if (trouble(queue)) return html`<span class="chip bad">no workers</span>`;
  return html`<span class="chip ok">${queue.active ? "working" : "ready"}</span>`;
}

export const Tools = ({ name, queue }) => html`
  ${queue.paused
    ? html`<${Button} label=${`Resume ${name}`} why=${why("queues:pause")} does=${() => steer(name, "resume", () => `${name} goes on.`)}>Resume<//>`
    : html`<${Button} label=${`Pause ${name}`} why=${why("queues:pause")} does=${() => steer(name, "pause", () => `${name} is paused.`)}>Pause<//>`}
  <${Button} label=${`Retry failed jobs of ${name}`} why=${queue.failed ? why("queues:retry") : "No job has failed"}
    does=${() => steer(name, "retry-failed", (said) => `${plural(said.count ?? queue.failed, "job")} put back.`)}>Retry<//>
  <${Button} kind="danger" label=${`Empty ${name}`} why=${queue.waiting + queue.delayed ? why("queues:delete") : "No job waits"}
    does=${() => empty(name, queue)}>Empty …<//>`;

const Count = ({ name, which, value, kind = "" }) => html`<td class="number ${kind}">${value
  ? html`<a class="quiet" href=${toState(name, which)} aria-label=${`${plural(value, `${which} job`)} of ${name}`}>${brief(value)}</a>` : "0"}</td>`;

const sum = (values) => values.reduce((all, each) => all + each, 0);

// What was done in each step of the window, as bars from the left, and what failed on top of it.
function Pace({ ends: { done, failed }, step }) {
  const most = Math.max(1, ...done.map((each, n) => each + failed[n]));
  const bars = (low, values) => values.map((each, n) => (each
    ? `M${n} ${24 - (low[n] / most) * 24}h.8v${(-24 * each) / most}h-.8z` : "")).join("");
  const said = `over ${chosenWindow()}: ${count(sum(done))} done, ${count(sum(failed))} failed, at most ${count(most)} in ${lasting(step)}`;
  return html`<svg class="pace" viewBox=${`0 0 ${done.length} 24`} preserveAspectRatio="none" role="img" aria-label=${said}><title>${said}</title>
    <path class="area c1" d=${bars(done.map(() => 0), done)}/><path class="area c4" d=${bars(done, failed)}/></svg>`;
}

const QueueRow = ({ name, queue, ends, step }) => html`<tr>
  <th scope="row"><a href=${toState(name, queue.failed && !queue.waiting ? "failed" : "waiting")}>${name}</a></th>
  <td><${QueueState} queue=${queue}/></td>
  <${Count} name=${name} which="waiting" value=${queue.waiting} kind="strong"/>
  <${Count} name=${name} which="active" value=${queue.active}/>
  <${Count} name=${name} which="delayed" value=${queue.delayed}/>
  <${Count} name=${name} which="failed" value=${queue.failed} kind=${queue.failed ? "bad" : ""}/>
  <${Count} name=${name} which="completed" value=${queue.completed}/>
  <td class="number">${queue.waiting ? lasting(queue.oldestWaitSeconds) : "–"}</td>
  <td class="number paced">${ends && html`<${Pace} ends=${ends} step=${step}/>`}${decimal(queue.throughputPerMinute)}</td>
  <td class="number">${ms(queue.waitP95)}</td>
  <td class="number">${ms(queue.runP95)}</td>
  <td class="number">${count(queue.busy)} / ${count(queue.workers)}</td>
  <td class="tools"><${Tools} name=${name} queue=${queue}/></td></tr>`;

const HEADS = ["Queue", "State", "#Waiting", "#Active", "#Delayed", "#Failed", "#Completed", "#Oldest", "#Per min", "#Wait p95", "#Run p95", "#Busy", ""];

// Who runs the jobs, in one line; what is dead is told apart from what is busy.
function Crew() {
  const workers = state.more["api/workers"]?.items;
  if (!workers) return html`<p class="soft crew">${"\u00a0"}</p>`;
  const of = (which) => workers.filter((worker) => worker.state === which).length;
  const told = ["busy", "idle", "late", "dead"].filter((which) => of(which)).map((which) => `${of(which)} ${which}`);
  return html`<p class="soft crew">${workers.length
    ? html`<a href=${to("queues", ["workers"])}>${plural(workers.length, "worker")}</a>: ${told.join(", ")}.`
    : html`No worker was seen in the last five minutes. Start one with <code>nexus worker</code>.`}
    ${" "}Waiting and running times are of the last 100 jobs of each queue.</p>`;
}

export function View() {
  const last = state.last.queues;
  if (!last) return html`<${Old}/>`;
  if (last.state === "disabled") {
    return html`<${Empty} title="No queues are configured.">Jobs are kept in Redis. Set <code>NEXUS_STORE</code> to its URL,
      such as <code>redis://localhost:6379/0</code>, and start <code>nexus worker</code>.<//>`;
  }
  const names = Object.keys(last.stats);
  const { queues = {}, step } = state.more[throughput()] || {};
  return html`
    <${QueueWays} now="queues"/>
    ${state.queues.error && html`<${Old} at=${last.at}/>`}
    <div class=${state.queues.error ? "old" : ""}>
      ${names.length ? html`<${Table} caption="Queues" heads=${HEADS}>
        ${names.map((name) => html`<${QueueRow} key=${name} name=${name} queue=${last.stats[name]} ends=${queues[name]} step=${step}/>`)}<//>`
    : html`<${Empty} title="No job was ever queued.">A queue appears with its first job.<//>`}
      <${Crew}/>
    </div>`;
}
