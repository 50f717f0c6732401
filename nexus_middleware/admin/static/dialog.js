// The dialog that asks before something is lost; it loads with the first question.
import { html } from "./base.js";
import { set, state } from "./live.js";
import { Component, createRef } from "./vendor/preact.mjs";

// One question before something is lost. It opens with the focus on "Keep", and a refresh of the page leaves it alone.
export class Dialog extends Component {
  constructor(props) {
    super(props);
    this.box = createRef();
    this.keep = createRef();
    this.state = { pending: false, typed: "" };
  }

  componentDidMount() {
    this.before = document.activeElement;
    this.box.current.showModal();
    this.keep.current.focus();
  }

  componentWillUnmount() {
    if (this.before?.isConnected) this.before.focus();
  }

  close = () => {
    if (state.ask === this.props.question) set({ ask: null });
  };

  yes = async () => {
    this.setState({ pending: true });
    await this.props.question.does();
    this.close();
  };

  render({ question }, { pending, typed }) {
    const blocked = pending || (question.type && typed !== question.type);
    return html`
      <dialog ref=${this.box} aria-labelledby="question" aria-describedby="effect" onClose=${this.close}>
        <h2 id="question">${question.title}</h2>
        <p id="effect">${question.effect}</p>
        ${question.type && html`<label>Type <code>${question.type}</code> to go on
          <input value=${typed} autocomplete="off" onInput=${(event) => this.setState({ typed: event.target.value })}/></label>`}
        <div class="row end">
          <button type="button" class="button" ref=${this.keep} onClick=${() => this.box.current.close()}>Keep</button>
          <button type="button" class="button danger" disabled=${blocked} onClick=${this.yes}>
            ${pending ? "Working …" : question.verb}</button>
        </div>
      </dialog>`;
  }
}
