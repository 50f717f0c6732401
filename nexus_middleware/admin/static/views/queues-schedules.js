// Recurring jobs: when they are due, how they went, and what may be done to them.
import { date, exact, html, ms } from "../base.js";
import { act } from "../live.js";
import { Button, Empty, Table, why } from "../parts.js";
import { to } from "../router.js";
import { Ago, Down, Told } from "./pieces.js";
import { QueueWays, toState } from "./queues.js";

export const paths = () => ["api/schedules"];

const steer = (name, action, done) => act("POST", `api/schedules/${encodeURIComponent(name)}/${action}`, null, done);

// The last runs, the newest to the right.
function Dots({ runs }) {
  const failed = runs.filter((run) => run.outcome === "failed").length;
  const said = `${runs.length} runs, ${failed} failed`;
  return html`<svg class="dots" viewBox="0 0 160 10" role="img" aria-label=${said}><title>${said}</title>
    ${[...runs].reverse().map((run, n) => (run.outcome === "failed"
      ? html`<path class="bad" d=${`M${n * 8 + 1} 1h6v8h-6z`}/>` : html`<circle cx=${n * 8 + 4} cy="5" r="3"/>`))}</svg>`;
}

const Last = ({ run, queue }) => (run ? html`<a href=${to("queues", [queue, "jobs", run.id])}>${run.outcome}</a>
  ${" "}<${Ago} at=${run.ended}/> <span class="soft">${run.runMs === null ? "" : `in ${ms(run.runMs)}`}</span>` : "never");

const Due = ({ next }) => {
  const at = new Date(next * 1000).toISOString();
  return html`<${Ago} at=${at} fresh="now"/><small class="soft" title=${exact(at)}>${date(at)}</small>`;
};

const Schedule = ({ of }) => html`<tr>
  <th scope="row"><span>${of.name}</span><small class="soft">${of.job} · <a href=${toState(of.queue, "waiting")}>${of.queue}</a></small></th>
  <td>${of.inWords}<small class="soft"><code>${of.cron}</code> ${of.zone}</small></td>
  <td>${of.paused ? html`<span class="chip">paused</span>` : html`<${Due} next=${of.next}/>`}</td>
  <td><${Last} run=${of.runs[0]} queue=${of.queue}/></td>
  <td>${of.runs.length > 0 ? html`<${Dots} runs=${of.runs}/>` : "–"}</td>
  <td class="tools">
    <${Button} label=${`Run now: ${of.name}`} why=${why("schedules:run")} does=${() => steer(of.name, "run", () => `${of.name} is queued.`)}>Run now<//>
    ${of.paused
      ? html`<${Button} label=${`Resume ${of.name}`} why=${why("schedules:run")} does=${() => steer(of.name, "resume", () => `${of.name} goes on.`)}>Resume<//>`
      : html`<${Button} label=${`Pause ${of.name}`} why=${why("schedules:run")} does=${() => steer(of.name, "pause", () => `${of.name} rests.`)}>Pause<//>`}</td></tr>`;

const List = ({ items }) => (items.length
  ? html`<${Table} caption="Schedules" heads=${["Schedule", "When", "Next", "Last run", "Last 20", ""]}>${items.map((each) => html`<${Schedule} key=${each.name} of=${each}/>`)}<//>
    <p class="soft">What is due while a schedule is paused is left out. If no worker was there when it was due, it is queued once when one is back.</p>`
  : html`<${Empty} title="Nothing recurs.">Add a schedule in your app: <code>nexus.queues.schedules.add("nightly", "my.job", cron="0 3 * * *")</code>.<//>`);

export const View = () => html`<${QueueWays} now="schedules"/><${Down}/>
  <${Told} path="api/schedules" draw=${(told) => html`<${List} items=${told.items}/>`}/>`;
