// Following an order: by a stream of events, and where there is none, by asking every two seconds.

import { ask, token } from "/page/api.js";

const ASK_EVERY = 2000;
/** After so many questions a stream is tried again. */
const STREAM_AGAIN = 5;
/** The place of what was announced is known once brokers acknowledged it, a moment after the order changed. */
const ACKNOWLEDGED = 600;
const FINAL = ["CANCELLED", "REFUNDED", "PARTIALLY_REFUNDED"];

/** Tells `order`, `timeline` and `link` of every change until `stop()`. */
export function follow(id, tell) {
  const path = `/orders/${encodeURIComponent(id)}`;
  let stopped = false;
  let over = false;
  let stream;
  let etag;
  let timer;

  async function refresh() {
    const answer = await ask(path, { headers: etag ? { "If-None-Match": etag } : {} });
    if (stopped || answer.status === 304) return;
    etag = answer.headers.get("ETag");
    over = FINAL.includes(answer.body.status);
    tell.order(answer.body);
    await showTimeline();
    setTimeout(showTimeline, ACKNOWLEDGED);
    if (over) {
      tell.link("over");
      end();
    }
  }

  async function showTimeline() {
    if (stopped) return;
    const { body } = await ask(`${path}/timeline`);
    if (!stopped) tell.timeline(body.entries);
  }

  function listen() {
    // A stream cannot carry a token.
    if (token()) return poll();
    stream = new EventSource(`${path}/events`);
    stream.onopen = () => tell.link("live");
    for (const kind of ["status", "note"]) stream.addEventListener(kind, () => refresh().catch(poll));
    stream.onerror = () => {
      stream.close();
      if (!stopped && !over) poll();
    };
  }

  function poll() {
    if (stopped || timer) return;
    stream?.close();
    let asked = 0;
    const again = async () => {
      timer = undefined;
      if (stopped || over) return;
      try {
        tell.link("poll");
        await refresh();
      } catch (error) {
        if (error.status === 404) {
          tell.link("unknown");
          return end();
        }
        tell.link("lost");
      }
      if (stopped || over) return;
      asked += 1;
      if (asked % STREAM_AGAIN === 0 && !token()) return listen();
      timer = setTimeout(again, ASK_EVERY);
    };
    timer = setTimeout(again, 0);
  }

  function end() {
    clearTimeout(timer);
    stream?.close();
  }

  refresh().catch(() => {});
  listen();
  return {
    stop() {
      stopped = true;
      end();
    },
  };
}
