// The versions of the rules: who did what and when, what each changed, and the way back.
import { date, html } from "../base.js";
import { down, state } from "../live.js";
import { Button, Empty, Old, Table, why } from "../parts.js";
import { here, to } from "../router.js";
import { Part } from "./part.js";
import { Ago, Text } from "./pieces.js";
import { startFrom } from "./rules-edit.js";
import { actOf } from "./rules.js";
import { Diff, Nav, rollBack, RULES } from "./rules-parts.js";

const number = () => here().parts[1] || "";
const one = () => `api/rules/versions/${encodeURIComponent(number())}`;

export const paths = () => (number() ? [RULES, one()] : [RULES]);

function All({ told }) {
  if (!told.history.length) {
    return html`<${Empty} title="There is no version yet.">The first one comes with a rules file (<code>NEXUS_RULES</code>), or with what is staged or enforced under <a href=${to("rules", ["edit"])}>Edit</a>.<//>`;
  }
  return html`<h3>Versions <small>the newest 50 are kept</small></h3><${Table} caption="Versions of the rules" heads=${["Version", "What", "By", "When", ""]}>
    ${told.history.map((each) => html`<tr key=${each.version}><th scope="row"><a href=${to("rules", ["versions", String(each.version)])}>Version ${each.version}</a></th>
      <td>${actOf(each)}${each.version === told.version ? html` <span class="chip ok">newest</span>` : ""}</td><td class="text"><code>${each.who || "–"}</code></td>
      <td>${date(each.at)} <small class="soft"><${Ago} at=${each.at}/></small></td>
      <td class="tools">${each.version !== told.version && html`<${Button} label=${`Roll back to version ${each.version}`} why=${why("rules:edit")} does=${() => rollBack(each.version)}>Roll back …<//>`}</td></tr>`)}<//>`;
}

function One({ told }) {
  const now = state.more[RULES];
  if (!now || now.error) return "";
  const edit = () => {
    startFrom(told.staged || told.enforced);
    location.hash = to("rules", ["edit"]);
  };
  return html`<p class="soft">${actOf(told)} by <code>${told.who || "–"}</code>, ${date(told.at)} (<${Ago} at=${told.at}/>)</p>
    <section class="more"><h3>What it enforced <small>against what is in force now</small></h3><${Diff} key=${told.version} label="This version, against what is in force" old=${now.enforced} text=${told.enforced}/></section>
    ${told.staged && html`<section class="more"><h3>What was staged <small>against what it enforced</small></h3><${Diff} label="What was staged" old=${told.enforced} text=${told.staged}/></section>`}
    <section class="more">${told.enforced ? html`<${Text} title="Text" text=${told.enforced}/>` : html`<p class="soft">It enforced no live rules: those in code held alone.</p>`}</section>
    <div class="row"><${Button} does=${edit}>Edit from here<//>
      <${Button} kind="danger" why=${told.version === now.version ? "This is the newest" : why("rules:edit")} does=${() => rollBack(told.version)}>Roll back to it …<//></div>`;
}

export const View = () => html`<${Nav}/>
  ${down() && html`<${Old} at=${state.more[RULES]?.meta?.time}/>`}
  <div class=${down() ? "old" : ""}>${number()
    ? html`<h3 class="title"><a href=${to("rules", ["versions"])}>Versions</a> › ${number()}</h3><${Part} path=${one()} tall="rows">${(told) => html`<${One} told=${told}/>`}<//>`
    : html`<${Part} path=${RULES} tall="rows">${(told) => html`<${All} told=${told}/>`}<//>`}</div>`;
