// The rules that hold: from where they come, each with what it refused, and what is tried in shadow beside them.
import { brief, html } from "../base.js";
import { down, state } from "../live.js";
import { Button, Empty, Fact, Old, Table, why } from "../parts.js";
import { chosenWindow, to, windowed } from "../router.js";
import { Part } from "./part.js";
import { Ago } from "./pieces.js";
import { Diff, discard, enforceStaged, everywhere, Nav, rollBack, RULES, Spoke } from "./rules-parts.js";

const each = () => windowed("api/rules/each");

export const paths = () => [RULES, each()];

export async function at({ parts: [part] }) {
  if (part === "edit") return import("./rules-edit.js");
  if (part === "versions") return import("./rules-versions.js");
  if (part === "decisions") return import("./rules-decisions.js");
  return part === "explain" ? import("./rules-explain.js") : null;
}

const ACTS = { stage: "staged", enforce: "enforced", rollback: "rolled back to", discard: "discarded what was staged", file: "read from the file" };
export const actOf = (version) => ACTS[version.act] || version.act;

const MODES = { enforce: ["healthy", "on"], shadow: ["degraded", "shadow"], off: ["disabled", "off"] };
const ORIGINS = { code: "code", live: "live rules", staged: "staged", "": "no longer there" };
const GLYPHS = { healthy: "●", degraded: "▲", disabled: "○" };

function Mode({ of }) {
  const [kind, text] = MODES[of];
  return html`<span class=${`status ${kind}`}><span aria-hidden="true">${GLYPHS[kind]}</span> ${text}</span>`;
}

const About = ({ rule }) => html`${rule.methods.map((method) => html`<code>${method}</code> `)}${rule.path && html`<code>${rule.path === "*" ? "every path" : rule.path}</code>`}
  ${rule.exempt.length > 0 && html`<small class="soft">but ${rule.exempt.map((path) => html`<code>${path}</code> `)}</small>`}`;

function Each({ told }) {
  const rows = told.items;
  if (!rows.length) return html`<${Empty} title="No rule holds.">Neither code nor live rules limit, filter or keep anything.<//>`;
  return html`<section class="more"><h3>Each rule <small>outermost first; refusals of ${chosenWindow()}, in whole hours</small></h3>
    ${told.state === "unknown" && html`<p class="note line" role="status">This dashboard runs beside the app, so it knows the live rules alone; those in code are not listed unless they refused.</p>`}
    <${Table} caption="Rules that hold" heads=${["Layer and rule", "About", "Limit", "Counts on", "Mode", "From", "#Refused", "#Would have"]}>
      ${rows.map((rule, n) => html`<tr key=${`${rule.layer} ${rule.rule} ${rule.origin} ${n}`} class=${rule.origin === "" ? "gone" : ""}>
        <th scope="row" class="label">${rule.rule ? html`<b>${rule.layer === "IPFilter" && rule.does ? "filter" : rule.rule}</b><small class="soft">${rule.layer}</small>` : html`<b>${rule.layer}</b>`}</th>
        <td class="text"><${About} rule=${rule}/></td><td>${rule.does || "–"}</td><td>${rule.key ? html`<code>${rule.key}</code>` : "–"}</td>
        <td>${rule.origin === "" ? "–" : html`<${Mode} of=${rule.mode}/>`}</td><td>${rule.origin === "" && told.state === "unknown" ? "not known here" : ORIGINS[rule.origin]}</td>
        <td class=${`number ${rule.refused ? "strong" : ""}`}><${Spoke} rule=${rule.rule} outcome="refused" value=${rule.refused}/></td>
        <td class="number"><${Spoke} rule=${rule.rule} outcome="would refuse" value=${rule.wouldRefuse}/></td></tr>`)}<//></section>`;
}

const none = () => html`<p class="note line plain">No live rules are set, so those in code hold alone: name a TOML file in <code>NEXUS_RULES</code>, or write rules under <a href=${to("rules", ["edit"])}>Edit</a>.</p>`;

function Now({ told }) {
  const rows = state.more[each()]?.items || [];
  const sum = (name) => rows.reduce((total, rule) => total + rule[name], 0);
  const file = told.file && html`<code>${told.file}</code>`;
  return html`
    ${told.error && html`<p class="note line wrong" role="status"><b>The last change was not taken, and the rules before it stay:</b> ${told.error}</p>`}
    ${told.version === 0 && !told.file ? none() : ""}
    <dl class="facts">
      <${Fact} name="In force" value=${told.version ? `Version ${told.version}` : "Code alone"} note=${told.version ? everywhere() : "no live rules"}/>
      <${Fact} name="Last change" value=${told.at ? html`<${Ago} at=${told.at}/>` : "–"} note=${told.version ? `${actOf(told)} by ${told.who || "–"}` : "since the start"}/>
      <${Fact} name="Staged" value=${told.staged ? "In shadow" : "Nothing"} note=${told.staged ? "counts, and refuses nobody" : "what is staged runs beside it first"}/>
      <${Fact} name="Refused" value=${brief(sum("refused"))} note=${`by a rule, in ${chosenWindow()}`}/>
      <${Fact} name="Would have" value=${brief(sum("wouldRefuse"))} note="by rules in shadow"/>
    </dl>
    ${file && html`<p class="soft">The file ${file} is read too: its next change takes the place of what is in force.</p>`}
    ${told.staged && html`<section class="more"><h3>Staged <small>against what is in force</small></h3><${Diff} label="What is staged, against what is in force" old=${told.enforced} text=${told.staged}/>
      <div class="row"><${Button} kind="main" why=${why("rules:edit")} does=${enforceStaged}>Enforce it …<//>
        <${Button} kind="danger" why=${why("rules:edit")} does=${discard}>Discard it …<//>
        <a class="button" href=${to("rules", ["edit"])}>Edit it</a></div></section>`}`;
}

const Tools = ({ told }) => html`<div class="actions"><div class="row"><a class="button" href=${to("rules", ["edit"])}>Edit rules</a>
    <a class="button" href=${to("rules", ["explain"])}>Explain a request</a></div>
  <${Button} kind="danger" why=${told.version ? why("rules:edit") : "There is no version before"} does=${() => rollBack()}>Roll back …<//></div>`;

export const View = () => html`<${Nav}/>
  ${down() && html`<${Old} at=${state.more[RULES]?.meta?.time}/>`}
  <div class=${down() ? "old" : ""}><${Part} path=${RULES}>${(told) => html`<${Now} told=${told}/>`}<//>
    <${Part} path=${each()} tall="rows">${(told) => html`<${Each} told=${told}/>`}<//>
    ${state.more[RULES] && !state.more[RULES].error && html`<${Tools} told=${state.more[RULES]}/>`}</div>`;
