// Asking the API, with a token where it wants one.

const TOKEN = "kafkaflow-token";
let tell = () => {};

export const token = () => sessionStorage.getItem(TOKEN);
export const setToken = (text) => sessionStorage.setItem(TOKEN, text);

/** `when` is called once the API refuses for want of a token. */
export function needsToken(when) {
  tell = when;
}

/** The answer: status, body, headers. A refusal is thrown, with the problem that the API states. */
export async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  if (token()) headers.set("Authorization", `Bearer ${token()}`);
  const response = await fetch(path, { cache: "no-store", ...options, headers });
  const text = await response.text();
  let body;
  try {
    body = text ? JSON.parse(text) : undefined;
  } catch {
    body = undefined;
  }
  if (response.status === 401) tell();
  if (response.ok || response.status === 304) return { status: response.status, body, headers: response.headers };
  throw Object.assign(new Error(body?.detail ?? response.statusText), { status: response.status, problem: body });
}
