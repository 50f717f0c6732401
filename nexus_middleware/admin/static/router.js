// Where in the page we are: "#queues/email-queue?state=failed&window=1h". Every view is a link, and so can be kept.
export const WINDOWS = ["15m", "1h", "6h", "24h", "7d"];
const KEPT = ["window", "process"]; // what goes along from view to view

export function here() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const parts = path.split("/").filter(Boolean).map(plain);
  return { view: parts[0] || "cache", parts: parts.slice(1), query: new URLSearchParams(query) };
}

function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// A link to a view: to("queues", ["email-queue"], { state: "failed" }).
export function to(view, parts = [], query = {}) {
  const now = here().query;
  const kept = Object.fromEntries(KEPT.filter((name) => now.get(name)).map((name) => [name, now.get(name)]));
  const given = Object.entries({ ...kept, ...query }).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const asked = new URLSearchParams(given).toString();
  return `#${[view, ...parts].map(encodeURIComponent).join("/")}${asked ? `?${asked}` : ""}`;
}

// The same view with another query.
export function turned(query) {
  const { view, parts, query: now } = here();
  return to(view, parts, { ...Object.fromEntries(now), ...query });
}

export const chosenWindow = () => {
  const given = here().query.get("window");
  return WINDOWS.includes(given) ? given : "1h";
};

// An address of the API for the window, and the process, that were chosen.
export function windowed(path, { process = false } = {}) {
  const asked = new URLSearchParams({ window: chosenWindow() });
  const given = here().query.get("process");
  if (process && given) asked.set("process", given);
  return `${path}${path.includes("?") ? "&" : "?"}${asked}`;
}
