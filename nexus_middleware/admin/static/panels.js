// The four tabs.
import { brief, count, date, decimal, html, lasting, ms, percent, plural, time } from "./base.js";
import { act, down, matching, may, state } from "./live.js";
import { ask, Bar, Button, Empty, Fact, orNone, Status, Table } from "./parts.js";
import { Component } from "./vendor/preact.mjs";

const silent = () => (down() ? "Redis does not answer" : "");
const why = (right) => silent() || (may(right) ? "" : `This needs the right ${right}`);

const Old = ({ at }) => html`<p class="note line" role="status">
  Redis does not answer. ${at ? `These are the values of ${time(at)}.` : "Nothing was heard of it yet."}</p>`;

// --- cache

function clearCache(stats) {
  const what = plural(stats.keys, "key");
  ask({
    title: `Delete all ${what} of the cache?`,
    effect: "Values and stored responses are fetched anew when they are next asked for, which is slow at first. "
      + "Jobs, limits, sessions and blocked addresses stay. This cannot be undone.",
    verb: `Delete ${what}`,
    does: () => act("DELETE", `api/cache?expected=${stats.keys}`, null, (said) => `${plural(said.deleted, "key")} deleted.`),
  });
}

class ByPattern extends Component {
  state = { pattern: "", said: "" };

  look = async (event) => {
    event.preventDefault();
    const { pattern } = this.state;
    const path = `api/cache?pattern=${encodeURIComponent(pattern)}`;
    try {
      const found = await matching(`${path}&dryRun=1`);
      this.setState({ said: found ? "" : `No key fits ${pattern}` });
      if (found) this.confirm(path, pattern, found);
    } catch (error) {
      this.setState({ said: error.message });
    }
  };

  confirm(path, pattern, found) {
    const what = plural(found, "key");
    ask({
      title: `Delete ${what}?`,
      effect: `All that fit ${pattern} go; other values and the stored responses stay. This cannot be undone.`,
      verb: `Delete ${what}`,
      does: () => act("DELETE", `${path}&expected=${found}`, null, (said) => `${plural(said.deleted, "key")} deleted.`),
    });
  }

  render(_, { pattern, said }) {
    return html`<form class="row" onSubmit=${this.look}>
      <label class="field">Delete by pattern
        <input value=${pattern} required maxlength="512" placeholder="course:*" spellcheck="false" autocomplete="off"
          onInput=${(event) => this.setState({ pattern: event.target.value, said: "" })}/></label>
      <button class="button" disabled=${Boolean(why("cache:clear"))} title=${why("cache:clear") || undefined}>Find keys</button>
      <span class="said" role="status">${said}</span>
    </form>`;
  }
}

export function Cache() {
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
    </div>
    <div class="actions">
      <${ByPattern}/>
      <${Button} kind="danger" why=${why("cache:clear")} does=${() => clearCache(stats)}>Clear cache …<//>
    </div>`;
}

// --- queues

const queuePath = (name, action) => `api/queues/${encodeURIComponent(name)}/${action}`;
const steer = (name, action, done) => act("POST", queuePath(name, action), null, done);

function empty(name, queue) {
  const all = queue.waiting + queue.delayed;
  const what = plural(all, "job");
  ask({
    title: `Drop ${what} of ${name}?`,
    effect: "All that wait or are delayed go. Jobs that run now, and those that failed, stay. This cannot be undone.",
    verb: `Drop ${what}`,
    type: all > 100 ? name : "",
    does: () => steer(name, "empty", (said) => `${plural(said.count ?? all, "job")} dropped.`),
  });
}

const trouble = (queue) => queue.waiting > 0 && !queue.paused && queue.workers === 0;

function QueueState({ queue }) {
  if (queue.paused) return html`<span class="chip">paused</span>`;
  if (trouble(queue)) return html`<span class="chip bad">no workers</span>`;
  return html`<span class="chip ok">${queue.active ? "working" : "ready"}</span>`;
}

const QueueRow = ({ name, queue }) => html`<tr>
  <th scope="row">${name}</th>
  <td><${QueueState} queue=${queue}/></td>
  <td class="number strong">${count(queue.waiting)}</td>
  <td class="number">${count(queue.active)}</td>
  <td class="number">${count(queue.delayed)}</td>
  <td class="number ${queue.failed ? "bad" : ""}">${count(queue.failed)}</td>
  <td class="number">${brief(queue.completed)}</td>
  <td class="number">${queue.waiting ? lasting(queue.oldestWaitSeconds) : "–"}</td>
  <td class="number">${orNone(queue.workers)}</td>
  <td class="tools">
    ${queue.paused
      ? html`<${Button} label=${`Resume ${name}`} why=${why("queues:pause")} does=${() => steer(name, "resume", () => `${name} goes on.`)}>Resume<//>`
      : html`<${Button} label=${`Pause ${name}`} why=${why("queues:pause")} does=${() => steer(name, "pause", () => `${name} is paused.`)}>Pause<//>`}
    <${Button} label=${`Retry failed jobs of ${name}`} why=${queue.failed ? why("queues:retry") : "No job has failed"}
      does=${() => steer(name, "retry-failed", (said) => `${plural(said.count ?? queue.failed, "job")} put back.`)}>Retry<//>
    <${Button} kind="danger" label=${`Empty ${name}`} why=${queue.waiting + queue.delayed ? why("queues:delete") : "No job waits"}
      does=${() => empty(name, queue)}>Empty …<//>
  </td></tr>`;

export function Queues() {
  const last = state.last.queues;
  if (!last) return html`<${Old}/>`;
  if (last.state === "disabled") {
    return html`<${Empty} title="No queues are configured.">Jobs are kept in Redis. Set <code>NEXUS_STORE</code> to its URL,
      such as <code>redis://localhost:6379/0</code>, and start <code>nexus worker</code>.<//>`;
  }
  const names = Object.keys(last.stats);
  if (!names.length) return html`<${Empty} title="No job was ever queued.">A queue appears with its first job.<//>`;
  return html`
    ${state.queues.error && html`<${Old} at=${last.at}/>`}
    <div class=${state.queues.error ? "old" : ""}>
      <${Table} caption="Queues" heads=${["Queue", "State", "#Waiting", "#Active", "#Delayed", "#Failed", "#Completed", "#Oldest waits", "#Workers", ""]}>
        ${names.map((name) => html`<${QueueRow} key=${name} name=${name} queue=${last.stats[name]}/>`)}
      <//>
    </div>`;
}

// --- performance

const level = (value, degraded, unhealthy) => (value >= unhealthy ? "bad" : value >= degraded ? "warn" : "ok");
const share = (value) => Math.log10(1 + value) / 4; // 10 s fill the bar

const Latency = ({ name, value }) => html`<tr>
  <th scope="row">${name}</th>
  <td class="wide"><${Bar} share=${share(value || 0)} kind=${level(value, 1000, 5000)} label=${`${name} ${ms(value)}`}/></td>
  <td class="number">${value === null ? "–" : `≈ ${ms(value)}`}</td></tr>`;

export function Performance() {
  const { api, database, checks } = state.health;
  const minutes = Math.round((api.windowSeconds || 300) / 60);
  return html`
    <dl class="facts">
      <${Fact} name="Requests" value=${brief(api.requestCount)} note="in all"/>
      <${Fact} name="Requests per second" value=${decimal(api.requestsPerSecond)} note=${`over ${minutes} min`}/>
      <${Fact} name="Error rate" value=${percent(api.errorRate)} note=${api.errorRate === null ? "too few requests to tell" : "answers with 5xx"}/>
      <${Fact} name="Queries" value=${brief(database.queryCount)} note=${`${ms(database.avgQueryTime)} on average`}/>
      <${Fact} name="Slow queries" value=${count(database.slowCount)} note=${`95 % within ${ms(database.p95)}`}/>
    </dl>
    <div class="halves">
      <section><h3>Response time <small>${minutes} min, logarithmic</small></h3>
        <${Table} caption="Response time" heads=${["Share of requests", "", "#Within"]}>
          <${Latency} name="50 %" value=${api.p50}/><${Latency} name="95 %" value=${api.p95}/><${Latency} name="99 %" value=${api.p99}/>
        <//></section>
      <section><h3>Checks</h3>
        <${Table} caption="Checks" heads=${["Check", "Status"]}>
          ${checks.map((check) => html`<tr key=${check.name}><th scope="row">${check.text}</th><td><${Status} of=${check.status}/></td></tr>`)}
        <//></section>
    </div>
    <${Heaviest}/>`;
}

const Rows = ({ title, rows, name }) => html`<section class="more"><h3>${title} <small>by total time, this process since it started</small></h3>
  <${Table} caption=${title} heads=${[name, "Share of time", "#Count", "#Average", "#Longest", "#Slow", "#Errors"]}>
    ${rows.map((row) => html`<tr key=${row.endpoint || row.query}>
      <th scope="row" class="label"><code>${row.endpoint || row.query}</code></th>
      <td class="share"><${Bar} share=${row.share} label=${percent(row.share * 100)}/></td>
      <td class="number">${count(row.count)}</td><td class="number">${ms(row.avg)}</td><td class="number">${ms(row.max)}</td>
      <td class="number">${count(row.slow)}</td><td class="number ${row.errors ? "bad" : ""}">${count(row.errors)}</td></tr>`)}
  <//></section>`;

function Heaviest() {
  const found = state.more["api/performance"];
  if (!found) return html`<p class="soft" aria-busy="true">Loading …</p>`;
  if (!found.endpoints.length && !found.queries.length) {
    return html`<${Empty} title="Nothing was measured yet.">Requests to the app are measured as they come; those to this page are not.<//>`;
  }
  return html`${found.endpoints.length > 0 && html`<${Rows} title="Endpoints" name="Endpoint" rows=${found.endpoints}/>`}
    ${found.queries.length > 0 && html`<${Rows} title="Queries" name="Query" rows=${found.queries}/>`}`;
}

// --- security

const LASTS = [["3600", "1 hour"], ["86400", "1 day"], ["604800", "1 week"], ["", "for good"]];

class Block extends Component {
  state = { address: "", reason: "", lasts: "86400", pending: false };

  block = async (event) => {
    event.preventDefault();
    const { address, reason, lasts } = this.state;
    this.setState({ pending: true });
    const body = { address: address.trim(), reason, lasts: lasts ? Number(lasts) : null };
    const done = await act("POST", "api/security/blocked", body, (said) => `${said.address} is blocked.`);
    this.setState(done ? { address: "", reason: "", pending: false } : { pending: false });
  };

  take = (name) => (event) => this.setState({ [name]: event.target.value });

  render(_, { address, reason, lasts, pending }) {
    const no = why("security:block");
    return html`<form class="row" onSubmit=${this.block}>
      <label class="field">Address or network
        <input value=${address} required maxlength="64" placeholder="192.0.2.0/24" spellcheck="false" autocomplete="off" onInput=${this.take("address")}/></label>
      <label class="field grow">Reason
        <input value=${reason} maxlength="200" placeholder="seen by everyone who may look here" onInput=${this.take("reason")}/></label>
      <label class="field">For
        <select value=${lasts} onChange=${this.take("lasts")}>${LASTS.map(([value, text]) => html`<option value=${value}>${text}</option>`)}</select></label>
      <button class="button main" disabled=${Boolean(no) || pending} title=${no || undefined}>Block</button>
    </form>`;
  }
}

const unblock = (address) =>
  act("DELETE", `api/security/blocked?address=${encodeURIComponent(address)}`, null, () => `${address} may call again.`);

function Blocked() {
  const blocked = state.more["api/security/blocked"];
  if (!blocked) return html`<p class="soft" aria-busy="true">Loading …</p>`;
  if (!blocked.items.length) {
    return html`<${Empty} title="Nobody is blocked.">An address that is blocked gets a 403 from every process within a second.<//>`;
  }
  return html`<${Table} caption="Blocked addresses" heads=${["Address", "Reason", "Since", "Until", ""]}>
    ${blocked.items.map((item) => html`<tr key=${item.address}>
      <th scope="row"><code>${item.address}</code></th><td class="text">${orNone(item.reason)}</td>
      <td>${date(item.since)}</td><td>${item.until ? date(item.until) : "for good"}</td>
      <td class="tools"><${Button} label=${`Unblock ${item.address}`} why=${why("security:unblock")} does=${() => unblock(item.address)}>Unblock<//></td></tr>`)}
  <//>`;
}

function Events() {
  const items = state.more["api/security/events"]?.items || [];
  return items.length > 0 && html`<section class="more"><h3>What was done</h3>
    <${Table} caption="What was done" heads=${["When", "What", "Address", "Reason"]}>
      ${items.slice(0, 20).map((item) => html`<tr key=${item.at + item.address}>
        <th scope="row" class="plain">${date(item.at)}</th><td>${item.kind}</td><td><code>${item.address}</code></td>
        <td class="text">${orNone(item.reason)}</td></tr>`)}
    <//></section>`;
}

export const Security = () => html`
  <h3>Blocked addresses</h3>
  ${down() && html`<${Old} at=${state.more["api/security/blocked"]?.meta.time}/>`}
  <div class=${down() ? "old" : ""}><${Blocked}/></div>
  <div class="actions"><${Block}/></div>
  <p class="soft">Your own address is <code>${state.me.address}</code>; it cannot be blocked from here.</p>
  <${Events}/>`;
