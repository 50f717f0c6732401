// The queues: how long they are, whether they move, and what may be done to them.
import { brief, count, html, lasting, plural } from "../base.js";
import { act, state } from "../live.js";
import { ask, Button, Empty, Old, orNone, Table, why } from "../parts.js";

export const paths = () => [];

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
    does: () => steer(name, "empty", (said) => `${plural(said.count ?? all, "job")} dropped.`),
  });
}

const trouble = (queue) => queue.waiting > 0 && !queue.paused && queue.workers === 0;

function QueueState({ queue }) {
  if (queue.paused) return html`<span class="chip">paused</span>`;
  if (trouble(queue)) return html`<span class="chip bad">no workers</span>`;
  return html`<span class="chip ok">${queue.active ? "working" : "ready"}</span>`;
}

const QueueRow = ({ name, queue }) => html`<tr>
  <th scope="row">${name}</th>
  <td><${QueueState} queue=${queue}/></td>
  <td class="number strong">${count(queue.waiting)}</td>
  <td class="number">${count(queue.active)}</td>
  <td class="number">${count(queue.delayed)}</td>
  <td class="number ${queue.failed ? "bad" : ""}">${count(queue.failed)}</td>
  <td class="number">${brief(queue.completed)}</td>
  <td class="number">${queue.waiting ? lasting(queue.oldestWaitSeconds) : "–"}</td>
  <td class="number">${orNone(queue.workers)}</td>
  <td class="tools">
    ${queue.paused
      ? html`<${Button} label=${`Resume ${name}`} why=${why("queues:pause")} does=${() => steer(name, "resume", () => `${name} goes on.`)}>Resume<//>`
      : html`<${Button} label=${`Pause ${name}`} why=${why("queues:pause")} does=${() => steer(name, "pause", () => `${name} is paused.`)}>Pause<//>`}
    <${Button} label=${`Retry failed jobs of ${name}`} why=${queue.failed ? why("queues:retry") : "No job has failed"}
      does=${() => steer(name, "retry-failed", (said) => `${plural(said.count ?? queue.failed, "job")} put back.`)}>Retry<//>
    <${Button} kind="danger" label=${`Empty ${name}`} why=${queue.waiting + queue.delayed ? why("queues:delete") : "No job waits"}
      does=${() => empty(name, queue)}>Empty …<//>
  </td></tr>`;

export function View() {
  const last = state.last.queues;
  if (!last) return html`<${Old}/>`;
  if (last.state === "disabled") {
    return html`<${Empty} title="No queues are configured.">Jobs are kept in Redis. Set <code>NEXUS_STORE</code> to its URL,
      such as <code>redis://localhost:6379/0</code>, and start <code>nexus worker</code>.<//>`;
  }
  const names = Object.keys(last.stats);
  if (!names.length) return html`<${Empty} title="No job was ever queued.">A queue appears with its first job.<//>`;
  return html`
    ${state.queues.error && html`<${Old} at=${last.at}/>`}
    <div class=${state.queues.error ? "old" : ""}>
      <${Table} caption="Queues" heads=${["Queue", "State", "#Waiting", "#Active", "#Delayed", "#Failed", "#Completed", "#Oldest waits", "#Workers", ""]}>
        ${names.map((name) => html`<${QueueRow} key=${name} name=${name} queue=${last.stats[name]}/>`)}
      <//>
    </div>`;
}
