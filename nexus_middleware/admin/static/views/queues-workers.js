// The processes that run jobs: what each does now, and which have died.
import { count, html, mib } from "../base.js";
import { Empty, Table } from "../parts.js";
import { to } from "../router.js";
import { Ago, between, Down, span, Told } from "./pieces.js";
import { QueueWays } from "./queues.js";

export const paths = () => ["api/workers"];

const KINDS = { busy: "ok", idle: "", late: "warn", dead: "bad" };

const Worker = ({ of }) => html`<tr><th scope="row" class="label mono">${of.name}</th>
  <td><span class="chip ${KINDS[of.state]}">${of.state}</span></td>
  <td>${of.job ? html`<a class="mono" href=${to("queues", [of.queue, "jobs", of.job])}>${of.job.slice(0, 8)}</a> <span class="soft">for ${span(between(of.since))}</span>` : "–"}</td>
  <td class="text">${of.queues.join(", ")}</td>
  <td class="number"><${Ago} at=${of.seenAt}/></td>
  <td class="number"><${Ago} at=${of.startedAt}/></td>
  <td class="number">${count(of.done)}</td><td class="number">${count(of.retried)}</td>
  <td class="number ${of.failed ? "bad" : ""}">${count(of.failed)}</td>
  <td class="number">${mib(of.memoryMb)}</td><td>${of.host} <span class="soft">${of.pid}</span></td></tr>`;

const HEADS = ["Worker", "State", "Job", "Queues", "#Heard of", "#Started", "#Done", "#Retried", "#Failed", "#Memory", "Host and pid"];

const List = ({ items }) => (items.length
  ? html`<${Table} caption="Workers" heads=${HEADS}>${items.map((each) => html`<${Worker} key=${each.name} of=${each}/>`)}<//>
    <p class="soft">Late: no sign of life for 10 s. Dead: for 30 s; its job is given to another worker. Memory is the most that it has held.</p>`
  : html`<${Empty} title="No worker was seen in the last five minutes.">Start one with <code>nexus worker</code>, for all queues, or <code>nexus worker QUEUE</code>.<//>`);

export const View = () => html`<${QueueWays} now="workers"/><${Down}/>
  <${Told} path="api/workers" draw=${(told) => html`<${List} items=${told.items}/>`}/>`;
