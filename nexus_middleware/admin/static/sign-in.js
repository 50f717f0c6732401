// The sign-in page: the token goes by fetch alone, so that it can never end up in an address.
const form = document.getElementById("sign-in");
const said = document.getElementById("said");
const button = form.querySelector("button");

const REASONS = {
  401: "That is not the token.",
  403: "The browser did not say that this page sent it. Reload, and try again.",
};

async function signIn() {
  const response = await fetch("api/sign-in", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: form.token.value }),
  });
  if (response.ok) {
    location.reload();
    return;
  }
  const minutes = Math.ceil(Number(response.headers.get("retry-after") || 60) / 60);
  const tooMany = `Too many wrong tokens. Try again in ${minutes} min.`;
  said.textContent = response.status === 429 ? tooMany : REASONS[response.status] || `HTTP ${response.status}`;
  form.token.select();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  said.textContent = "";
  try {
    await signIn();
  } catch {
    said.textContent = "The server does not answer.";
  }
  button.disabled = false;
});

said.textContent = JSON.parse(document.getElementById("snapshot").textContent).error;
button.disabled = false;
if (["localhost", "127.0.0.1", "[::1]"].includes(location.hostname)) document.querySelector(".plain")?.remove(); // nobody listens
