// The caches: how they are used, and what may be forgotten.
import { brief, count, decimal, html, lasting, ms, percent, plural } from "../base.js";
import { state } from "../live.js";
import { Bar, Button, Fact, Old, Table, why } from "../parts.js";
import { chosenWindow, to, windowed } from "../router.js";
import { Spark } from "./overview.js";
import { Component } from "../vendor/preact.mjs";

const GROUPS = "api/cache/groups";
const LOADERS = "api/cache/loaders";
const FIRST = 20; // rows of each table

export const series = () => windowed("api/cache/series");
export const paths = () => [GROUPS, LOADERS, series()];

const BELOW = { keys: () => import("./cache-keys.js"), history: () => import("./cache-history.js") };

export const at = ({ parts }) => BELOW[parts[0]]?.();

// What deletes loads when somebody is about to.
const forget = () => import("./cache-forget.js");

class Forget extends Component {
  open = async () => this.setState({ forms: (await forget()).Forms });

  render(_, { forms }) {
    return forms ? html`<${forms}/>` : html`<${Button} does=${this.open}>Delete by pattern or tag …<//>`;
  }
}

const name = (group) => (group.endsWith("*")
  ? html`<a href=${to("cache", ["keys"], { prefix: group.slice(0, -1) })}>${group}</a>` : group);

const Groups = ({ rows }) => rows.length > 0 && html`<section><h3>Groups of keys <small>the most used first</small></h3>
  <${Table} caption="Groups of keys" heads=${["Group", "#Hit rate", "#Hits", "#Misses", "#Sets", "#Lives for"]}>
    ${rows.slice(0, FIRST).map((row) => html`<tr key=${row.group}><th scope="row" class="label">${name(row.group)}</th>
      <td class="number">${row.hits + row.misses ? percent(row.hitRatio * 100) : "–"}</td><td class="number">${brief(row.hits)}</td>
      <td class="number">${brief(row.misses)}</td><td class="number">${brief(row.sets)}</td><td class="number">${lasting(row.averageTtl)}</td></tr>`)}<//></section>`;

const Loaders = ({ rows }) => rows.length > 0 && html`<section><h3>Fetches <small>the slowest first</small></h3>
  <${Table} caption="Fetches" heads=${["Group", "#Fetched", "#p50", "#p95", "#Spared", "#Failed"]}>
    ${rows.slice(0, FIRST).map((row) => html`<tr key=${row.group}><th scope="row" class="label">${name(row.group)}</th>
      <td class="number">${brief(row.count)}</td><td class="number">≈ ${ms(row.p50)}</td><td class="number">≈ ${ms(row.p95)}</td>
      <td class="number">${brief(row.avoided)}</td><td class="number ${row.failed ? "bad" : ""}">${brief(row.failed)}</td></tr>`)}<//>
  <p class="soft">Spared: callers that waited for another's fetch instead of making their own.</p></section>`;

export const share = ({ hits, misses }) => (hits + misses ? (100 * hits) / (hits + misses) : null);

// A line without axes; the charts that have them load with their own view.
const Trend = ({ name, now, values, top, most }) => html`<a class="trend" href=${to("cache", ["history"])}>
  <span>${name} <span class="hidden">over ${chosenWindow()}, now</span></span><b>${now}</b><span class="hidden">, at most ${most}: charts and table</span><${Spark} values=${values} top=${top}/></a>`;

function Trends({ told }) {
  const { points = [], step } = told || {};
  const ended = points.filter((point) => !point.partial);
  const shares = ended.map(share);
  const rates = ended.map((point) => (point.hits + point.misses + point.sets) / step);
  const last = (values, show) => show(values.findLast((value) => value !== null));
  return html`<div class="trends">
    <${Trend} name="Hit rate" now=${last(shares, percent)} values=${shares} top=${100} most=${percent(Math.max(0, ...shares))}/>
    <${Trend} name="Operations a second" now=${last(rates, decimal)} values=${rates} top=${0.1} most=${decimal(Math.max(0, ...rates))}/></div>`;
}

export function View() {
  const stats = state.last.cache?.stats;
  if (!stats) return html`<${Old}/>`;
  const asked = stats.hits + stats.misses;
  const keys = (stats.keysExact ? "" : "≈ ") + count(stats.keys);
  return html`
    ${state.cache.error && html`<${Old} at=${state.last.cache.at}/>`}
    <div class=${state.cache.error ? "old" : ""}>
      <dl class="facts">
        <${Fact} name="Hit rate" value=${asked ? stats.hitRate : "–"} note=${asked ? `of ${plural(asked, "look-up")}` : "nothing was asked yet"}>
          <${Bar} share=${stats.hitRatio} kind="ok" label=${`hit rate ${stats.hitRate}`}/><//>
        <${Fact} name="Keys" value=${keys} note="values and responses"/>
        <${Fact} name="Memory" value=${stats.memory.replace("MB", " MB")} note="of the whole store"/>
        <${Fact} name="Hits" value=${brief(stats.hits)}/>
        <${Fact} name="Misses" value=${brief(stats.misses)}/>
      </dl>
      <${Table} caption="The caches" heads=${["Cache", "#Keys", "#Hits", "#Misses", "#Hit rate"]}>
        ${(stats.groups || []).map((group) => html`<tr key=${group.name}>
          <th scope="row">${group.name === "pages" ? "Stored responses" : "Values"}</th>
          <td class="number">${count(group.keys)}</td><td class="number">${count(group.hits)}</td>
          <td class="number">${count(group.misses)}</td>
          <td class="number">${group.hits + group.misses ? group.hitRate : "–"}</td></tr>`)}
      <//>
      <${Trends} told=${state.more[series()]}/>
    </div>
    <div class="actions">
      <${Forget}/>
      <a class="button" href=${to("cache", ["keys"])}>Browse keys</a>
      <${Button} kind="danger" why=${why("cache:clear")} does=${async () => (await forget()).clearCache(stats)}>Clear cache …<//>
    </div>
    <div class="halves more use ${state.cache.error ? "old" : ""}"><${Groups} rows=${state.more[GROUPS]?.items || []}/><${Loaders} rows=${state.more[LOADERS]?.items || []}/></div>`;
}
