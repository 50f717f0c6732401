// Who has used most of a limit now, whom limits refused most often, and giving one back.
import { count, html, lasting, plural } from "../base.js";
import { act, down, state } from "../live.js";
import { ask, Bar, Button, Empty, Old, Table, why } from "../parts.js";
import { to, windowed } from "../router.js";
import { Part } from "./part.js";
import { asked, everywhere, Typed } from "./rules-parts.js";
import { Nav } from "./security.js";

const limited = () => windowed("api/security/limited");

function used() {
  const given = [["limit", 50], ["name", asked("name")], ["key", asked("key")]].filter(([, value]) => value);
  return `api/security/limits?${new URLSearchParams(given)}`;
}

export const paths = () => [used(), limited()];

function reset(item) {
  ask({
    title: `Reset the limit ${item.name} of ${item.key}?`,
    effect: `What it has used, ${count(item.used)} of ${count(item.limit)}, is forgotten ${everywhere()} within a second, so it may call again at once. Its other limits stay. This cannot be undone.`,
    verb: "Reset it",
    does: () => act("DELETE", `api/security/limits/${encodeURIComponent(item.id)}`, null, () => `${item.key} has the whole of ${item.name} again.`),
  });
}

const kind = (share) => (share >= 1 ? "bad" : share >= 0.8 ? "warn" : "");

const span = (seconds) => lasting(seconds).replace(/ 0 (min|h)$/, "");
const address = (key) => /^[\da-f]*[.:][\da-f.:]+$/i.test(key); // else decisions name another client than the count does

const Row = ({ item }) => html`<tr><th scope="row" class="label"><code>${item.key}</code><small class="soft">${item.name}</small></th>
  <td class="meter"><span class="used">${count(item.used)} of ${count(item.limit)} in ${span(item.window)}
    <${Bar} share=${item.used / item.limit} kind=${kind(item.used / item.limit)} label=${`${count(item.used)} of ${count(item.limit)} used`}/></span></td>
  <td class="number">${span(Math.ceil(item.freesIn))}</td>
  <td class="tools">${address(item.key) && html`<a href=${to("rules", ["decisions"], { client: item.key })} aria-label=${`Decisions about ${item.key}`}>Decisions</a>`}
    ${" "}<${Button} label=${`Reset ${item.name} of ${item.key}`} why=${why("limits:reset")} does=${() => reset(item)}>Reset …<//></td></tr>`;

const Filters = () => html`<form class="row filters" onSubmit=${(event) => event.preventDefault()}>
  <${Typed} name="key" label="Caller" hint="192.0.2.7" value=${asked("key")}/><${Typed} name="name" label="Limit" hint="sign-in" value=${asked("name")}/></form>`;

function Uses({ told: { items, totalExact } }) {
  if (!items.length) {
    return asked("key") || asked("name") ? html`<${Empty} title="Nothing is used of that now.">A caller stands here from its first call until its window is over. Those whose key is long are counted by a digest of it.<//>`
      : html`<${Empty} title="Nobody has used any limit now.">A caller stands here from its first call until its window is over.<//>`;
  }
  return html`<${Table} caption="Limits by how far they are used" heads=${["Caller and limit", "Used", "#Frees in", ""]}>
    ${items.map((item) => html`<${Row} key=${item.id} item=${item}/>`)}<//>
    ${!totalExact && html`<p class="soft">There are more: name a caller or a limit to see its own.</p>`}`;
}

function Limited({ told: { items } }) {
  if (!items.length) return html`<p class="soft">Nobody was limited. Who calls more often than a limit allows is counted here, by the hour.</p>`;
  const most = items[0].refusals;
  return html`<${Table} caption="Clients that were limited" heads=${["Client", "", "#Refusals", ""]}>
    ${items.map((item) => html`<tr key=${item.client}><th scope="row"><code>${item.client}</code></th>
      <td class="wide"><${Bar} share=${item.refusals / most} kind="warn" label=${plural(item.refusals, "refusal")}/></td>
      <td class="number">${count(item.refusals)}</td>
      <td class="tools"><a href=${to("security", [], { client: item.client })} aria-label=${`Events of ${item.client}`}>Events</a>
        ${" "}<a href=${to("security", ["limits"], { key: item.client })} aria-label=${`Limits of ${item.client}`}>Limits</a>
        ${" "}<a href=${to("security", ["blocked"], { address: item.client })} aria-label=${`Block ${item.client}`}>Block</a></td></tr>`)}<//>`;
}

export const View = () => html`<${Nav}/>
  ${down() && html`<${Old} at=${state.more[used()]?.meta?.time}/>`}
  <h3>Used now <small>most of a limit first</small></h3><${Filters}/>
  <div class=${down() ? "old" : ""}><${Part} path=${used()} tall="rows">${(told) => html`<${Uses} told=${told}/>`}<//>
    <section class="more"><h3>Limited most often <small>in whole hours</small></h3><${Part} path=${limited()}>${(told) => html`<${Limited} told=${told}/>`}<//></section></div>`;
