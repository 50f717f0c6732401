// The newest lines of the log, by level, text and request; and the level from which on lines are written.
import { count, date, html, ms, plural, time } from "../base.js";
import { act, may } from "../live.js";
import { Empty, why } from "../parts.js";
import { here, turned } from "../router.js";
import { Component, createRef } from "../vendor/preact.mjs";
import { Part, Request } from "./part.js";

const LEVELS = { debug: "Everything", http: "Requests and worse", info: "Information and worse", warn: "Warnings and worse", error: "Errors" };
const KINDS = { error: "bad", warn: "warn" };
const OWN_FIELDS = ["at", "level", "event", "exception", "request_id", "traceparent"];

const asked = (name) => here().query.get(name) || "";

function lines() {
  const query = new URLSearchParams({ level: LEVELS[asked("level")] ? asked("level") : "debug", limit: 200 });
  for (const name of ["q", "request"]) if (asked(name)) query.set(name, asked(name));
  return `api/logs?${query}`;
}

export const paths = () => (may("logs:read") ? [lines(), "api/logs/level"] : []);

const choose = (name) => (event) => { location.hash = turned({ [name]: event.target.value.trim() }); };

const Filters = () => html`<form class="row filters" onSubmit=${(event) => event.preventDefault()}>
  <label class="field">Show <select onChange=${choose("level")}>
    ${Object.entries(LEVELS).map(([value, text]) => html`<option value=${value} selected=${value === (asked("level") || "debug")}>${text}</option>`)}</select></label>
  <label class="field grow">Text <input type="search" maxlength="200" spellcheck="false" autocomplete="off" value=${asked("q")} onChange=${choose("q")}/></label>
  <label class="field grow">Request id <input maxlength="64" spellcheck="false" autocomplete="off" value=${asked("request")} onChange=${choose("request")}/></label>
  <label class="check"><input type="checkbox" checked=${asked("own") === "1"} onChange=${(event) => { location.hash = turned({ own: event.target.checked ? "1" : "" }); }}/> This page's own requests</label>
</form>`;

function Level({ told }) {
  const no = why("logs:level");
  const set = (event) => act("PUT", "api/logs/level", { level: event.target.value || null },
    (said) => `Lines are written from ${said.level} on${said.level === said.configured ? "" : ", for an hour"}.`);
  return html`<div class="row levels"><label class="field">Written from
    <select disabled=${Boolean(no)} title=${no || undefined} onChange=${set}>
      <option value="" selected=${told.level === told.configured}>${told.configured}, as the settings say</option>
      ${Object.keys(LEVELS).filter((name) => name !== told.configured).map((name) => html`<option value=${name} selected=${name === told.level}>${name}, for an hour</option>`)}
    </select></label><span class="soft">${no || "In all processes within a second."}</span></div>`;
}

const own = (line) => line.kind === "request" && String(line.path).startsWith(location.pathname);

function Line({ line }) {
  const more = Object.entries(line).filter(([name]) => !OWN_FIELDS.includes(name));
  return html`<li class=${KINDS[line.level] || ""}><details><summary><time class="soft" datetime=${line.at} title=${date(line.at)}>${time(line.at)}</time> <span class=${`chip ${KINDS[line.level] || ""}`}>${line.level}</span> <span class="event">${line.kind === "request" ? `${line.method} ${line.path} ${line.status}` : line.event}</span>${line.kind === "request" && html` <span class="soft">${ms(line.ms)}</span>`}</summary>
    <dl class="pairs">${line.request_id && html`<dt>request</dt><dd><${Request} id=${line.request_id}/></dd>`}
      ${more.map(([name, value]) => html`<dt key=${name}>${name}</dt><dd><code>${typeof value === "string" ? value : JSON.stringify(value)}</code></dd>`)}</dl>
    ${line.exception && html`<pre tabindex="0" aria-label="Traceback">${line.exception}</pre>`}</details></li>`;
}

// Newest at the end, as in a terminal; it follows only while its end is in sight.
class Tail extends Component {
  box = createRef();

  componentDidMount = () => this.toEnd();

  getSnapshotBeforeUpdate() {
    const { scrollTop, scrollHeight, clientHeight } = this.box.current;
    return scrollHeight - scrollTop - clientHeight < 24;
  }

  componentDidUpdate(_props, _state, follows) {
    if (follows) this.toEnd();
  }

  toEnd() {
    this.box.current.scrollTop = this.box.current.scrollHeight;
  }

  render({ items }) {
    return html`<div class="tail" ref=${this.box} role="region" tabindex="0" aria-label="Lines of the log, newest last">
      <ol class="lines">${items.map((line) => html`<${Line} key=${line.key} line=${line}/>`)}</ol></div>`;
  }
}

// Lines have no id: those that are alike in all are told apart by how often they came before.
function keyed(items) {
  const seen = new Map();
  return items.map((line) => {
    const text = JSON.stringify(line);
    const n = (seen.get(text) || 0) + 1;
    seen.set(text, n);
    return { ...line, key: `${text}#${n}` };
  });
}

function Lines({ told }) {
  if (told.state === "disabled") {
    return html`<div class="empty"><b>No log files are kept.</b><p>The dashboard shows lines of files alone, and only where the host keeps some:</p>
      <pre tabindex="0" aria-label="How to keep log files">${"export NEXUS_LOG_DIR=logs\nexport NEXUS_LOG_LEVEL=info"}</pre></div>`;
  }
  const items = keyed([...told.items].reverse()).filter((line) => asked("own") === "1" || !own(line));
  if (!items.length) return html`<${Empty} title="No line fits.">${told.complete ? "All files were looked through." : "The newest part of the files was looked through, and older lines may fit."}<//>`;
  return html`<${Tail} items=${items} key=${lines()}/><p class="soft">${plural(items.length, "line")}${told.complete ? "" : "; there may be older ones"}.
    ${told.items.length > items.length ? ` ${count(told.items.length - items.length)} of this page's own are left out.` : ""}</p>`;
}

export function View() {
  if (!may("logs:read")) return html`<${Empty} title="The log is not for you.">This needs the right logs:read.<//>`;
  return html`<${Filters}/><${Part} path=${lines()} tall="rows">${(told) => html`<${Lines} told=${told}/>`}<//>
    <div class="actions"><${Part} path="api/logs/level">${(told) => html`<${Level} told=${told}/>`}<//></div>`;
}
