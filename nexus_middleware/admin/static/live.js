// The state of the page, how it is kept fresh, and how it asks for changes.
import { chosen } from "./base.js";

export const state = JSON.parse(document.getElementById("snapshot").textContent);

const TIMEOUT = 8_000; // milliseconds
const SKEW = 5_000; // milliseconds by which two clocks may differ

let draw = () => {};
let timer = 0;
let busy = null;

Object.assign(state, {
  at: Date.now(),
  last: {}, // what the store said last, for when it is silent
  more: {}, // what only one tab shows, by its address
  paused: false,
  skew: 0, // seconds by which the clock of this browser is ahead
  lost: null, // { why, wait } while the server does not answer
  signedOut: false,
  toast: null,
  ask: null, // the question that is open
  dialog: null, // the module that asks it
  tab: "cache",
  view: null, // the module of the tab: paths() it asks, and its View
  settings: null, // the module of the menu, once it was opened
  help: null, // the module of the list of shortcuts, while it is open
});
remember();

export function begin(drawing) {
  draw = drawing;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || state.paused) stop();
    else refresh();
  });
  draw();
  plan();
}

export function set(patch) {
  Object.assign(state, patch);
  draw();
}

export const may = (right) => state.me.rights.includes(right);
export const down = () => state.services.redis === "unhealthy" || Boolean(state.cache.error);

export const interval = () => Math.max(Number(chosen("refresh")) || state.meta.refreshSeconds, 2); // seconds

export function every(seconds) {
  chosen("refresh", seconds);
  refresh();
}

function remember() {
  for (const name of ["cache", "queues"]) {
    if (!state[name].error) state.last[name] = { ...state[name], at: state.meta.time };
  }
}

function stop() {
  clearTimeout(timer);
}

function plan(seconds = interval()) {
  stop();
  if (!state.paused && !state.signedOut && !document.hidden) timer = setTimeout(refresh, seconds * 1000);
}

export function pause(paused) {
  set({ paused });
  if (paused) stop();
  else refresh();
}

export function refresh() {
  stop();
  if (!busy) busy = renew().finally(() => { busy = null; plan(state.lost ? state.lost.wait : interval()); });
  return busy;
}

// What was on its way may be from before a change: wait for it, and ask once more.
export async function refreshAnew() {
  if (busy) await busy;
  return refresh();
}

// How much later it is here than there, in seconds; an answer that was long on its way tells less.
function skew(asked, answered, there) {
  const late = (asked + answered) / 2 - Date.parse(there);
  return Math.abs(late) > SKEW + (answered - asked) / 2 ? Math.round(late / 1000) : 0;
}

async function renew() {
  try {
    const asked = Date.now();
    const paths = state.view ? state.view.paths() : [];
    const [overview, ...more] = await Promise.all([get("api/overview"), ...paths.map((path) => get(path).catch(partly))]);
    const at = Date.now();
    Object.assign(state, overview, { at, lost: null, signedOut: false, skew: skew(asked, at, overview.meta.time) });
    state.more = Object.fromEntries(paths.map((path, n) => [path, more[n] || state.more[path]]));
    remember();
  } catch (error) {
    if (error.status === 401 || error.status === 403 || error.status === 404) state.signedOut = true;
    else state.lost = { why: error.message, wait: Math.min(60, state.lost ? state.lost.wait * 2 : interval()) };
  }
  draw();
}

// One part may fail, and the others go on: while Redis is silent (503) the last list stays.
function partly(error) {
  if (error.status === 401) throw error;
  return error.status === 503 ? undefined : { error: error.message, status: error.status };
}

class Refused extends Error {
  constructor(status, message, told = {}) {
    super(message);
    Object.assign(this, { status, told });
  }
}

export const get = (path) => call("GET", path);

export async function call(method, path, body) {
  const leave = new AbortController();
  const late = setTimeout(() => leave.abort(), TIMEOUT);
  try {
    const response = await fetch(path, {
      method,
      signal: leave.signal,
      cache: "no-store",
      headers: method === "GET" ? {} : { "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const value = await response.json().catch(() => ({}));
    if (!response.ok) throw new Refused(response.status, value.detail || `HTTP ${response.status}`, value);
    return value;
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(0, error.name === "AbortError" ? "no answer within 8 s" : "no connection");
  } finally {
    clearTimeout(late);
  }
}

// How many keys a pattern fits, without deleting any.
export const matching = async (path) => (await call("DELETE", path)).matched;

let quiet = 0;

export function say(text, bad = false) {
  clearTimeout(quiet);
  set({ toast: { text, bad } });
  quiet = setTimeout(() => set({ toast: null }), 8_000);
}

// Ask for a change, tell how it went, and show what came of it.
export async function act(method, path, body, done) {
  try {
    const said = await call(method, path, body);
    const { hash } = location;
    say(done(said));
    if (location.hash === hash) await refreshAnew(); // else the new view asks for itself
    return true;
  } catch (error) {
    if (error.status === 401) set({ signedOut: true });
    say(`That did not work: ${error.message}`, true);
    return false;
  }
}

export async function signOut() {
  await call("POST", "api/sign-out").catch(() => {});
  location.reload();
}
