// What is always in sight: alerts that can be muted, and five cards with the last hour and what they mean.
import { brief, date, decimal, html, lasting, local, mib, ms, plural, time } from "../base.js";
import { act, may, refresh, set, state } from "../live.js";
import { Button, Status, Strip } from "../parts.js";
import { to } from "../router.js";

// --- alerts

const HOUR = 3_600; // seconds
const MARKS = { degraded: ["▲", "warn"], unhealthy: ["■", "bad"] };

const plain = () => location.protocol === "http:" && !["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

const mute = (code, seconds) => act("POST", `api/alerts/${encodeURIComponent(code)}/mute`, { seconds },
  () => (seconds ? "Muted for an hour: nobody is told of it." : "It is told again."));

function Alert({ check, alert }) {
  const [glyph, kind] = MARKS[check.status];
  return html`<div class=${`alert ${kind}`}><span><span aria-hidden="true">${glyph}</span> <span class="hidden">${check.status}: </span>${local(check.text)}
      ${check.since && html` <small>since ${time(check.since)}${alert?.count > 1 ? `, ${alert.count} times in a day` : ""}${alert?.mutedUntil ? `, muted until ${time(alert.mutedUntil)}` : ""}</small>`}</span>
    ${alert && may("alerts:mute") && html`<${Button} label=${`${alert.mutedUntil ? "Unmute" : "Mute 1 h"}: ${check.text}`}
      does=${() => mute(alert.code, alert.mutedUntil ? 0 : HOUR)}>${alert.mutedUntil ? "Unmute" : "Mute 1 h"}<//>`}</div>`;
}

export function Alerts() {
  if (state.signedOut) {
    return html`<div class="alert bad" role="alert">You are signed out. <a href="">Sign in again</a></div>`;
  }
  if (state.lost) {
    return html`<div class="alert bad" role="alert">Connection lost: ${state.lost.why}. These are the values of ${time(state.meta.time)};
      the next try is in ${state.lost.wait} s. <button type="button" class="button" onClick=${refresh}>Try now</button></div>`;
  }
  const { alerts } = state.hour;
  return html`<div role="status">
    ${state.health.checks.filter((check) => check.status !== "healthy")
      .map((check) => html`<${Alert} key=${check.name} check=${check} alert=${alerts.find((each) => each.code === check.name)}/>`)}
    ${state.skew !== 0 && html`<div class="alert">The clock of this browser is ${lasting(Math.abs(state.skew))} ${state.skew > 0 ? "ahead of" : "behind"} the server's, whose times are shown here.</div>`}
    ${state.me.who === "session" && plain() && html`<div class="alert">This connection is not encrypted: who listens to it can take over this session.</div>`}
  </div>`;
}

// --- cards

// Points from left to right; where nothing was measured the line has a gap.
export function Spark({ values, top = 0 }) {
  const highest = Math.max(top, ...values) || 1;
  const step = 100 / Math.max(values.length - 1, 1);
  let drawn = false;
  const path = values.map((value, n) => {
    const begins = drawn ? "L" : "M";
    drawn = value !== null;
    return drawn ? `${begins}${(n * step).toFixed(1)} ${(27 - (value / highest) * 25).toFixed(1)}${begins === "M" ? "h.1" : ""}` : "";
  }).join("");
  return html`<svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true"><line x1="0" y1="27.5" x2="100" y2="27.5"/><path d=${path}/></svg>`;
}

async function explain(name, event) {
  const at = event.currentTarget.getBoundingClientRect();
  const module = await import("./overview-meanings.js");
  set({ meaning: { module, name, at } });
}

const Card = ({ name, note, spark, kind = "", children }) => html`<div class=${`card ${kind}`}>
  <a class="name" href=${to("performance")}>${name}</a>
  <button type="button" class="what" aria-label=${`What ${name} means`} aria-haspopup="dialog" onClick=${(event) => explain(name, event)}>?</button>
  <span class="value">${children}</span><span class="note">${note}</span>${spark}</div>`;

const rate = (value) => (value === null || value === undefined ? "" : ` · ${decimal(value)} % errors`);

export function Cards() {
  const { health, meta, hour } = state;
  const { memory, cpu, uptime, api } = health;
  const load = cpu.load1 === undefined ? "" : ` · load ${decimal(cpu.load1)}`;
  const limit = memory.limitMB ? `, ${decimal(memory.percent)} % of ${mib(memory.limitMB)}` : "";
  return html`<section class="cards" aria-label="Overview">
    <${Card} kind=${`first ${health.status}`} name="System Status" spark=${html`<${Strip} values=${hour.status.map((each) => each || "")}/>`}
      note=${local(health.reasons[0] || "") || (health.checks.length ? `All ${health.checks.length} checks pass` : "Nothing to complain of")}><${Status} of=${health.status}/><//>
    <${Card} name="Memory" note=${`${mib(memory.rssMB)} resident${limit}`} spark=${html`<${Spark} values=${hour.memory}/>`}>${mib(memory.heapUsedMB)}<//>
    <${Card} name="CPU" note=${`of ${cpu.cores ? plural(cpu.cores, "core") : "all cores"}${load}`} spark=${html`<${Spark} values=${hour.cpu} top=${20}/>`}>${decimal(cpu.percent)} %<//>
    <${Card} name="Uptime" note=${`since ${date(uptime.startedAt)}${meta.processes > 1 ? ` · ${meta.processes} processes` : ""}`}>${uptime.processFormatted}<//>
    <${Card} name="Avg Response" note=${`p95 ${ms(api.p95)} · ${decimal(api.requestsPerSecond)} req/s${rate(api.errorRate) || ` · ${brief(api.requestCount)} in all`}`}
      spark=${html`<${Spark} values=${hour.response} top=${50}/>`}>${ms(api.avgResponseTime)}<//>
  </section>`;
}
