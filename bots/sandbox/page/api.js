// The control API next to this page: state, actions, and the stream of changes.

export class Refused extends Error {}

async function answer(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refused("The sandbox does not answer: see the terminal that it runs in");
  }
  const body = await response.json();
  if (!response.ok) throw new Refused([body.message, body.fix].filter(Boolean).join(": "));
  return body;
}

export async function state() {
  return answer("api/state");
}

export async function act(bot, action, body) {
  const options = { method: "POST", body: JSON.stringify(body) };
  return answer(`api/${bot}/${action}`, options);
}

export async function upload(bot, chat, user, file, caption) {
  const query = new URLSearchParams({ name: file.name, caption, user: String(user) });
  return answer(`api/upload/${bot}/${chat}?${query}`, { method: "POST", body: file });
}

export const fileUrl = (bot, id) => `api/file/${bot}/${encodeURIComponent(id)}`;

export function follow(after, { change, reset, connection }) {
  const stream = new EventSource(`api/events?after=${after}`);
  stream.onopen = () => connection("live");
  stream.onmessage = (event) => change(JSON.parse(event.data));
  stream.addEventListener("reset", () => {
    stream.close();
    reset();
  });
  stream.onerror = () => connection(stream.readyState === EventSource.CLOSED ? "gone" : "waiting");
  return stream;
}
