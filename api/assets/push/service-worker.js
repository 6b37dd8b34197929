// Shows what Bongsu sends to this browser, and opens what it is about when it is clicked.
//
// Use it as it is, or within your own service worker: importScripts("https://notify.example.com/push/service-worker.js").
// A message is JSON: title, body, data (yours), tag, nid (the notification's id), delivery, attempt. A link to open is
// data.url, a picture data.icon, of https or http only. What comes twice has one tag, and takes its own place.
"use strict";

(() => {
  /** An address over the net, relative to the site; nothing for anything else. */
  const address = (text) => {
    if (typeof text !== "string") return undefined;
    try {
      const url = new URL(text, self.registration.scope);
      return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
    } catch {
      return undefined;
    }
  };

  /** What a push says. Browsers demand that something is shown for each, also for one that cannot be read. */
  const read = (data) => {
    try {
      const message = data.json();
      if (message !== null && typeof message === "object" && !Array.isArray(message)) return message;
    } catch {
      // Not ours: shown without words of its own.
    }
    return {};
  };

  const show = async (message) => {
    const text = (value) => (typeof value === "string" ? value : undefined);
    const data = message.data !== null && typeof message.data === "object" ? message.data : {};
    const options = { body: text(message.body) ?? "", tag: text(message.tag), data: { nid: text(message.nid), url: address(data.url), data } };
    const icon = address(data.icon);
    if (icon !== undefined) options.icon = icon;
    await self.registration.showNotification(text(message.title) ?? self.location.hostname, options);
    const pages = await self.clients.matchAll({ type: "window" });
    for (const page of pages) page.postMessage({ type: "bongsu:push", message });
  };

  const open = async ({ nid, url }) => {
    const target = url ?? self.registration.scope;
    const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    for (const page of pages) page.postMessage({ type: "bongsu:click", nid, url });
    const there = pages.find((page) => page.url === target);
    return there === undefined ? self.clients.openWindow(target) : there.focus();
  };

  self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));

  self.addEventListener("notificationclick", (event) => {
    const data = event.notification.data;
    // Of somebody else's notifications on this site nothing is known.
    if (data === null || typeof data !== "object" || !("nid" in data)) return;
    event.notification.close();
    event.waitUntil(open(data));
  });
})();
