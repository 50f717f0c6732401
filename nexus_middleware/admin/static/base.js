// What every part needs: markup, and values as people read them.
import htm from "./vendor/htm.mjs";
import { h } from "./vendor/preact.mjs";

export const html = htm.bind(h);

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const one = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const minutes = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const days = { day: "numeric", month: "short" };
let clock, day, precise;

// What was chosen for this browser; it is forgotten with the page where nothing may be kept.
export function chosen(name, value) {
  try {
    if (value !== undefined) localStorage.setItem(`nexus-${name}`, value);
    return localStorage.getItem(`nexus-${name}`) || "";
  } catch {
    return value || "";
  }
}

// Tell times in UTC, or as they are here.
export function tellTimes(utc) {
  const zone = utc ? { timeZone: "UTC" } : {};
  clock = new Intl.DateTimeFormat(undefined, { ...minutes, second: "2-digit", ...zone });
  day = new Intl.DateTimeFormat(undefined, { ...days, ...minutes, ...zone });
  precise = new Intl.DateTimeFormat(undefined, { ...days, ...minutes, second: "2-digit", timeZoneName: "short", ...zone });
}
tellTimes(chosen("times") === "utc");

export const NONE = "–";
const known = (value) => value !== null && value !== undefined;

export const count = (value) => (known(value) ? whole.format(value) : NONE);
export const brief = (value) => (known(value) ? (Math.abs(value) < 10_000 ? whole : short).format(value) : NONE);
export const decimal = (value) => (known(value) ? one.format(value) : NONE);
export const percent = (value) => (known(value) ? `${one.format(value)} %` : NONE);
export const time = (value) => (value ? clock.format(new Date(value)) : NONE);
export const date = (value) => (value ? day.format(new Date(value)) : NONE);
export const exact = (value) => (value ? precise.format(new Date(value)) : NONE);
export const plural = (n, noun, nouns = `${noun}s`) => `${count(n)} ${n === 1 ? noun : nouns}`;

export function ms(value) {
  if (!known(value)) return NONE;
  if (value >= 999.5) return `${one.format(value / 1000)} s`;
  return `${(value >= 100 ? whole : one).format(value)} ms`;
}

export function mib(value) {
  if (!known(value)) return NONE;
  return value >= 10_240 ? `${one.format(value / 1024)} GiB` : `${(value >= 100 ? whole : one).format(value)} MiB`;
}

export function lasting(seconds) {
  if (!known(seconds)) return NONE;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

// A sentence of the server's, with its times as they are here.
export const local = (text) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, time);
