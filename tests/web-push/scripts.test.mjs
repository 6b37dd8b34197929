// The scripts for browsers, in a browser that is made up: node --test tests/web-push
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const source = (name) => readFileSync(new URL(`../../api/assets/push/${name}`, import.meta.url), "utf8");

/** A service worker's surroundings, with what it did. */
function worker(pages = []) {
  const listeners = {};
  const did = { shown: [], opened: [] };
  const self = {
    location: { hostname: "shop.example" },
    registration: { scope: "https://shop.example/", showNotification: async (title, options) => did.shown.push({ title, ...options }) },
    clients: { matchAll: async () => pages, openWindow: async (url) => did.opened.push(url) },
    addEventListener: (name, listener) => { listeners[name] = listener; },
  };
  vm.runInNewContext(source("service-worker.js"), { self, URL });
  const fire = async (name, event) => {
    let waited;
    listeners[name]({ waitUntil: (promise) => { waited = promise; }, ...event });
    await waited;
  };
  const push = (payload) => fire("push", { data: payload === undefined ? null : { json: () => JSON.parse(payload) } });
  const click = async (data) => {
    let closed = false;
    await fire("notificationclick", { notification: { data, close: () => { closed = true; } } });
    return closed;
  };
  return { did, push, click };
}

// Objects of another realm have other prototypes.
const plain = (value) => JSON.parse(JSON.stringify(value));

test("a message is shown as it says, under its tag", async () => {
  const { did, push } = worker();
  await push(JSON.stringify({ title: "Paid", body: "주문 42 😀", tag: "t", nid: "n", delivery: 0, attempt: 1, data: { url: "/orders/42", icon: "https://shop.example/i.png" } }));
  assert.deepEqual(plain(did.shown), [{
    title: "Paid", body: "주문 42 😀", tag: "t", icon: "https://shop.example/i.png",
    data: { nid: "n", url: "https://shop.example/orders/42", data: { url: "/orders/42", icon: "https://shop.example/i.png" } },
  }]);
});

test("something is shown for whatever comes", async () => {
  for (const payload of [undefined, "", "not json", "null", "[]", "42", '{"title":1,"body":{},"data":"x"}']) {
    const { did, push } = worker();
    await push(payload);
    assert.deepEqual([did.shown.length, did.shown[0].title, did.shown[0].body], [1, "shop.example", ""], String(payload));
  }
});

test("a click opens what it is about, over the net only, and once", async () => {
  for (const [url, opened] of [["https://shop.example/a", "https://shop.example/a"], ["/b", "https://shop.example/b"], ["javascript:alert(1)", "https://shop.example/"], ["data:text/html,x", "https://shop.example/"], [7, "https://shop.example/"]]) {
    const { did, push, click } = worker();
    await push(JSON.stringify({ body: "b", nid: "n", tag: "t", data: { url } }));
    assert.equal(await click(did.shown[0].data), true);
    assert.deepEqual(did.opened, [opened]);
  }
  let focused = 0;
  const told = [];
  const page = { url: "https://shop.example/a", focus: async () => { focused += 1; }, postMessage: (message) => told.push(message) };
  const { did, click } = worker([page]);
  await click({ nid: "n", url: "https://shop.example/a" });
  assert.deepEqual([focused, did.opened, told[0].type, told[0].nid], [1, [], "bongsu:click", "n"]);
});

test("notifications of others are left to others", async () => {
  const { did, click } = worker();
  for (const data of [null, undefined, "x", { url: "https://evil.example/" }]) assert.equal(await click(data), false);
  assert.deepEqual(did.opened, []);
});

const KEY = Buffer.from([4, ...Array.from({ length: 64 }, (_, index) => index)]);
const SUBSCRIPTION = (key) => ({
  options: { applicationServerKey: key.buffer.slice(key.byteOffset, key.byteOffset + key.length) },
  toJSON: () => ({ endpoint: "https://push.example/1", expirationTime: null, keys: { p256dh: "p", auth: "a" } }),
});

/** A page's surroundings, with what it did. */
function browser({ permission = "granted", known = null } = {}) {
  const did = { asked: 0, unsubscribed: 0, subscribed: [], registered: [] };
  if (known !== null) known.unsubscribe = async () => { did.unsubscribed += 1; };
  const registration = {
    active: {}, installing: null, waiting: null,
    pushManager: {
      getSubscription: async () => known,
      subscribe: async (options) => { did.subscribed.push(options); return SUBSCRIPTION(Buffer.from(options.applicationServerKey)); },
    },
  };
  const serviceWorker = { register: async (...by) => { did.registered.push(by); return registration; }, getRegistration: async () => registration };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { serviceWorker } });
  globalThis.PushManager = class {};
  globalThis.Notification = { requestPermission: async () => { did.asked += 1; return permission; } };
  return did;
}

const { subscribe, unsubscribe } = await import(`data:text/javascript;base64,${Buffer.from(source("subscribe.js")).toString("base64")}`);

test("subscribing gives what registerDevice wants", async () => {
  const did = browser();
  assert.deepEqual(await subscribe(KEY.toString("base64url"), { serviceWorker: "/sw.js", scope: "/" }), { endpoint: "https://push.example/1", p256dh: "p", auth: "a" });
  assert.deepEqual(did.registered, [["/sw.js", { scope: "/" }]]);
  assert.equal(did.subscribed[0].userVisibleOnly, true);
  assert.deepEqual(Buffer.from(did.subscribed[0].applicationServerKey), KEY);
});

test("the same key keeps the subscription, another one takes its place", async () => {
  let did = browser({ known: SUBSCRIPTION(KEY) });
  await subscribe(KEY.toString("base64url"));
  assert.deepEqual([did.unsubscribed, did.subscribed.length], [0, 0]);
  did = browser({ known: SUBSCRIPTION(Buffer.from([...KEY].reverse())) });
  await subscribe(KEY.toString("base64url"));
  assert.deepEqual([did.unsubscribed, did.subscribed.length], [1, 1]);
});

test("whoever says no, and whoever gives another key, is told so", async () => {
  for (const [permission, code] of [["denied", "DENIED"], ["default", "DISMISSED"]]) {
    browser({ permission });
    await assert.rejects(subscribe(KEY.toString("base64url")), { code });
  }
  const did = browser();
  for (const key of ["", "%%%", "AAAA", Buffer.alloc(65).toString("base64url")]) await assert.rejects(subscribe(key), { code: "KEY" });
  assert.equal(did.asked, 0);
  delete globalThis.PushManager;
  await assert.rejects(subscribe(KEY.toString("base64url")), { code: "UNSUPPORTED" });
});

test("unsubscribing says which device is to be removed", async () => {
  browser();
  assert.equal(await unsubscribe(), null);
  const did = browser({ known: Object.assign(SUBSCRIPTION(KEY), { endpoint: "https://push.example/1" }) });
  assert.equal(await unsubscribe(), "https://push.example/1");
  assert.equal(did.unsubscribed, 1);
});
