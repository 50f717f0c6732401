// What each figure of the cards is, exactly; the same as in the documentation.
import { html } from "../base.js";
import { set } from "../live.js";
import { Component, createRef } from "../vendor/preact.mjs";

const MEANINGS = {
  "System Status": [
    "The worst of the checks. One turns worse only after it was bad for its time, and better after two good samples.",
    ["The strip", "The last hour by the minute: whether an alert was on, degraded or unhealthy. Blank where no process ran."],
    ["Redis", "It is needed by none of the app's answers, so that its loss alone makes the status degraded."],
  ],
  Memory: [
    "Private resident memory: what the process has for itself, the resident set less what it shares (on Linux), else the unique set size. It is not Python's heap.",
    ["Resident", "The resident set, in MiB (2²⁰ bytes); of all live processes together."],
    ["Limit", "That of the control group, else the machine's memory."],
    ["The line", "Resident memory over the last hour."],
  ],
  CPU: [
    "Processor time that the processes used, by the time that passed and the cores they may use, over the last 10 s: 0 to 100 %. Nothing is known before the first 10 s.",
    ["Cores", "Those that affinity or the control group's quota leave."],
    ["Load", "The machine's average run queue over a minute."],
  ],
  Uptime: ["How long the process that has run longest has been running.", ["Processes", "Those that were heard of in the last seconds."]],
  "Avg Response": [
    "The mean time from the first call of the app to the last byte sent, over 5 minutes. Streams and websockets are apart; the dashboard, its API and the probes are not counted.",
    ["p95", "95 % took no longer. From a histogram whose buckets grow by 19 %, so it is at most 9 % off."],
    ["req/s", "Finished requests a second, over 5 minutes."],
    ["Errors", "Answers with 5xx, and exceptions, among all; not shown below 20 requests."],
    ["In all", "Requests of all processes since ever, as Redis counts them; without Redis, of this process since it started."],
    ["The line", "The mean of each minute of the last hour."],
  ],
};

const WIDE = 320; // pixels

export class Meaning extends Component {
  box = createRef();

  componentDidMount() {
    const { current } = this.box;
    const { at } = this.props;
    current.style.left = `${Math.max(12, Math.min(at.left, innerWidth - WIDE - 12))}px`;
    current.style.top = `${Math.min(at.bottom + 6, innerHeight * 0.28)}px`; // it is no taller than 70 % of the page
    current.showPopover();
    current.focus();
  }

  closed = (event) => {
    if (event.newState === "closed") set({ meaning: null });
  };

  render({ name }) {
    const [first, ...more] = MEANINGS[name];
    return html`<div class="meaning" popover="auto" role="dialog" aria-label=${`What ${name} means`} tabindex="-1" ref=${this.box} onToggle=${this.closed}>
      <b>${name}</b><p>${first}</p>${more.length > 0 && html`<dl>${more.map(([term, text]) => html`<dt key=${term}>${term}</dt><dd>${text}</dd>`)}</dl>`}</div>`;
  }
}
