// Sends a copy of a Telegram bot's updates to Rollcall, which records the bot's users.

// The largest request, before it is packed. Rollcall takes 1,000 updates and 8 MiB.
const MOST_UPDATES = 500;
const MOST_LENGTH = 2 << 20; // Up to three bytes for each UTF-16 unit.
const PACK_FROM_LENGTH = 1024;
// How long updates are collected before they are sent.
const COLLECT_MS = 1000;
// The first and the longest wait between two attempts, and the wait at the end of the program.
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
const END_WAIT_MS = 500;
const TIMEOUT_MS = 15_000; // Rollcall answers within ten seconds.
const END_MS = 5000;

/** Creates a middleware for grammY and telegraf. See index.d.ts. */
export function rollcall(options = {}) {
  const client = new Client(options);
  const middleware = (ctx, next) => {
    client.send(ctx.update, ctx.me?.id ?? ctx.botInfo?.id);
    return next();
  };
  middleware.send = (update, botId) => client.send(update, botId);
  middleware.flush = (timeoutMs = END_MS) => client.flush(timeoutMs);
  Object.defineProperty(middleware, "sent", { get: () => client.sent });
  Object.defineProperty(middleware, "dropped", { get: () => client.dropped });
  return middleware;
}

class Client {
  sent = 0;
  dropped = 0;
  #url;
  #key;
  #capacity;
  #log;
  #queue = [];
  #mostUpdates = MOST_UPDATES;
  #reported = "";
  #overflown = 0;
  // The loop that sends, as long as there is something to send.
  #running;
  // Ends the current wait, and the current request.
  #wake = () => {};
  #abort = () => {};
  // When a flush gives up; Infinity while none runs.
  #deadline = Infinity;

  constructor({ url, key, capacity = 10_000, log = console.warn }) {
    const env = globalThis.process?.env ?? {};
    this.#url = ingestUrl(url ?? env.ROLLCALL_URL);
    this.#key = key ?? env.ROLLCALL_KEY ?? "";
    if (!/^[!-~]+$/.test(this.#key)) {
      throw new TypeError("expected a key of `manage api-keys create`, as key or in ROLLCALL_KEY");
    }
    if (!(capacity >= 1)) throw new TypeError("expected a capacity of at least 1");
    this.#capacity = capacity;
    this.#log = log;
    this.#flushAtTheEnd();
  }

  send(update, botId) {
    let json;
    try {
      json = JSON.stringify(update);
      if (json === undefined) throw new TypeError();
    } catch (error) {
      this.dropped += 1;
      this.#report(`an update cannot be written as JSON (${error.name})`);
      return;
    }
    if (this.#queue.length >= this.#capacity) {
      this.#queue.shift();
      this.dropped += 1;
      this.#overflown += 1;
    }
    this.#queue.push({ json, botId });
    this.#running ??= this.#run();
  }

  async flush(timeoutMs) {
    this.#deadline = Date.now() + timeoutMs;
    this.#wake();
    const limit = setTimeout(() => {
      this.#wake();
      this.#abort();
    }, timeoutMs);
    await this.#running;
    clearTimeout(limit);
    this.#deadline = Infinity;
    if (this.#queue.length === 0) return;
    this.#say(`${this.#queue.length} updates were not sent in time`);
    this.#running ??= this.#run();
  }

  get #isFlushing() {
    return this.#deadline !== Infinity;
  }

  async #run() {
    await this.#collect();
    while (this.#queue.length > 0) {
      if (!(await this.#deliver(this.#batch()))) break;
      await this.#collect();
    }
    this.#running = undefined;
  }

  /** Waits until some updates have come, but not while a flush runs. */
  async #collect() {
    const isFull = this.#queue.length >= this.#mostUpdates;
    if (!isFull && !this.#isFlushing) await this.#sleep(COLLECT_MS);
  }

  /** Takes the next updates from the queue: those of one bot that fit into a request. */
  #batch() {
    const [first] = this.#queue;
    let length = 0;
    const fits = (item) => {
      length += item.json.length + 1;
      return item === first || (length <= MOST_LENGTH && item.botId === first.botId);
    };
    const next = this.#queue.slice(0, this.#mostUpdates);
    const end = next.findIndex((item) => !fits(item));
    return this.#queue.splice(0, end < 0 ? next.length : end);
  }

  /** Sends a batch until it is accepted or refused. Returns false if a flush ran out of time. */
  async #deliver(items) {
    let wait = FIRST_WAIT_MS;
    while (items.length > 0) {
      const response = await this.#request(items);
      if (response.isAccepted) {
        this.#accepted(items.length);
        return true;
      }
      this.#report(response.reason);
      if (!response.isTransient) {
        items = await this.#refused(items, response);
        continue;
      }
      await this.#pause(wait, response.retryAfterMs);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      if (Date.now() >= this.#deadline) {
        this.#queue.unshift(...items);
        return false;
      }
    }
    return true;
  }

  #accepted(number) {
    this.sent += number;
    if (this.#overflown > 0) {
      this.#say(`${this.#overflown} updates were dropped, because too many waited`);
      this.#overflown = 0;
    }
    this.#reported = "";
  }

  /** Drops what Rollcall refuses. Returns the rest, which is to be sent again. */
  async #refused(items, { status, element }) {
    let rest = [];
    if (element < items.length) {
      rest = items.filter((_, place) => place !== element);
      this.dropped += 1;
    } else if (status === 413 && items.length > 1) {
      // Something between the bot and Rollcall takes less than Rollcall.
      this.#mostUpdates = Math.floor(items.length / 2);
      rest = items.slice(0, this.#mostUpdates);
      this.#queue.unshift(...items.slice(this.#mostUpdates));
    } else {
      this.dropped += items.length;
    }
    // A wrong key or address. The next updates will hardly fare better.
    if (status !== 400 && status !== 413) await this.#pause(LONGEST_WAIT_MS, 0);
    return rest;
  }

  async #request(items) {
    const body = `[${items.map((item) => item.json).join(",")}]`;
    const headers = { Authorization: `Bearer ${this.#key}`, "Content-Type": "application/json" };
    const { botId } = items[0];
    if (botId !== undefined) headers["Rollcall-Bot-Id"] = String(botId);
    const abort = new AbortController();
    this.#abort = () => abort.abort();
    const limit = setTimeout(this.#abort, TIMEOUT_MS);
    limit.unref?.();
    try {
      const isLarge = body.length >= PACK_FROM_LENGTH;
      if (isLarge) headers["Content-Encoding"] = "gzip";
      const response = await fetch(this.#url, {
        method: "POST",
        headers,
        body: isLarge ? await packed(body) : body,
        // A redirect would pass the key on to another address.
        redirect: "manual",
        signal: abort.signal,
      });
      return read(response, await response.text());
    } catch (error) {
      const reason = `no response (${error.cause?.code ?? error.cause?.message ?? error.name})`;
      return { isTransient: true, reason, retryAfterMs: 0 };
    } finally {
      clearTimeout(limit);
    }
  }

  /** Waits before the next attempt. While a flush runs, it waits no longer than it must. */
  async #pause(waitMs, atLeastMs) {
    if (!this.#isFlushing) await this.#sleep(Math.max(waitMs, atLeastMs));
    else await this.#sleep(Math.min(Math.max(END_WAIT_MS, atLeastMs), this.#deadline - Date.now()));
  }

  /** Waits until the time is over, or for a flush. Only the waits of a flush keep the program alive. */
  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (!this.#isFlushing) timer.unref?.();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Logs a problem once, until updates are accepted again. */
  #report(reason) {
    if (reason === this.#reported) return;
    this.#reported = reason;
    this.#say(`updates do not reach Rollcall: ${reason}`);
  }

  #say(problem) {
    try {
      this.#log(`rollcall: ${problem}`);
    } catch {
      // The bot goes on, whatever its logger does.
    }
  }

  #flushAtTheEnd() {
    const { process } = globalThis;
    if (typeof process?.once !== "function") return;
    process.once("beforeExit", () => this.flush(END_MS));
    for (const signal of ["SIGINT", "SIGTERM"]) {
      const end = async () => {
        // Without another listener, the signal would have ended the program.
        const isAlone = process.listenerCount(signal) === 1;
        await this.flush(END_MS);
        if (!isAlone) return;
        process.off(signal, end);
        process.kill(process.pid, signal);
      };
      process.prependListener(signal, end);
    }
  }
}

function ingestUrl(text) {
  try {
    const url = new URL(text);
    if (/^https?:$/.test(url.protocol) && !url.search && !url.username) {
      return `${url.href.replace(/\/+$/, "")}/ingest`;
    }
  } catch {
    // The error below says what is expected.
  }
  throw new TypeError(
    "expected the address of Rollcall, such as http://127.0.0.1:8080, as url or in ROLLCALL_URL",
  );
}

function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** What a response means. */
function read(response, text) {
  const { status } = response;
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    // An error page of a proxy.
  }
  // A date is no number; then the ordinary wait has to do.
  const seconds = Number(response.headers.get("Retry-After") ?? 0);
  return {
    status,
    isAccepted: status >= 200 && status < 300,
    isTransient: status === 408 || status === 429 || status >= 500,
    reason: `HTTP status ${status}, ${body?.error ?? response.statusText}`,
    retryAfterMs: Math.min(Math.max(seconds || 0, 0), 3600) * 1000,
    element: Number.isInteger(body?.element) ? body.element : undefined,
  };
}
