// How the app is protected, and what browsers reported of broken policies.
import { count, date, html } from "../base.js";
import { Empty, Status, Table } from "../parts.js";
import { here } from "../router.js";
import { Part } from "./part.js";
import { Nav } from "./security.js";

const SHOWN = {
  posture: { path: () => "api/security/posture", Shown: Posture },
  csp: { path: () => "api/security/csp", Shown: Reports },
};

const shown = () => SHOWN[here().parts[0]] || SHOWN.posture;

export const paths = () => [shown().path()];

function Reports({ told: { items } }) {
  if (!items.length) return html`<${Empty} title="No browser reported anything.">NEXUS_CSP_REPORT_PATH says where browsers send what the Content-Security-Policy forbids.<//>`;
  return html`<h3>Reports of broken policies <small>of the last 7 days</small></h3><${Table} caption="Reports of browsers" heads=${["Directive", "Blocked", "Page", "#Reports", "Last", "Policy"]}>
    ${items.map((item) => html`<tr key=${item.directive + item.blocked + item.page}><th scope="row"><code>${item.directive}</code></th>
      <td class="text"><code>${item.blocked}</code></td><td class="text"><code>${item.page}</code></td><td class="number">${count(item.count)}</td>
      <td>${date(item.last)}</td><td>${item.disposition === "report" ? "only reports" : "enforced"}</td></tr>`)}<//>`;
}

const MODES = { enforce: "healthy", shadow: "degraded", off: "disabled" };

function Posture({ told }) {
  if (told.state === "unknown") return html`<${Empty} title="Nothing is known of the app's layers.">The dashboard was mounted by itself. With Nexus(app) it sees what stands around the app.<//>`;
  const headers = Object.entries(told.headers);
  return html`<section><h3>Findings <small>of nexus check, on this process</small></h3>
      ${told.findings.length === 0 ? html`<p><${Status} of="healthy"/> No check found anything.</p>`
        : html`<ul class="errors">${told.findings.map((item) => html`<li key=${item.code + item.message}><span class="chip bad">${item.code}</span> <b>${item.title}</b><p>${item.message}</p></li>`)}</ul>`}</section>
    <div class="halves more"><section><h3>Layers <small>outermost first</small></h3>
      <ol class="layers">${told.layers.map((layer, n) => html`<li key=${n}><span>${layer.name}</span>
        <span class=${`status ${MODES[layer.mode]}`}>${layer.mode === "enforce" ? "on" : layer.mode === "shadow" ? "shadow: refuses nobody" : "off"}</span></li>`)}</ol></section>
    <section><h3>Headers of a page <small>${headers.length} sent, ${told.missing.length} of OWASP's twelve missing</small></h3>
      <dl class="pairs">${headers.map(([name, value]) => html`<dt key=${name}><code>${name}</code></dt><dd><code>${value}</code></dd>`)}
        ${told.missing.map((name) => html`<dt key=${name}><code>${name}</code></dt><dd><${Missing}/></dd>`)}</dl></section></div>`;
}

const Missing = () => html`<span class="status degraded"><span aria-hidden="true">▲</span> not sent</span>`;

export const View = () => html`<${Nav}/><${Part} path=${shown().path()} tall="rows">${(told) => html`<${shown().Shown} told=${told}/>`}<//>`;
