// The dialog that lists the shortcuts.
import { html } from "./base.js";
import { set } from "./live.js";
import { Component, createRef } from "./vendor/preact.mjs";

const LISTED = [
  ["g o", "Overview"], ["g c", "Cache"], ["g q", "Queues"], ["g p", "Performance"], ["g s", "Security"],
  ["g r", "Rules"], ["g l", "Logs"],
  ["/", "Search or filter in this view"], ["r", "Refresh now"], ["p", "Pause or resume"], ["t", "Next theme"],
  ["?", "This list"], ["Esc", "Close what is open"],
];

export class Help extends Component {
  box = createRef();

  componentDidMount() {
    this.before = document.activeElement;
    this.box.current.showModal();
  }

  componentWillUnmount() {
    if (this.before?.isConnected) this.before.focus();
  }

  render() {
    return html`<dialog ref=${this.box} class="help" aria-labelledby="help" onClose=${() => set({ help: null })}>
      <h2 id="help">Keyboard shortcuts</h2>
      <dl>${LISTED.map(([keys, does]) => html`<div><dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${does}</dd></div>`)}</dl>
      <p>They rest while you type, and can be switched off in Settings.</p>
      <div class="row end"><button type="button" class="button" onClick=${() => this.box.current.close()}>Close</button></div>
    </dialog>`;
  }
}
