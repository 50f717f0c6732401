// Pieces of the views that load late: navigation below a tab, pages of a list, times, text that may be copied.
import { exact, html, lasting, ms, NONE, plural } from "../base.js";
import { down, say, state } from "../live.js";
import { Empty, Old } from "../parts.js";
import { turned } from "../router.js";
import "./styles.js";

// Links between the views of one tab: [address, text, whether it is this one].
export const Ways = ({ label, ways }) => html`<nav class="parts" aria-label=${label}>
  ${ways.map(([href, text, now]) => html`<a href=${href} aria-current=${now ? "page" : undefined}>${text}</a>`)}</nav>`;

let kept = { as: "", told: null };

// What an address of the API told, or why it did not. What was told `as` the same thing stays until there is news:
// another window does not make the page jump.
export function Told({ path, gone, draw, as, tall = "rows" }) {
  const told = state.more[path] || (as && as === kept.as && kept.told);
  if (as && told) kept = { as, told };
  if (told?.error) return html`<${Empty} title=${told.status === 404 && gone ? gone : "This cannot be shown."}>${told.error}<//>`;
  return told ? draw(told) : !down() && html`<div class="skeleton ${tall}" aria-busy="true"><span class="hidden">Loading …</span></div>`;
}

// Above a view whose figures come from Redis.
export const Down = () => down() && html`<${Old} at=${state.last.queues?.at}/>`;

export const Pages = ({ items, next, first, what }) => html`<div class="pages">
  <span class="soft">${what}</span>
  ${first && html`<a class="button" href=${turned({ cursor: "" })}>First page</a>`}
  ${next && items > 0 && html`<a class="button" href=${turned({ cursor: next })}>Next page</a>`}</div>`;

// A search that is an address, and so can be kept.
export function Search({ name, label, value, hint }) {
  const find = (event) => {
    event.preventDefault();
    location.hash = turned({ [name]: event.currentTarget.elements[0].value, cursor: "" });
  };
  return html`<form class="row" role="search" onSubmit=${find}>
    <label class="field">${label}<input type="search" defaultValue=${value} key=${value} maxlength="200" placeholder=${hint}
      spellcheck="false" autocomplete="off"/></label>
    <button class="button">Find</button></form>`;
}

const since = (at) => (Date.parse(state.meta.time) - Date.parse(at)) / 1000;

export const Ago = ({ at, fresh = "just now" }) => {
  if (!at) return NONE;
  const seconds = since(at);
  const text = Math.abs(seconds) < 1 ? fresh : seconds > 0 ? `${lasting(seconds)} ago` : `in ${lasting(-seconds)}`;
  return html`<time datetime=${at} title=${exact(at)}>${text}</time>`;
};

export const between = (from, until) => (from ? (Date.parse(until || state.meta.time) - Date.parse(from)) / 1000 : null);

export function span(seconds) {
  if (seconds === null || Number.isNaN(seconds)) return NONE;
  return seconds >= 60 ? lasting(seconds) : ms(Math.round(seconds * 1000));
}

// The clipboard is there on https and on this machine; elsewhere the text is selected, to be copied by hand.
async function copy(event) {
  const text = event.currentTarget.closest(".text-box").querySelector("pre");
  try {
    await navigator.clipboard.writeText(text.textContent);
    say("Copied.");
  } catch {
    getSelection().selectAllChildren(text);
    say("Selected: copy it with your keyboard.");
  }
}

const SHORT = 1_024; // characters that are open from the start

export const Text = ({ title, text, open = text.length <= SHORT, kind = "" }) => html`<details class="text-box ${kind}" open=${open}>
  <summary>${title} <small>${plural(text.length, "character")}</small></summary>
  <button type="button" class="button" aria-label=${`Copy ${title.toLowerCase()}`} onClick=${copy}>Copy</button>
  <pre tabindex="0" role="region" aria-label=${title}>${text}</pre></details>`;
