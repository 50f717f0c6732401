// What the views of rules share: links between them, a change and what comes of it, two texts compared.
import { count, html, plural } from "../base.js";
import { call, refreshAnew, say, set, state } from "../live.js";
import { ask } from "../parts.js";
import { here, to, turned } from "../router.js";
import { Component } from "../vendor/preact.mjs";
import { Parts } from "./part.js";

await new Promise((done) => {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("rules.css", import.meta.url), onload: done, onerror: done });
  document.head.append(link);
});

export const RULES = "api/rules";
export const rules = () => state.more[RULES];
export const everywhere = () => (state.meta.scope === "cluster" ? "in all processes" : "in this process");

export const Nav = () => html`<${Parts} view="rules" label="Rules" parts=${[
  ["", "In force"], ["edit", "Edit"], ["versions", "Versions"], ["decisions", "Decisions"], ["explain", "Explain"]]}/>`;

// Ask for a change of the rules: what came of it, or the error, which has the line.
export async function change(body, done) {
  try {
    const said = await call("POST", RULES, body);
    say(done(said));
    await refreshAnew();
    return null;
  } catch (error) {
    if (error.status === 401) set({ signedOut: true });
    return error;
  }
}

const told = (error) => error && say(`That did not work: ${error.message}`, true);

const AFTER = "What was counted stays; requests under way keep the rules they began with. Each version is kept, so this can be undone.";

export function rollBack(to) {
  const now = rules();
  ask({
    title: to ? `Roll back to version ${to}?` : "Roll back to what was in force before?",
    effect: `It holds ${everywhere()} within a second${now.staged ? ", and what is staged is taken back" : ""}. ${AFTER}`,
    verb: "Roll back",
    does: async () => told(await change({ action: "rollback", version: now.version, to: to || 0 }, (said) => `Version ${said.version} is in force.`)),
  });
}

export function enforceStaged() {
  const now = rules();
  ask({
    title: "Enforce what is staged?",
    effect: `${diffOf(now.enforced, now.staged).said}, against what is in force. It refuses ${everywhere()} within a second. ${AFTER}`,
    verb: `Enforce version ${now.version + 1}`,
    does: async () => told(await change({ action: "enforce", version: now.version }, (said) => `Version ${said.version} is in force.`)),
  });
}

export function discard() {
  const now = rules();
  ask({
    title: "Discard what is staged?",
    effect: `It no longer counts ${everywhere()}; what is in force stays. Its text is kept as version ${now.version}.`,
    verb: "Discard",
    does: async () => told(await change({ action: "discard", version: now.version }, () => "Nothing is staged any more.")),
  });
}

// --- two texts compared

const NEAR = 3; // lines shown around a change
const MOST = 4_000_000; // cells of the table of what both have; beyond it the texts are told whole

const lines = (text) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

// What to take out of `old` and put in for `text`, by the longest common run of lines.
function compared(old, text) {
  let start = 0;
  while (start < old.length && start < text.length && old[start] === text[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < text.length - start && old[old.length - 1 - end] === text[text.length - 1 - end]) end += 1;
  const [a, b] = [old.slice(start, old.length - end), text.slice(start, text.length - end)];
  const same = (part) => part.map((line) => [" ", line]);
  return [...same(old.slice(0, start)), ...middle(a, b), ...same(end ? old.slice(-end) : [])];
}

function middle(a, b) {
  if (a.length * b.length > MOST) return [...a.map((line) => ["-", line]), ...b.map((line) => ["+", line])];
  const wide = b.length + 1;
  const best = new Uint32Array((a.length + 1) * wide); // of what follows (i, j)
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      best[i * wide + j] = a[i] === b[j] ? best[(i + 1) * wide + j + 1] + 1 : Math.max(best[(i + 1) * wide + j], best[i * wide + j + 1]);
    }
  }
  const found = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) found.push([" ", a[i]]), (i += 1), (j += 1);
    else if (j >= b.length || (i < a.length && best[(i + 1) * wide + j] >= best[i * wide + j + 1])) found.push(["-", a[i]]), (i += 1);
    else found.push(["+", b[j]]), (j += 1);
  }
  return found;
}

export function diffOf(old, text) {
  const rows = compared(lines(old), lines(text));
  const [added, removed] = ["+", "-"].map((mark) => rows.filter(([each]) => each === mark).length);
  const said = added + removed ? `${plural(added, "line")} more, ${plural(removed, "line")} less` : "No difference";
  return { rows, changed: added + removed > 0, said };
}

const WORDS = { "+": "added: ", "-": "removed: " };

// The lines that changed, with those near them; it is worked out anew only for other texts.
export class Diff extends Component {
  shouldComponentUpdate(next) {
    return next.old !== this.props.old || next.text !== this.props.text;
  }

  render({ old, text, label }) {
    const { rows, changed, said } = diffOf(old, text);
    if (!changed) return html`<p class="soft">${said}.</p>`;
    const near = rows.map((_, n) => rows.slice(Math.max(0, n - NEAR), n + NEAR + 1).some(([mark]) => mark !== " "));
    const shown = rows.map(([mark, line], n) => (near[n]
      ? html`<li key=${n} class=${mark === "+" ? "added" : mark === "-" ? "removed" : ""}><span aria-hidden="true">${mark}</span><span class="hidden">${WORDS[mark] || ""}</span><code>${line}</code></li>`
      : near[n - 1] || n === 0 ? html`<li key=${n} class="gap"><span aria-hidden="true">⋯</span><span class="hidden">unchanged lines left out</span></li>` : null));
    return html`<div class="diff" role="region" tabindex="0" aria-label=${label}><ol>${shown}</ol></div><p class="soft">${said}.</p>`;
  }
}

// --- filters that are part of the address

export const asked = (name) => here().query.get(name) || "";

export const choose = (name) => (event) => {
  event.preventDefault();
  location.hash = turned({ [name]: event.target.value.trim(), cursor: "" });
};

// A filter that is typed: what was not sent yet outlives a refresh, and another address sets it.
export class Typed extends Component {
  static getDerivedStateFromProps = ({ value }, { was }) => (value === was ? null : { text: value, was: value });

  state = { text: "", was: null };

  render({ name, label, hint }, { text }) {
    return html`<label class="field">${label} <input type="search" maxlength="200" spellcheck=${false} autocomplete="off" placeholder=${hint} value=${text}
      onInput=${(event) => this.setState({ text: event.target.value })} onChange=${choose(name)}/></label>`;
  }
}

// How often a rule spoke against a request; the number leads to the decisions.
export const Spoke = ({ rule, outcome, value }) => (value
  ? html`<a class="quiet" href=${to("rules", ["decisions"], { rule, outcome })} aria-label=${`${count(value)} times ${outcome} by ${rule || "it"}`}>${count(value)}</a>` : "0");
