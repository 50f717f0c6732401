// What every view needs: parts that may be late or fail alone, links between parts, tables that sort.
import { html } from "../base.js";
import { down, state } from "../live.js";
import { Old } from "../parts.js";
import { here, to, turned } from "../router.js";
import "./styles.js";

// What an address of the API said; while it is late its height is kept, and if it fails the others go on.
export function Part({ path, tall = "", children }) {
  const told = state.more[path];
  if (!told) return down() ? html`<${Old}/>` : html`<div class="skeleton ${tall}" aria-busy="true"><span class="hidden">Loading …</span></div>`;
  if (told.error) return html`<p class="note line" role="status">This part could not be read: ${told.error}. The others go on.</p>`;
  return children(told);
}

// Only this process tells, though there are others: Redis does not answer.
export const Own = ({ told }) => told.scope === "process" && html`<p class="note line" role="status">${state.services.redis === "disabled"
  ? "This process only, since it started: there is no Redis that all processes share."
  : "This process only: Redis does not answer, so what the others measured is not known."}</p>`;

let walked = false; // a link to another part was followed, whose view has links of its own

function arrive(nav) {
  if (!nav || !walked) return;
  walked = false;
  if (document.activeElement === document.body) nav.querySelector("[aria-current]")?.focus();
}

// Links to the parts of a view, of which the first is the view itself; who follows one stays on it.
export const Parts = ({ view, label, parts }) => html`<nav class="parts" aria-label=${label} ref=${arrive} onClick=${() => { walked = true; }}>
  ${parts.map(([name, text]) => html`<a key=${name} href=${to(view, name ? [name] : [])} aria-current=${(here().parts[0] || "") === name ? "page" : undefined}>${text}</a>`)}</nav>`;

// Rows by the column that the address names; each column is [name, heading, show(row), of(row)], numbers where there is an `of`.
export function Sorted({ caption, columns, rows, id, usual }) {
  const asked = here().query.get("sort");
  const by = columns.find(([name, , , of]) => of && name === asked) || columns.find(([name]) => name === usual);
  const sorted = [...rows].sort((a, b) => (by[3](b) ?? -1) - (by[3](a) ?? -1));
  return html`<div class="scroll" role="region" tabindex="0" aria-label=${caption}><table>
    <caption class="hidden">${caption}, by ${by[1]}</caption>
    <thead><tr>${columns.map(([name, heading, , of]) => html`<th key=${name} scope="col" class=${of ? "number" : ""} aria-sort=${of && name === by[0] ? "descending" : undefined}>
      ${of ? html`<button type="button" class="sort" onClick=${() => { location.hash = turned({ sort: name }); }}>${heading}<span aria-hidden="true">${name === by[0] ? " ▾" : ""}</span></button>` : heading}</th>`)}</tr></thead>
    <tbody>${sorted.map((row) => html`<tr key=${id(row)}>${columns.map(([name, , show, of], n) => (n === 0
      ? html`<th key=${name} scope="row" class="label">${show(row)}</th>`
      : html`<td key=${name} class=${of ? "number" : ""}>${show(row)}</td>`))}</tr>`)}</tbody></table></div>`;
}

export const Request = ({ id }) => (id ? html`<a href=${to("performance", ["request", id])}><code>${id}</code></a>` : "–");
