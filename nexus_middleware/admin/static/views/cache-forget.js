// What deletes keys of the cache: by a pattern, which is tried first, by a tag, or all of them.
import { html, plural } from "../base.js";
import { act, matching } from "../live.js";
import { ask, why } from "../parts.js";
import { Component, createRef } from "../vendor/preact.mjs";

export function clearCache(stats) {
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

class ByTag extends Component {
  state = { tag: "" };

  look = (event) => {
    event.preventDefault();
    const { tag } = this.state;
    ask({
      title: `Delete all values with the tag ${tag}?`,
      effect: "How many there are is not known: they are forgotten at one command. Other values and the stored responses stay. This cannot be undone.",
      verb: "Delete them",
      does: () => act("DELETE", `api/cache?tag=${encodeURIComponent(tag)}`, null, () => `What had the tag ${tag} is deleted.`),
    });
  };

  render(_, { tag }) {
    return html`<form class="row" onSubmit=${this.look}>
      <label class="field">Delete by tag
        <input value=${tag} required maxlength="200" placeholder="courses" spellcheck="false" autocomplete="off"
          onInput=${(event) => this.setState({ tag: event.target.value })}/></label>
      <button class="button" disabled=${Boolean(why("cache:clear"))} title=${why("cache:clear") || undefined}>Delete …</button>
    </form>`;
  }
}

// It was asked for by a button that is gone now: the first field takes the focus.
export class Forms extends Component {
  box = createRef();

  componentDidMount() {
    this.box.current.querySelector("input").focus();
  }

  render() {
    return html`<div class="row grow" ref=${this.box}><${ByPattern}/><${ByTag}/></div>`;
  }
}
