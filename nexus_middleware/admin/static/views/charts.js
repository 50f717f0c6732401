// Charts of what was measured: SVG at the size it has, told in words, walked by keys, and the same as a table.
import { date, html, time } from "../base.js";
import { Table } from "../parts.js";
import { Component, createRef } from "../vendor/preact.mjs";
import "./styles.js";

const HEIGHT = 168; // pixels; the same before and after there is data, so that nothing jumps
const ROOM = { left: 58, right: 8, top: 8, bottom: 22 };
const GUESS = 560; // width until it is measured
const DAY = 86_400_000; // milliseconds

// --- the cursor, one for all charts

const cursor = { at: null, charts: new Set() };

function point(at) {
  if (cursor.at === at) return;
  cursor.at = at;
  for (const chart of cursor.charts) chart.setState({});
}

// --- scales

const known = (value) => value !== null && value !== undefined;

// Round steps from 0 to `top` and beyond: [0, 5, 10].
export function ticks(top, least = 0) {
  const rough = (top || 1) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max([1, 2, 5, 10].find((each) => each * power >= rough) * power, least);
  return [...Array(Math.ceil((top || 1) / step - 1e-9) + 1).keys()].map((n) => n * step);
}

// Powers of ten around all values: [1, 10, 100].
export function decades(values) {
  const all = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(all.length ? Math.min(...all) : 1));
  const high = Math.max(Math.ceil(Math.log10(all.length ? Math.max(...all) : 100)), low + 1);
  return [...Array(high - low + 1).keys()].map((n) => 10 ** (low + n));
}

function scale(marks, log) {
  const [low, high] = [marks[0], marks[marks.length - 1]];
  const span = log ? Math.log10(high / low) : high - low;
  const tall = HEIGHT - ROOM.top - ROOM.bottom;
  return (value) => {
    const share = log ? Math.log10(Math.max(value, low) / low) / span : (value - low) / span;
    return ROOM.top + tall * (1 - Math.min(share, 1));
  };
}

// --- shapes

// A line that breaks where nothing was measured.
function line(points, x, y, of) {
  let path = "";
  let drawn = false;
  points.forEach((each, n) => {
    const value = of(each);
    path += known(value) ? `${drawn ? "L" : "M"}${x(n).toFixed(1)} ${y(value).toFixed(1)}${drawn ? "" : "h.01"}` : "";
    drawn = known(value);
  });
  return path;
}

function bars(points, x, y, wide, from, to) {
  return points.map((each, n) => {
    const [low, high] = [y(from(each)), y(to(each))];
    return low - high > 0.05 ? `M${(x(n) - wide / 2).toFixed(1)} ${low.toFixed(1)}V${high.toFixed(1)}h${wide.toFixed(1)}V${low.toFixed(1)}z` : "";
  }).join("");
}

const Hatches = () => html`<defs><pattern id="hatch-c3" class="c3" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
  <rect class="ground" width="5" height="5"/><line x1="0" y1="0" x2="0" y2="5"/></pattern></defs>`;

const Swatch = ({ kind, stacked }) => html`<svg class="swatch" viewBox="0 0 18 10" aria-hidden="true">
  ${stacked ? html`<path class=${`area ${kind}`} d="M0 0h18v10H0z"/>` : html`<path class=${`line ${kind}`} d="M0 5h18"/>`}</svg>`;

// --- one chart

const total = (points, series) => points.reduce((sum, each) => sum + (series.of(each) || 0), 0);

const moment = (span) => (span > DAY ? date : (at) => time(at).slice(0, 5));

export class Chart extends Component {
  box = createRef();

  state = { wide: GUESS, table: false, said: "" };

  componentDidMount() {
    cursor.charts.add(this);
    this.measure();
    this.watch = new ResizeObserver(this.measure);
    this.watch.observe(this.box.current);
  }

  componentWillUnmount() {
    cursor.charts.delete(this);
    this.watch.disconnect();
  }

  measure = () => {
    const wide = Math.max(220, Math.floor(this.box.current.clientWidth));
    if (wide !== this.state.wide) this.setState({ wide });
  };

  get at() {
    const { points } = this.props;
    const n = cursor.at === null ? -1 : points.findIndex((each) => each.atMs === cursor.at);
    return n;
  }

  hover = (event) => {
    const { points } = this.props;
    const left = this.box.current.getBoundingClientRect().left;
    const band = (this.state.wide - ROOM.left - ROOM.right) / points.length;
    const n = Math.floor((event.clientX - left - ROOM.left) / band);
    point(points[Math.max(0, Math.min(points.length - 1, n))].atMs);
  };

  walk = (event) => {
    const { points } = this.props;
    const last = points.length - 1;
    const from = this.at < 0 ? last + 1 : this.at;
    const n = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape" && cursor.at !== null) {
      point(null);
      this.setState({ said: "" });
    } else if (n === undefined) return;
    else {
      const here = points[Math.max(0, Math.min(last, n))];
      point(here.atMs);
      this.setState({ said: `${time(here.at)}: ${this.values(here)}` });
    }
    event.preventDefault();
  };

  values(here) {
    const { series, format } = this.props;
    return series.map((each) => `${each.name} ${format(each.of(here))}`).join(", ");
  }

  // What the chart shows, in a sentence for whoever does not see it.
  summary() {
    const { title, series, points, format, counts } = this.props;
    const told = series.map((each) => {
      const values = points.map(each.of).filter(known);
      if (!values.length) return `${each.name}: nothing was measured`;
      return `${each.name}: ${format(Math.min(...values))} to ${format(Math.max(...values))}, last ${format(values[values.length - 1])}${counts ? `, ${format(total(points, each))} in all` : ""}`;
    });
    return `${title}. ${told.join(". ")}. Left and right arrow keys move through time.`;
  }

  render({ title, hint, series, points, stacked, counts, log, format, axis = format, marks = [], most, least }) {
    const here = points[this.at] || points[points.length - 2] || points[points.length - 1];
    const pointed = this.at >= 0;
    return html`<section class="chart"><h3>${title} ${hint && html`<small>${hint}</small>`}</h3>
      <div class="legend">${series.map((each) => html`<span key=${each.name}><${Swatch} kind=${each.kind} stacked=${stacked}/>${each.name} <b>${format(counts && !pointed ? total(points, each) : each.of(here))}</b></span>`)}
        <span class="soft when">${pointed ? `${moment(points[points.length - 1].atMs - points[0].atMs)(here.at)}${here.partial ? ", so far" : ""}` : counts ? "in all" : ""}</span></div>
      <div class="plot" ref=${this.box} role="img" tabindex="0" aria-label=${this.summary()} onKeyDown=${this.walk}
        onPointerMove=${this.hover} onPointerLeave=${() => point(null)} onBlur=${() => { point(null); this.setState({ said: "" }); }}>
        <${Drawing} wide=${this.state.wide} at=${this.at} ...${{ series, points, stacked, log, axis, marks, most, least }}/></div>
      <div class="hidden" aria-live="polite">${this.state.said}</div>
      <button type="button" class="link" aria-expanded=${this.state.table} onClick=${() => this.setState({ table: !this.state.table })}>
        ${this.state.table ? "Hide table" : "Show as table"}</button>
      ${this.state.table && html`<div class="tall"><${Table} caption=${`${title}, newest first`} heads=${["Time", ...series.map((each) => `#${each.name}`)]}>
        ${[...points].reverse().map((each) => html`<tr key=${each.atMs}><th scope="row" class="plain">${date(each.at)}${each.partial ? " (so far)" : ""}</th>
          ${series.map((one) => html`<td class="number">${format(one.of(each))}</td>`)}</tr>`)}<//></div>`}
    </section>`;
  }
}

function Drawing({ wide, at, series, points, stacked, log, axis, marks, most, least }) {
  const band = (wide - ROOM.left - ROOM.right) / points.length;
  const x = (n) => ROOM.left + (n + 0.5) * band;
  const sum = (each, upto) => series.slice(0, upto).reduce((all, one) => all + (one.of(each) || 0), 0);
  const values = stacked ? points.map((each) => sum(each, series.length)) : points.flatMap((each) => series.map((one) => one.of(each)).filter(known));
  const steps = log ? decades(values) : ticks(most || Math.max(...values, 0), least);
  const y = scale(steps, log);
  const first = points[0].atMs;
  const last = points[points.length - 1].atMs;
  const tell = moment(last - first);
  const labels = [...new Set([0, 1, 2, 3].map((n) => Math.round((n * (points.length - 1)) / 3)))];
  const whole = points.filter((each) => !each.partial);
  const tail = points.slice(-2);
  const shift = points.length - 2;
  return html`<svg width=${wide} height=${HEIGHT} viewBox=${`0 0 ${wide} ${HEIGHT}`} aria-hidden="true" focusable="false">
    ${stacked && html`<${Hatches}/>`}
    ${steps.map((step) => html`<g class="grid"><line x1=${ROOM.left} x2=${wide - ROOM.right} y1=${y(step)} y2=${y(step)}/>
      <text x=${ROOM.left - 6} y=${y(step) + 4} text-anchor="end">${axis(step)}</text></g>`)}
    ${labels.map((n, k) => html`<text class="axis" x=${k === 0 ? ROOM.left : k === labels.length - 1 ? wide - ROOM.right : x(n)} y=${HEIGHT - 6}
      text-anchor=${k === 0 ? "start" : k === labels.length - 1 ? "end" : "middle"}>${tell(points[n].at)}</text>`)}
    ${marks.filter((mark) => mark.atMs >= first).map((mark) => {
      const left = x((mark.atMs - first) / ((last - first) / (points.length - 1 || 1)));
      return html`<g class="deploy"><line x1=${left} x2=${left} y1=${ROOM.top} y2=${HEIGHT - ROOM.bottom}/><path d=${`M${left - 4} ${ROOM.top - 6}h8l-4 7z`}/></g>`;
    })}
    ${series.map((each, k) => (stacked
      ? html`<path class=${`area ${each.kind}`} d=${bars(whole, x, y, Math.max(band * 0.8, 0.8), (one) => sum(one, k), (one) => sum(one, k + 1))}/>
        <path class=${`area partial ${each.kind}`} d=${bars(tail.slice(1), (n) => x(n + shift + 1), y, Math.max(band * 0.8, 0.8), (one) => sum(one, k), (one) => sum(one, k + 1))}/>`
      : html`<path class=${`line ${each.kind}`} d=${line(whole, x, y, each.of)}/>
        <path class=${`line partial ${each.kind}`} d=${tail.every((one) => known(each.of(one))) ? line(tail, (n) => x(n + shift), y, each.of) : ""}/>`))}
    ${at >= 0 && html`<line class="cursor" x1=${x(at)} x2=${x(at)} y1=${ROOM.top} y2=${HEIGHT - ROOM.bottom}/>`}
    ${at >= 0 && !stacked && series.map((each) => known(each.of(points[at])) && html`<circle class=${each.kind} cx=${x(at)} cy=${y(each.of(points[at]))} r="3.5"/>`)}
  </svg>`;
}

// --- how durations are spread

const upto = (bucket) => 0.1 * 2 ** (bucket / 4); // milliseconds that a bucket holds at most: rules/buckets.py

export function Histogram({ title, buckets, format }) {
  if (!buckets.length) return html`<section class="chart"><h3>${title}</h3><p class="soft">Nothing was measured.</p></section>`;
  const counts = new Map(buckets);
  const [low, high] = [buckets[0][0] - 2, buckets[buckets.length - 1][0] + 2];
  const all = [...Array(high - low + 1).keys()].map((n) => n + low);
  const top = Math.max(...counts.values());
  const [most] = buckets.find(([, count]) => count === top);
  const wide = GUESS;
  const band = (wide - 20) / all.length;
  const x = (bucket) => 10 + (bucket - low) * band;
  const every = Math.ceil(all.length / 6);
  const label = `${title}. Most took about ${format(upto(most))}; from ${format(upto(buckets[0][0]))} to ${format(upto(buckets[buckets.length - 1][0]))}.`;
  return html`<section class="chart"><h3>${title} <small>logarithmic</small></h3>
    <svg class="histogram" viewBox=${`0 0 ${wide} 140`} role="img" aria-label=${label}>
      ${all.map((bucket) => counts.get(bucket) && html`<path class="area c1" d=${`M${x(bucket) + 0.5} 116V${114 - (counts.get(bucket) / top) * 106}h${band - 1}V116z`}/>`)}
      <g class="grid"><line x1="0" x2=${wide} y1="116.5" y2="116.5"/></g>
      ${all.filter((bucket, n) => n % every === 1).map((bucket) => html`<text class="axis" x=${x(bucket) + band} y="134" text-anchor="middle">${format(upto(bucket))}</text>`)}
    </svg>
    <details><summary>Show as table</summary><div class="tall"><${Table} caption=${title} heads=${["Up to", "#Count"]}>
      ${buckets.map(([bucket, count]) => html`<tr key=${bucket}><th scope="row">${format(upto(bucket))}</th><td class="number">${count}</td></tr>`)}<//></div></details>
  </section>`;
}

