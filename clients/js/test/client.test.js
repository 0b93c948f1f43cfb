// The middleware against a server whose responses the tests choose.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { rollcall } from "../index.js";

const OK = { status: 200, body: { registered: 1 } };
const update = (id) => ({ update_id: id, message: { text: "\u00e4".repeat(20) } });
const refused = (status, error, more = {}) => ({ status, body: { error, ...more } });

const servers = [];
after(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

/** Answers the requests in turn, the last answer again and again. */
async function serve(...answers) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    let body = Buffer.concat(parts);
    if (request.headers["content-encoding"] === "gzip") body = gunzipSync(body);
    requests.push({ path: request.url, headers: request.headers, updates: JSON.parse(body), at: Date.now() });
    const answer = answers.length > 1 ? answers.shift() : (answers[0] ?? OK);
    if (answer.never) return;
    response.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body));
  });
  await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
  servers.push(server);
  return {
    requests,
    answers,
    url: `http://127.0.0.1:${server.address().port}`,
    ids: () => requests.map(({ updates }) => updates.map((it) => it.update_id)),
  };
}

function client(server, options = {}) {
  const logged = [];
  const middleware = rollcall({ url: server.url, key: "key", log: (it) => logged.push(it), ...options });
  return { middleware, logged };
}

async function until(isSo) {
  for (const end = Date.now() + 20_000; !isSo(); ) {
    assert.ok(Date.now() < end, "it did not happen");
    await new Promise((later) => setTimeout(later, 5));
  }
}

/** Runs a program; resolves with its exit code or signal. */
function run(text, signalAfter) {
  const program = spawn(process.execPath, ["--input-type=module", "-e", text], {
    cwd: import.meta.dirname ?? new URL(".", import.meta.url).pathname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (signalAfter) program.stdout.once("data", () => program.kill(signalAfter));
  return new Promise((ended) => program.on("exit", (code, signal) => ended(signal ?? code)));
}

describe("the client", { concurrency: true }, () => {
  test("updates go in batches in their order", async () => {
    const server = await serve();
    const { middleware } = client(server);
    for (let id = 0; id < 1200; id += 1) {
      const got = await middleware({ update: update(id), me: { id: 7 } }, async () => "answered");
      assert.equal(got, "answered");
    }
    await middleware.flush();
    assert.deepEqual(server.ids().map((ids) => ids.length), [500, 500, 200]);
    assert.deepEqual(server.ids().flat(), Array.from({ length: 1200 }, (_, id) => id));
    const [{ path, headers, updates }] = server.requests;
    assert.equal(path, "/ingest");
    assert.equal(headers.authorization, "Bearer key");
    assert.equal(headers["rollcall-bot-id"], "7");
    assert.equal(headers["content-encoding"], "gzip");
    assert.deepEqual(updates[0], update(0));
    assert.equal(middleware.sent, 1200);
  });

  test("each bot has its own request", async () => {
    const server = await serve();
    const { middleware } = client(server);
    for (const [id, bot] of [7, 7, 8, undefined].entries()) middleware.send(update(id), bot);
    await middleware.flush();
    assert.deepEqual(server.ids(), [[0, 1], [2], [3]]);
  });

  test("it waits as long as the server asks", async () => {
    const server = await serve(
      { ...refused(429, "too many"), headers: { "Retry-After": "2" } },
      refused(503, "later"),
      OK,
    );
    const { middleware, logged } = client(server);
    middleware.send(update(1));
    await until(() => middleware.sent === 1);
    assert.deepEqual(server.ids(), [[1], [1], [1]]);
    assert.ok(server.requests[1].at - server.requests[0].at >= 1990);
    assert.deepEqual(logged, [
      "rollcall: updates do not reach Rollcall: HTTP status 429, too many",
      "rollcall: updates do not reach Rollcall: HTTP status 503, later",
    ]);
  });

  test("without a connection nothing is lost", async () => {
    const { middleware, logged } = client({ url: "http://127.0.0.1:9" });
    middleware.send(update(1));
    await middleware.flush(1200);
    assert.match(logged[0], /no response \((ECONNREFUSED|bad port)/);
    assert.match(logged.at(-1), /1 updates were not sent in time/);
    assert.equal(middleware.dropped, 0);
  });

  test("the oldest are dropped if too many wait", async () => {
    const server = await serve(refused(503, "later"));
    const { middleware, logged } = client(server, { capacity: 10 });
    middleware.send(update(0));
    await until(() => server.requests.length > 0);
    for (let id = 1; id <= 15; id += 1) middleware.send(update(id));
    server.answers[0] = OK;
    await middleware.flush();
    assert.deepEqual(server.ids().at(-1), [6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    assert.equal(middleware.dropped, 5);
    assert.match(logged.at(-1), /5 updates were dropped/);
  });

  test("a wrong key is logged once with the reason", async () => {
    const server = await serve(refused(401, "unknown or revoked key"));
    const { middleware, logged } = client(server);
    for (let id = 0; id < 3; id += 1) {
      middleware.send(update(id));
      await middleware.flush();
    }
    assert.deepEqual(logged, [
      "rollcall: updates do not reach Rollcall: HTTP status 401, unknown or revoked key",
    ]);
    assert.equal(middleware.dropped, 3);
  });

  test("one update that is none does not stop the others", async () => {
    const server = await serve(refused(400, "it has no update_id", { element: 1 }), OK);
    const { middleware } = client(server);
    for (let id = 0; id < 3; id += 1) middleware.send(update(id));
    await middleware.flush();
    assert.deepEqual(server.ids(), [[0, 1, 2], [0, 2]]);
    assert.deepEqual([middleware.sent, middleware.dropped], [2, 1]);
  });

  test("a proxy that takes little gets small requests", async () => {
    const server = await serve(refused(413, "too large"), OK);
    const { middleware } = client(server);
    for (let id = 0; id < 10; id += 1) middleware.send(update(id));
    await middleware.flush();
    assert.deepEqual(server.ids().slice(1), [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]);
  });

  test("a redirect is not followed", async () => {
    const server = await serve({ status: 302, headers: { Location: "/elsewhere" } });
    const { middleware } = client(server);
    middleware.send(update(1));
    await middleware.flush();
    assert.deepEqual(server.requests.map(({ path }) => path), ["/ingest"]);
    assert.equal(middleware.dropped, 1);
  });

  test("what is not JSON is dropped, and the bot goes on", async () => {
    const server = await serve();
    const { middleware, logged } = client(server);
    const circle = {};
    circle.circle = circle;
    for (const wrong of [circle, undefined, { id: 1n }]) middleware.send(wrong);
    middleware.send(update(2));
    await middleware.flush();
    assert.deepEqual(server.ids(), [[2]]);
    assert.equal(middleware.dropped, 3);
    assert.equal(logged.length, 1);
  });

  test("a flush ends in time", async () => {
    const server = await serve({ never: true });
    const { middleware, logged } = client(server);
    middleware.send(update(1));
    const begun = Date.now();
    await middleware.flush(300);
    assert.ok(Date.now() - begun < 3000);
    assert.match(logged.at(-1), /1 updates were not sent in time/);
  });

  test("a program that ends sends what is left", async () => {
    const server = await serve();
    const begin = `import { rollcall } from "../index.js";
      rollcall({ url: "${server.url}", key: "key" }).send({ update_id: 5 });`;
    assert.equal(await run(begin), 0);
    const goesOn = `${begin} setInterval(() => {}, 1000); console.log("ready");`;
    assert.equal(await run(goesOn, "SIGTERM"), "SIGTERM");
    const stops = `${begin} const timer = setInterval(() => {}, 1000); console.log("ready");
      process.once("SIGINT", () => clearInterval(timer));`;
    assert.equal(await run(stops, "SIGINT"), 0);
    assert.deepEqual(server.ids(), [[5], [5], [5]]);
  });

  test("a program without a connection ends in time", async () => {
    const begun = Date.now();
    const program = `import { rollcall } from "../index.js";
      rollcall({ url: "http://127.0.0.1:1", key: "key", log() {} }).send({ update_id: 5 });`;
    assert.equal(await run(program), 0);
    assert.ok(Date.now() - begun < 10_000);
  });

  test("wrong settings are named", () => {
    for (const url of [undefined, "", "rollcall.example.org", "ftp://example.org", "http://"]) {
      assert.throws(() => rollcall({ url, key: "key" }), /TypeError: expected the address.*ROLLCALL_URL/);
    }
    for (const key of [undefined, "", "two words", "k\n", "\u00e4"]) {
      assert.throws(() => rollcall({ url: "http://127.0.0.1:8080", key }), /TypeError: expected a key/);
    }
  });
});
