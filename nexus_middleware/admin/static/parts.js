// Pieces that the panels are made of.
import { html, NONE, time } from "./base.js";
import { down, may, set, state } from "./live.js";

const GLYPHS = { healthy: "●", degraded: "▲", unhealthy: "■", disabled: "○", unknown: "○" };

export const Status = ({ of }) => html`<span class="status ${of}"><span aria-hidden="true">${GLYPHS[of] || "○"}</span> ${of}</span>`;

export const Fact = ({ name, value, note, children }) => html`
  <div class="fact"><dt>${name}</dt><dd><b>${value}</b>${note && html`<small>${note}</small>`}${children}</dd></div>`;

// A bar from 0 to 1; drawn, since styles cannot be inline.
export const Bar = ({ share, kind = "", label }) => html`
  <svg class="bar ${kind}" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label=${label}>
    <rect class="track" width="100" height="6"/>
    <rect class="fill" width=${Math.max(0, Math.min(1, share)) * 100} height="6"/>
  </svg>`;

// One mark for each sample, the newest to the right; what was not seen yet is blank.
export function Strip({ values, length = 60 }) {
  const marks = [...Array(length - values.length).fill(""), ...values];
  return html`<svg class="spark" viewBox="0 0 60 28" preserveAspectRatio="none" aria-hidden="true">
    ${marks.map((status, n) => {
      const tall = status === "" ? 3 : status === "healthy" ? 10 : 19;
      return html`<rect class=${status} x=${n + 0.2} y=${28 - tall} width="0.6" height=${tall}/>`;
    })}
  </svg>`;
}

export const Table = ({ caption, heads, children }) => html`
  <div class="scroll" role="region" tabindex="0" aria-label=${caption}>
    <table>
      <caption class="hidden">${caption}</caption>
      <thead><tr>${heads.map((head) => html`<th scope="col" class=${head.startsWith("#") ? "number" : ""}>
        ${head === "" ? html`<span class="hidden">Actions</span>` : head.replace(/^#/, "")}</th>`)}</tr></thead>
      <tbody>${children}</tbody>
    </table>
  </div>`;

export const Choice = ({ name, value, options, does }) => html`<label><span>${name}</span>
  <select onChange=${(event) => does(event.target.value)}>
    ${options.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}</select></label>`;

export const Empty = ({ title, children }) => html`<div class="empty"><b>${title}</b><p>${children}</p></div>`;

// A button for what may be forbidden or pending; `why` says so to whoever points at it or listens.
export const Button = ({ does, why = "", kind = "", label, children }) => html`
  <button type="button" class="button ${kind}" aria-label=${label} disabled=${Boolean(why)} title=${why || undefined}
    onClick=${does}>${children}</button>`;

export const ask = async (question) => set({ dialog: await import("./dialog.js"), ask: question });

export const orNone = (value) => (value === null || value === undefined || value === "" ? NONE : value);

// Why something may not be done now; "" if it may.
export const why = (right) => (down() ? "Redis does not answer" : may(right) ? "" : `This needs the right ${right}`);

export const Old = ({ at }) => html`<p class="note line" role="status">
  Redis does not answer. ${at ? `These are the values of ${time(at)}.` : "Nothing was heard of it yet."}</p>`;

export const Loading = () => html`<p class="soft" aria-busy="true">Loading …</p>`;
