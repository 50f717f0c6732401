// The editor of the rules: checked before they are taken, staged in shadow first, compared with what is in force.
import { html, plural } from "../base.js";
import { down, state } from "../live.js";
import { ask, Button, Old, why } from "../parts.js";
import { to } from "../router.js";
import { Component, createRef } from "../vendor/preact.mjs";
import { Part } from "./part.js";
import { change, Diff, diffOf, everywhere, Nav, RULES, rules } from "./rules-parts.js";

const EXAMPLE = '[[limit]]\nname = "sign-in"\nlimit = "5/15minutes"\npath = "/login"\nmethods = ["POST"]\n';
const MOST = 60_000; // characters

export const paths = () => [RULES];

let draft = null; // what was written, though another view was looked at meanwhile; `base` is what it began with

const begun = ({ staged, enforced, version }, text = staged || enforced) => ({ text, version, base: staged || enforced });

export const startFrom = (text) => { draft = begun(rules(), text); };

class Editor extends Component {
  area = createRef();
  numbers = createRef();
  state = { error: null, fine: "", pending: false };

  write = (event) => {
    draft.text = event.target.value;
    this.setState({ error: null, fine: "" });
  };

  // The numbers beside the lines go along.
  roll = () => { this.numbers.current.scrollTop = this.area.current.scrollTop; };

  send = async (action, done) => {
    this.setState({ pending: true, error: null, fine: "" });
    const error = await change({ action, text: draft.text, version: draft.version }, (said) => {
      if (action !== "validate") draft = { text: draft.text, base: draft.text, version: said.version };
      return done(said);
    });
    this.setState({ pending: false, error, fine: !error && action === "validate" ? "These rules can be taken." : "" });
    if (error?.told.line) this.show(error.told.line);
  };

  // Put the cursor on the line that is wrong, and scroll there.
  show(line) {
    const area = this.area.current;
    const before = draft.text.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(before, before + (draft.text.split("\n")[line - 1] || "").length);
    area.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(area).lineHeight));
    this.roll();
  }

  enforce = () => ask({
    title: `Enforce these rules ${everywhere()}?`,
    effect: `${diffOf(this.props.told.enforced, draft.text).said}, against version ${this.props.told.version}. They refuse within a second. `
      + "Stage them first to see whom they would refuse. Each version is kept, so this can be rolled back.",
    verb: `Enforce version ${draft.version + 1}`,
    does: () => this.send("enforce", (said) => `Version ${said.version} is in force.`),
  });

  renew = () => {
    draft.version = this.props.told.version;
    this.setState({ error: null });
  };

  reset = () => {
    draft = begun(this.props.told, this.props.told.enforced);
    this.setState({ error: null, fine: "" });
  };

  render({ told }, { error, fine, pending }) {
    if (!draft || (draft.text === draft.base && draft.version < told.version)) draft = begun(told);
    const { text, version } = draft;
    const no = why("rules:edit");
    const wrong = error?.told.line || 0;
    const empty = text.trim() ? "" : "Write rules first";
    return html`
      ${version !== told.version && html`<p class="note line" role="status">Version ${told.version} came meanwhile, by ${told.who || "–"}; your text is based on version ${version}.
        ${" "}<button type="button" class="button" onClick=${this.renew}>Base it on version ${told.version}</button></p>`}
      <div class=${`editor ${error ? "wrong" : ""}`}>
        <ol class="numbers" aria-hidden="true" ref=${this.numbers}>${text.split("\n").map((_, n) => html`<li key=${n} class=${n + 1 === wrong ? "wrong" : ""}>${n + 1}</li>`)}</ol>
        <textarea ref=${this.area} aria-label="Rules, in TOML" aria-invalid=${error ? "true" : undefined} aria-describedby="said" spellcheck=${false} autocomplete="off" autocapitalize="off" wrap="off"
          maxlength=${MOST} rows="18" readOnly=${Boolean(no) && !down()} placeholder=${EXAMPLE} value=${text} onInput=${this.write} onScroll=${this.roll}/></div>
      <p id="said" class=${`judged ${error ? "bad" : "healthy"}`} role="status">${error ? html`<span aria-hidden="true">■</span> ${error.message}` : fine && html`<span aria-hidden="true">●</span> ${fine}`}</p>
      <div class="row middle">
        <${Button} why=${pending ? "Working …" : empty || no} does=${() => this.send("validate", () => "These rules can be taken.")}>Check<//>
        <${Button} kind="main" why=${pending ? "Working …" : empty || no} does=${() => this.send("stage", () => `They run in shadow ${everywhere()}, and refuse nobody.`)}>Stage as shadow<//>
        <${Button} kind="danger" why=${pending ? "Working …" : empty || no} does=${this.enforce}>Enforce …<//>
        ${text !== told.enforced && html`<${Button} does=${this.reset}>Back to what is in force<//>`}
        <span class="soft">${no || `${plural(text.split("\n").length, "line")} · based on version ${version}`}</span></div>
      <section class="more"><h3>Against what is in force <small>version ${told.version}</small></h3><${Diff} label="Your text, against what is in force" old=${told.enforced} text=${text}/></section>
      <p class="soft">A rule takes the place of one of the same name in code. What is staged counts as ${" "}<code>name.staged</code>, refuses nobody and shows in no answer;
        ${" "}<a href=${to("rules")}>the list</a> tells what it would have refused.</p>`;
  }
}

export const View = () => html`<${Nav}/>
  ${down() && html`<${Old} at=${state.more[RULES]?.meta?.time}/>`}
  <${Part} path=${RULES} tall="rows">${(told) => html`<${Editor} told=${told}/>`}<//>`;
