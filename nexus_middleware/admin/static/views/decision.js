// What the layers decided about one request: each rule that was asked, on whom it counted, and how far it was used.
import { count, decimal, html, NONE } from "../base.js";
import { Bar, Table } from "../parts.js";
import { to } from "../router.js";

const VERDICTS = { passed: ["healthy", "●"], answered: ["unhealthy", "■"], "would answer": ["degraded", "▲"], "not reached": ["disabled", "○"] };

const Verdict = ({ of }) => {
  const [kind, glyph] = VERDICTS[of.verdict] || VERDICTS["not reached"];
  return html`<span class=${`status ${kind}`}><span aria-hidden="true">${glyph}</span> ${of.verdict}${of.status ? ` ${of.status}` : ""}</span>`;
};

const said = (rule) => (rule.allowed ? "lets it pass" : rule.binds ? "refuses" : "would refuse");

const Used = ({ rule }) => (rule.limit === null || rule.limit === undefined ? NONE
  : html`<span class="used">${count(rule.count)} of ${count(rule.limit)} in ${decimal(rule.window)} s
    <${Bar} share=${rule.count / rule.limit} kind=${rule.allowed ? "" : "bad"} label=${`${rule.count} of ${rule.limit} used`}/></span>`);

const Row = ({ decision, rule, first }) => html`<tr><th scope="row" class="plain">${first ? decision.layer : html`<span class="hidden">${decision.layer}</span>`}</th>
  <td>${first ? html`<${Verdict} of=${decision}/>` : ""}</td>
  <td class="text">${rule ? html`<a href=${to("rules", ["decisions"], { rule: rule.rule })}>${rule.rule}</a> <small class="soft">${said(rule)}${rule.binds ? "" : ", in shadow"}</small>` : decision.why || NONE}</td>
  <td class="text">${rule?.key ? html`<code>${rule.key}</code>` : NONE}</td><td>${rule ? html`<${Used} rule=${rule}/>` : NONE}</td>
  <td class="number">${first && decision.took !== null && decision.took !== undefined ? decimal(decision.took) : NONE}</td></tr>`;

const silent = (decision) => decision.verdict === "passed" && !decision.rules.length;

// Layers that had nothing to say are told in one line.
function Others({ record }) {
  const others = record.decisions.filter(silent);
  const took = others.reduce((sum, each) => sum + (each.took || 0), 0);
  return others.length > 0 && html`<p class="soft">${others.map((each) => each.layer).join(", ")} let it pass${took ? `, in ${decimal(took)} µs` : ""}.</p>`;
}

export const Decided = ({ record }) => html`<${Table} caption=${`Decisions about ${record.request_id}`} heads=${["Layer", "Verdict", "Rule or reason", "Counted on", "Used", "#µs"]}>
  ${record.decisions.filter((decision) => !silent(decision)).flatMap((decision, n) => (decision.rules.length ? decision.rules : [null]).map((rule, m) => html`<${Row} key=${`${n} ${m}`} decision=${decision} rule=${rule} first=${m === 0}/>`))}<//>
  <${Others} record=${record}/>
  ${record.decisions.every((each) => each.took === null || each.took === undefined) && html`<p class="soft">Times of layers are told where NEXUS_SERVER_TIMING is on.</p>`}`;
