// The keys of the cache, by their prefix; a value is read only when somebody asks for it.
import { exact, html, lasting, ms } from "../base.js";
import { act, get, may, set, state } from "../live.js";
import { ask, Button, Empty, Table, why } from "../parts.js";
import { here, to } from "../router.js";
import { CacheWays } from "./cache-history.js";
import { Down, Pages, Search, Text, Told } from "./pieces.js";

const LIMIT = 50;

function path() {
  const { query } = here();
  const asked = new URLSearchParams({ limit: LIMIT });
  for (const name of ["prefix", "cursor"]) if (query.get(name)) asked.set(name, query.get(name));
  return `api/cache/keys?${asked}`;
}

export const paths = () => [path()];

const wanted = () => here().parts[1];
const address = (key) => `api/cache/keys/${encodeURIComponent(key)}`;
const dotted = (key) => key === "." || key === ".."; // no address can name these: a browser takes them for folders

// --- one value, which is read once and not at every refresh

const read = { key: "", value: null, error: "" };

async function load(key) {
  if (read.key === key) return;
  Object.assign(read, { key, value: null, error: "" });
  try {
    const told = await get(address(key));
    if (read.key === key) read.value = told.key;
  } catch (error) {
    if (read.key === key) read.error = error.status === 404 ? "This key is not there any more." : error.message;
  }
  set({});
}

const close = () => {
  read.key = "";
  location.hash = to("cache", ["keys"], Object.fromEntries(here().query));
};

function Value({ name }) {
  if (dotted(name)) return html`<${Empty} title="This key cannot be shown here.">Use the cache itself.<//>`;
  if (!may("cache:read_values")) return html`<${Empty} title="Values are not for everybody.">${why("cache:read_values")}.<//>`;
  load(name);
  const { value, error } = read;
  return html`<section class="detail" aria-label=${name}><div class="title-row"><h3 class="mono">${name}</h3>
      <span class="tools"><${Button} does=${() => { read.key = ""; set({}); }}>Read again<//><${Button} does=${close}>Close<//></span></div>
    ${error && html`<p class="said">${error}</p>`}
    ${value && html`<dl class="pairs"><dt>Size</dt><dd>${size(value.size)}</dd><dt>Lives for</dt><dd>${value.ttl === null ? "good" : lasting(value.ttl)}</dd>
        ${value.tags.length > 0 && html`<dt>Tags</dt><dd>${value.tags.join(", ")}</dd>`}
        ${value.cost !== null && html`<dt>Its fetch took</dt><dd>${ms(value.cost)}</dd>`}</dl>
      <${Text} title="Value" open text=${value.text}/>
      <p class="soft">${value.truncated ? "Only the first 16 KiB are shown. " : ""}Secrets are hidden by the names of their fields. Read at ${exact(state.meta.time)}.</p>`}</section>`;
}

// --- the list

const size = (bytes) => (bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KiB`);

const erase = (key) => ask({
  title: `Delete ${key}?`,
  effect: "It is fetched anew when it is next asked for. This cannot be undone.",
  verb: "Delete the key",
  does: () => act("DELETE", address(key), null, () => {
    if (wanted() === key) close();
    return `${key} is deleted.`;
  }),
});

const Key = ({ of }) => html`<tr>
  <th scope="row" class="label mono"><a href=${to("cache", ["keys", of.key], Object.fromEntries(here().query))}>${of.key}</a></th>
  <td>${of.kind}</td><td class="number">${size(of.size)}</td><td class="number">${of.ttl === null ? "for good" : lasting(of.ttl)}</td>
  <td class="tools"><${Button} kind="danger" label=${`Delete ${of.key}`} why=${dotted(of.key) ? "No address can name it" : why("cache:clear")}
    does=${() => erase(of.key)}>Delete …<//></td></tr>`;

function Keys({ told }) {
  const { query } = here();
  const { items, nextCursor } = told;
  const pages = html`<${Pages} items=${1} next=${nextCursor} first=${query.get("cursor")} what="In no order, about 50 a page"/>`;
  if (!items.length && !nextCursor) {
    return html`<${Empty} title=${query.get("prefix") ? `No key begins with ${query.get("prefix")}.` : "The cache is empty."}>
      Only values are listed: stored responses have digests for keys.<//>${query.get("cursor") && pages}`;
  }
  return html`<${Table} caption="Keys" heads=${["Key", "Kind", "#Size", "#Lives for", ""]}>
    ${items.map((each) => html`<${Key} key=${each.key} of=${each}/>`)}<//>${pages}`;
}

export const View = () => html`
  <${CacheWays} now="keys"/><${Down}/>
  ${wanted() !== undefined && html`<${Value} name=${wanted()}/>`}
  <div class="between"><${Search} name="prefix" label="Keys that begin with" value=${here().query.get("prefix") || ""} hint="course:"/></div>
  <${Told} path=${path()} draw=${(told) => html`<${Keys} told=${told}/>`}/>`;
