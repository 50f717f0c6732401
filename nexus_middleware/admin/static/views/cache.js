// The caches: how they are used, and what may be forgotten.
import { brief, count, html, plural } from "../base.js";
import { act, matching, state } from "../live.js";
import { ask, Bar, Button, Fact, Old, Table, why } from "../parts.js";
import { Component } from "../vendor/preact.mjs";

export const paths = () => [];

function clearCache(stats) {
  const what = plural(stats.keys, "key");
  ask({
    title: `Delete all ${what} of the cache?`,
    effect: "Values and stored responses are fetched anew when they are next asked for, which is slow at first. "
      + "Jobs, limits, sessions and blocked addresses stay. This cannot be undone.",
    verb: `Delete ${what}`,
    does: () => act("DELETE", `api/cache?expected=${stats.keys}`, null, (said) => `${plural(said.deleted, "key")} deleted.`),
  });
}

class ByPattern extends Component {
  state = { pattern: "", said: "" };

  look = async (event) => {
    event.preventDefault();
    const { pattern } = this.state;
    const path = `api/cache?pattern=${encodeURIComponent(pattern)}`;
    try {
      const found = await matching(`${path}&dryRun=1`);
      this.setState({ said: found ? "" : `No key fits ${pattern}` });
      if (found) this.confirm(path, pattern, found);
    } catch (error) {
      this.setState({ said: error.message });
    }
  };

  confirm(path, pattern, found) {
    const what = plural(found, "key");
    ask({
      title: `Delete ${what}?`,
      effect: `All that fit ${pattern} go; other values and the stored responses stay. This cannot be undone.`,
      verb: `Delete ${what}`,
      does: () => act("DELETE", `${path}&expected=${found}`, null, (said) => `${plural(said.deleted, "key")} deleted.`),
    });
  }

  render(_, { pattern, said }) {
    return html`<form class="row" onSubmit=${this.look}>
      <label class="field">Delete by pattern
        <input value=${pattern} required maxlength="512" placeholder="course:*" spellcheck="false" autocomplete="off"
          onInput=${(event) => this.setState({ pattern: event.target.value, said: "" })}/></label>
      <button class="button" disabled=${Boolean(why("cache:clear"))} title=${why("cache:clear") || undefined}>Find keys</button>
      <span class="said" role="status">${said}</span>
    </form>`;
  }
}

export function View() {
  const stats = state.last.cache?.stats;
  if (!stats) return html`<${Old}/>`;
  const asked = stats.hits + stats.misses;
  const keys = (stats.keysExact ? "" : "≈ ") + count(stats.keys);
  return html`
    ${state.cache.error && html`<${Old} at=${state.last.cache.at}/>`}
    <div class=${state.cache.error ? "old" : ""}>
      <dl class="facts">
        <${Fact} name="Hit rate" value=${asked ? stats.hitRate : "–"} note=${asked ? `of ${plural(asked, "look-up")}` : "nothing was asked yet"}>
          <${Bar} share=${stats.hitRatio} kind="ok" label=${`hit rate ${stats.hitRate}`}/><//>
        <${Fact} name="Keys" value=${keys} note="values and responses"/>
        <${Fact} name="Memory" value=${stats.memory.replace("MB", " MB")} note="of the whole store"/>
        <${Fact} name="Hits" value=${brief(stats.hits)}/>
        <${Fact} name="Misses" value=${brief(stats.misses)}/>
      </dl>
      <${Table} caption="The caches" heads=${["Cache", "#Keys", "#Hits", "#Misses", "#Hit rate"]}>
        ${(stats.groups || []).map((group) => html`<tr key=${group.name}>
          <th scope="row">${group.name === "pages" ? "Stored responses" : "Values"}</th>
          <td class="number">${count(group.keys)}</td><td class="number">${count(group.hits)}</td>
          <td class="number">${count(group.misses)}</td>
          <td class="number">${group.hits + group.misses ? group.hitRate : "–"}</td></tr>`)}
      <//>
    </div>
    <div class="actions">
      <${ByPattern}/>
      <${Button} kind="danger" why=${why("cache:clear")} does=${() => clearCache(stats)}>Clear cache …<//>
    </div>`;
}
