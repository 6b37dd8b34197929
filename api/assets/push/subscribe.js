// Subscribes this browser. What subscribe() gives is the `subscription` of the mutation registerDevice:
//
//   import { subscribe } from "https://notify.example.com/push/subscribe.js";
//   const subscription = await subscribe(applicationServerKey, { serviceWorker: "/service-worker.js" });
//   // mutation { registerDevice(input: { channel: WEB_PUSH, subscription: … }) { … } }

/** Why there is no subscription: `code` is UNSUPPORTED, DENIED, DISMISSED or KEY. */
export class SubscribeError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "SubscribeError";
    this.code = code;
  }
}

/** Whether this browser takes pushes at all. On iOS it does once the site is on the home screen. */
export const isSupported = () => "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;

/** The 65 bytes of the server's public key. */
const bytesOf = (key) => {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(key.trim().replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  } catch {
    bytes = new Uint8Array();
  }
  if (bytes.length !== 65 || bytes[0] !== 4) {
    throw new SubscribeError("KEY", "This is not an application server key; take the one at /push/key.");
  }
  return bytes;
};

const isSame = (buffer, bytes) => {
  const own = buffer === null || buffer === undefined ? [] : new Uint8Array(buffer);
  return own.length === bytes.length && bytes.every((byte, index) => byte === own[index]);
};

/** As registerDevice wants it. */
const partsOf = (subscription) => {
  const { endpoint, keys } = subscription.toJSON();
  return { endpoint, p256dh: keys.p256dh, auth: keys.auth };
};

/**
 * Asks the person, where they were not asked before, and subscribes. Call it from a click: browsers ask at no other
 * time. The same browser gives the same subscription again, so that calling it at each visit keeps yours fresh; one
 * under another key is given up first, since nothing would arrive there any more.
 *
 * @param {string} applicationServerKey The public half of the VAPID key: GET /push/key.
 * @param {{ serviceWorker?: string, scope?: string }} options Where the service worker is on your own site.
 * @returns {Promise<{ endpoint: string, p256dh: string, auth: string }>}
 */
export async function subscribe(applicationServerKey, { serviceWorker = "/push/service-worker.js", scope } = {}) {
  const key = bytesOf(applicationServerKey);
  if (!isSupported()) throw new SubscribeError("UNSUPPORTED", "This browser takes no pushes.");
  const permission = await Notification.requestPermission();
  if (permission === "denied") throw new SubscribeError("DENIED", "Notifications of this site are blocked; allow them in the browser's settings.");
  if (permission !== "granted") throw new SubscribeError("DISMISSED", "The question was closed without an answer; ask again at another time.");
  const registration = await navigator.serviceWorker.register(serviceWorker, scope === undefined ? {} : { scope });
  await ready(registration);
  const known = await registration.pushManager.getSubscription();
  if (known !== null) {
    if (isSame(known.options?.applicationServerKey, key)) return partsOf(known);
    await known.unsubscribe();
  }
  return partsOf(await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
}

/** Subscribing needs a service worker that is active; `navigator.serviceWorker.ready` waits for one of this very page. */
const ready = (registration) => {
  const worker = registration.installing ?? registration.waiting;
  if (registration.active !== null || worker === null) return undefined;
  return new Promise((resolve, reject) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new SubscribeError("UNSUPPORTED", "The service worker could not be installed."));
    });
  });
};

/** Takes the subscription back; gives its endpoint, whose device is to be removed, or null where there was none. */
export async function unsubscribe({ scope } = {}) {
  if (!isSupported()) return null;
  const registration = await navigator.serviceWorker.getRegistration(scope);
  const known = (await registration?.pushManager.getSubscription()) ?? null;
  if (known === null) return null;
  await known.unsubscribe();
  return known.endpoint;
}
