// The styles of the views that load late, before the first of them is drawn.
await Promise.all(["views.css", "lists.css"].map((name) => new Promise((done) => {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL(name, import.meta.url), onload: done, onerror: done });
  document.head.append(link);
})));
