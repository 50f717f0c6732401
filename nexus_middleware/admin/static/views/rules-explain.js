// A request that is only asked about: which rules it would meet, and what they would do.
import { html } from "../base.js";
import { call } from "../live.js";
import { Empty, Loading, Table } from "../parts.js";
import { here, to } from "../router.js";
import { Component } from "../vendor/preact.mjs";
import { asked, Nav } from "./rules-parts.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

const BODIED = ["POST", "PUT", "PATCH"];
const CALL = '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search"}}';

export const paths = () => []; // what was asked once does not change

const Meets = ({ line }) => html`<span class=${`status ${line.meets ? "degraded" : "disabled"}`}><span aria-hidden="true">${line.meets ? "●" : "○"}</span><span class="hidden">${line.meets ? "met: " : "not met: "}</span></span>`;

function Lines({ of, client }) {
  return html`<p class=${`verdict ${of.refused ? "unhealthy" : "healthy"}`}><span aria-hidden="true">${of.refused ? "■" : "●"}</span>
      ${of.refused ? " It would be refused, whatever was counted." : " Nothing refuses it, unless a limit is used up."}</p>
    ${of.state === "unknown" && html`<p class="note line">This dashboard runs beside the app, so only the live rules were asked.</p>`}
    ${of.rules.length ? html`<${Table} caption="Rules that the request meets" heads=${["Rule", "What it does"]}>
      ${of.rules.map((line, n) => html`<tr key=${n} class=${line.meets ? "" : "gone"}><th scope="row" class="label">${line.rule ? html`<b>${line.rule}</b><small class="soft">${line.layer}</small>` : html`<b>${line.layer}</b>`}</th>
        <td class="text"><${Meets} line=${line}/> ${line.does}</td></tr>`)}<//>` : html`<${Empty} title="Nothing here judges requests."/>`}
    <p class="soft">How far its limits are used: <a href=${to("security", ["limits"], { key: client })}>limits of ${client}</a>. In a terminal: <code>nexus explain</code>.</p>`;
}

// Method, path and client are a part of the address; headers and body are not, since they may be secret.
class Ask extends Component {
  state = { method: asked("method") || "GET", path: asked("path"), client: asked("client"), headers: "", body: "", told: null, error: "", pending: false };

  componentDidMount() {
    if (this.state.path) this.ask();
  }

  take = (name) => (event) => this.setState({ [name]: event.target.value });

  ask = async (event) => {
    event?.preventDefault();
    const { method, client, headers, body } = this.state;
    const path = this.state.path.startsWith("/") ? this.state.path : `/${this.state.path}`;
    this.setState({ pending: true, error: "", path });
    history.replaceState(null, "", to("rules", ["explain"], { method, path, client }));
    const question = { method, path, client: client.trim() || undefined, headers: headers.split("\n").filter((line) => line.trim()), body: BODIED.includes(method) && body ? body : undefined };
    try {
      this.setState({ told: await call("POST", "api/rules/explain", question), of: question.client || "203.0.113.9" });
    } catch (error) {
      this.setState({ told: null, error: error.message });
    }
    this.setState({ pending: false });
  };

  render(_, { method, path, client, headers, body, told, error, pending, of }) {
    return html`<form class="ask" onSubmit=${this.ask}>
      <div class="row"><label class="field">Method <select onChange=${this.take("method")}>${METHODS.map((name) => html`<option selected=${name === method}>${name}</option>`)}</select></label>
        <label class="field grow">Path <input type="search" required maxlength="2000" spellcheck=${false} autocomplete="off" placeholder="/courses/7?page=2" value=${path} onInput=${this.take("path")}/></label>
        <label class="field">Client <input maxlength="64" spellcheck=${false} autocomplete="off" placeholder="203.0.113.9" value=${client} onInput=${this.take("client")}/></label></div>
      <label class="field">Headers, a line for each <textarea rows="2" maxlength="4000" spellcheck=${false} autocomplete="off" placeholder="X-API-Key: …" value=${headers} onInput=${this.take("headers")}></textarea></label>
      ${BODIED.includes(method) && html`<label class="field">Body, of which rules of JSON-RPC read the calls <textarea rows="2" spellcheck=${false} autocomplete="off" placeholder=${CALL} value=${body} onInput=${this.take("body")}></textarea></label>`}
      <div class="row middle"><button class="button main" disabled=${pending}>Explain</button><span class="soft">Nothing is counted, and no store is asked.</span></div></form>
      <div role="status">${error && html`<p class="note line wrong">${error}</p>`}${told ? html`<${Lines} of=${told} client=${of}/>` : pending && html`<${Loading}/>`}</div>`;
  }
}

export const View = () => html`<${Nav}/><h3>Explain a request</h3><${Ask} key=${here().parts.join()}/>`;
