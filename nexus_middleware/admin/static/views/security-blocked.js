// Who is kept out: the list of blocked addresses, to add to and to take from.
import { date, html } from "../base.js";
import { act, down, state } from "../live.js";
import { Button, Empty, Old, orNone, Table, why } from "../parts.js";
import { here } from "../router.js";
import { Component } from "../vendor/preact.mjs";
import { Part } from "./part.js";
import { Nav } from "./security.js";

export const paths = () => ["api/security/blocked"];

const LASTS = [["3600", "1 hour"], ["86400", "1 day"], ["604800", "1 week"], ["", "for good"]];

class Block extends Component {
  state = { address: here().query.get("address") || "", reason: "", lasts: "86400", pending: false };

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

function Blocked({ blocked }) {
  if (!blocked.items.length) {
    return html`<${Empty} title="Nobody is blocked.">An address that is blocked gets a 403 from every process within a second.<//>`;
  }
  return html`<${Table} caption="Blocked addresses" heads=${["Address", "Reason", "Since", "Until", ""]}>
    ${blocked.items.map((item) => html`<tr key=${item.address}>
      <th scope="row"><code>${item.address}</code></th><td class="text">${item.banned && html`<span class="chip">ban</span> `}${orNone(item.reason)}</td>
      <td>${date(item.since)}</td><td>${item.until ? date(item.until) : "for good"}</td>
      <td class="tools"><${Button} label=${`Unblock ${item.address}`} why=${why("security:unblock")} does=${() => unblock(item.address)}>Unblock<//></td></tr>`)}
  <//>`;
}

export const View = () => html`<${Nav}/>
  <h3>Blocked addresses</h3>
  ${down() && html`<${Old} at=${state.more["api/security/blocked"]?.meta?.time}/>`}
  <div class=${down() ? "old" : ""}><${Part} path="api/security/blocked">${(told) => html`<${Blocked} blocked=${told}/>`}<//></div>
  <div class="actions"><${Block} key=${here().query.get("address")}/></div>
  <p class="soft">Your own address is <code>${state.me.address}</code>; it cannot be blocked from here. Bans, which the app makes by itself, stand here too.</p>`;
