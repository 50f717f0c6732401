// What was decided about requests: refusals of all processes, newest first, or all that this process has kept.
import { date, html, plural } from "../base.js";
import { down, state } from "../live.js";
import { Empty, Old } from "../parts.js";
import { to } from "../router.js";
import { Decided } from "./decision.js";
import { Part, Request } from "./part.js";
import { Pages } from "./pieces.js";
import { asked, choose, Nav, Typed } from "./rules-parts.js";

const PAGE = 50;
const OUTCOMES = { "": "Refused or would have", refused: "Refused", "would refuse": "Would have, in shadow" };
const CHIPS = { refused: "bad", "would refuse": "warn", passed: "ok" };

function list() {
  const given = Object.entries({ limit: PAGE, here: asked("here") === "1" ? "1" : "" })
    .concat(["outcome", "rule", "client", "cursor"].map((name) => [name, asked(name)])).filter(([, value]) => value);
  return `api/decisions?${new URLSearchParams(given)}`;
}

export const paths = () => [list()];

function find(event) {
  event.preventDefault();
  const id = event.currentTarget.elements[0].value.trim();
  if (id) location.hash = to("performance", ["request", id]);
}

const Find = () => html`<form class="row find" role="search" onSubmit=${find}><label class="field grow">Request id
    <input type="search" maxlength="200" required spellcheck=${false} autocomplete="off" placeholder="as X-Request-ID told it"/></label>
  <button class="button">Find its decisions</button></form>`;

const Filters = () => html`<form class="row filters" onSubmit=${(event) => event.preventDefault()}>
  <label class="field">Outcome <select onChange=${choose("outcome")}>${Object.entries(OUTCOMES).map(([value, text]) => html`<option value=${value} selected=${value === asked("outcome")}>${text}</option>`)}</select></label>
  <${Typed} name="rule" label="Rule" hint="sign-in" value=${asked("rule")}/>
  <${Typed} name="client" label="Client" hint="192.0.2.7" value=${asked("client")}/>
  <label class="field">Of <select onChange=${choose("here")}><option value="" selected=${asked("here") !== "1"}>all processes, refusals</option>
    <option value="1" selected=${asked("here") === "1"}>this process, passed ones too</option></select></label></form>`;

const against = (record) => record.decisions.flatMap((decision) => {
  const rules = decision.rules.filter((rule) => !rule.allowed).map((rule) => rule.rule);
  return rules.length ? rules : decision.status >= 400 ? [decision.layer] : [];
});

const One = ({ record }) => html`<li><details><summary>
    <span class="soft">${date(record.at)}</span> <span class=${`chip ${CHIPS[record.outcome] || ""}`}>${record.outcome}</span>
    <code>${record.client || "–"}</code> <span class="path"><code>${record.method} ${record.path}</code></span> <b>${[...new Set(against(record))].join(", ")}</b></summary>
  <p>Answered ${record.status}. Request <${Request} id=${record.request_id}/>: its time, jobs and lines of the log.
    ${record.client && html` All of <a href=${to("rules", ["decisions"], { client: record.client })}>${record.client}</a>, <a href=${to("security", ["limits"], { key: record.client })}>its limits</a>.`}</p>
  <${Decided} record=${record}/></details></li>`;

function List({ told }) {
  const { items } = told;
  if (!items.length) {
    return asked("outcome") || asked("rule") || asked("client")
      ? html`<${Empty} title="No decision fits."><a href=${to("rules", ["decisions"])}>Take the filters away</a>.<//>`
      : html`<${Empty} title="Nothing was refused.">Refusals, and those that rules in shadow would have made, are kept for a day, the newest 10,000 of them. NEXUS_DECISION_SAMPLE keeps a share of the others.<//>`;
  }
  return html`<ul class="errors events">${items.map((record) => html`<${One} key=${record.id} record=${record}/>`)}</ul>
    <${Pages} items=${items.length} next=${told.nextCursor} first=${Boolean(asked("cursor"))} what=${`${plural(items.length, "decision")} on this page`}/>`;
}

export const View = () => html`<${Nav}/>
  ${down() && html`<${Old} at=${state.more[list()]?.meta?.time}/>`}
  <${Find}/><${Filters}/>
  <div class=${down() ? "old" : ""}><${Part} path=${list()} tall="rows">${(told) => html`<${List} key=${list()} told=${told}/>`}<//></div>`;
