// How the caches were used over the window: charts, and the same as tables.
import { brief, decimal, html, percent } from "../base.js";
import { to } from "../router.js";
import { series, share } from "./cache.js";
import { Chart } from "./charts.js";
import { Part } from "./part.js";
import { Ways } from "./pieces.js";

export const paths = () => [series()];

const pages = (point) => share({ hits: point.pageHits, misses: point.pageMisses });
const values = (point) => share({ hits: point.hits - point.pageHits, misses: point.misses - point.pageMisses });

function Charts({ told: { points, step } }) {
  const rate = (name) => (point) => point[name] / step;
  return html`<div class="charts">
    <${Chart} title="Hit rate" hint="of what was asked" points=${points} format=${percent} axis=${(value) => `${brief(value)} %`} most=${100}
      series=${[{ name: "values", kind: "c1", of: values }, { name: "responses", kind: "c3", of: pages }]}/>
    <${Chart} title="Operations" hint="a second" points=${points} stacked=${true} format=${decimal}
      series=${[["hits", "c1"], ["misses", "c3"], ["sets", "c2"]].map(([name, kind]) => ({ name, kind, of: rate(name) }))}/>
  </div>
  <p class="soft">A point is ${step < 3600 ? `${step / 60} min` : `${step / 3600} h`}, of all processes; the newest is dashed, since its time is not over.</p>`;
}

export const CacheWays = ({ now }) => html`<${Ways} label="Cache" ways=${[
  [to("cache"), "Use", false], [to("cache", ["history"]), "Over time", now === "history"], [to("cache", ["keys"]), "Keys", now === "keys"]]}/>`;

export const View = () => html`<${CacheWays} now="history"/>
  <${Part} path=${series()} tall="rows">${(told) => html`<${Charts} told=${told}/>`}<//>`;
