// All the room's script: what a browser cannot do without one. It hands over the chat's signed word, and it asks for
// passkeys. Pages that show bulletins do not load it.

const fromText = (text) => {
  const padded = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(padded), (each) => each.charCodeAt(0));
};

const toText = (buffer) => {
  const binary = Array.from(new Uint8Array(buffer), (each) => String.fromCharCode(each)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), redirect: "error",
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error("refused");
  return said;
}

function readable(options) {
  const found = { ...options, challenge: fromText(options.challenge) };
  if (options.user) found.user = { ...options.user, id: fromText(options.user.id) };
  for (const name of ["excludeCredentials", "allowCredentials"]) {
    if (options[name]) found[name] = options[name].map((each) => ({ ...each, id: fromText(each.id) }));
  }
  return found;
}

function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response };
}

async function create(button) {
  const csrf = button.dataset.csrf;
  const options = await post("/keys/options", { csrf });
  const credential = await navigator.credentials.create({ publicKey: readable(options) });
  return post("/keys", { csrf, credential: written(credential) });
}

async function get(button) {
  const { ticket, options } = await post("/in/options", {});
  const credential = await navigator.credentials.get({ publicKey: readable(options) });
  return post("/in/passkey", { ticket, to: button.dataset.to, credential: written(credential) });
}

// Why a browser makes no passkey: its user said no or waited, or the device holds one of those that we named.
const WHY = { NotAllowedError: "stopped", InvalidStateError: "taken" };

const said = document.querySelector("[data-said]");

for (const button of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) {
    document.querySelector("[data-without]").hidden = false;
    continue;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.hidden = true;
    try {
      const { next } = await (button.dataset.passkey === "create" ? create : get)(button);
      location.replace(next);
    } catch (error) {
      said.textContent = button.dataset[WHY[error.name]] ?? button.dataset.failed;
      said.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
}

const app = document.querySelector("[data-app]");

if (app) {
  const word = new URLSearchParams(location.hash.slice(1)).get("tgWebAppData");
  history.replaceState(null, "", location.pathname);
  if (word === null) {
    app.textContent = app.dataset.outside;
  } else {
    post("/in/app", { word, to: app.dataset.to }).then(
      ({ next }) => location.replace(next),
      () => { app.textContent = app.dataset.failed; },
    );
  }
}
