// What the server sends, read by libraries that we did not write.
//
//   BONGSU_KEY=… node receivers.mjs <GraphQL endpoint> <folder of kept mails>

import assert from "node:assert/strict";
import { createECDH, randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import ece from "http_ece";
import { Webhook } from "standardwebhooks";

const [endpoint, mails] = process.argv.slice(2);
const arrived = [];
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    arrived.push({ path: request.url, headers: request.headers, body: Buffer.concat(chunks) });
    response.writeHead(201, { Location: "/kept" }).end();
  });
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const here = `http://127.0.0.1:${server.address().port}`;

const ask = async (query, variables) => {
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${process.env.BONGSU_KEY}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  for (const result of Object.values(data)) assert.equal(result?.code, undefined, JSON.stringify(result));
  return data;
};
const until = async (what, look) => {
  for (let turn = 0; turn < 300; turn += 1) {
    const found = look();
    if (found) return found;
    await pause(100);
  }
  throw new Error(`waited 30 s: ${what}`);
};

const secret = `whsec_${randomBytes(32).toString("base64")}`;
const browser = createECDH("prime256v1");
browser.generateKeys();
const auth = randomBytes(16);
await ask("mutation($input: UpsertRecipientInput!) { upsertRecipient(input: $input) { __typename ... on Problem { code message } } }", {
  input: { id: "alice", email: "alice@example.org", webhook: { url: `${here}/hook`, secret } },
});
await ask("mutation($input: RegisterDeviceInput!) { registerDevice(input: $input) { __typename ... on Problem { code message } } }", {
  input: {
    recipient: "alice",
    channel: "WEB_PUSH",
    subscription: { endpoint: `${here}/push`, p256dh: browser.getPublicKey("base64url"), auth: auth.toString("base64url") },
  },
});
const content = { title: "주문 42", body: "결제가 완료되었습니다.\n.\nEnde", html: "<p>결제가 <b>완료</b>되었습니다.</p>", data: '{"order":42}' };
const { sendNotification } = await ask(
  "mutation($input: SendNotificationInput!) { sendNotification(input: $input) { ... on SendAccepted { notification { id } } ... on Problem { code message } } }",
  { input: { recipient: "alice", channels: ["EMAIL", "WEBHOOK", "WEB_PUSH"], content } },
);
const { id } = sendNotification.notification;

const hook = await until("the webhook", () => arrived.find((one) => one.path === "/hook"));
const told = new Webhook(secret).verify(hook.body.toString(), hook.headers);
assert.ok(JSON.stringify(told).includes(id), JSON.stringify(told));
const other = new Webhook(`whsec_${randomBytes(32).toString("base64")}`);
assert.throws(() => other.verify(hook.body.toString(), hook.headers));
console.log("ok  standardwebhooks verifies what the server signs");

const push = await until("the push", () => arrived.find((one) => one.path === "/push"));
assert.equal(push.headers["content-encoding"], "aes128gcm");
assert.match(push.headers.authorization, /^vapid t=.+, ?k=.+/);
const read = JSON.parse(ece.decrypt(push.body, { version: "aes128gcm", privateKey: browser, authSecret: auth }).toString());
assert.deepEqual([read.title, read.body, read.nid], [content.title, content.body, id]);
console.log("ok  http_ece decrypts what the server encrypts");

const file = await until("the mail", () => existsSync(mails) && readdirSync(mails).find((name) => name.endsWith(".json")));
const mail = JSON.parse(readFileSync(`${mails}/${file}`, "utf8"));
assert.deepEqual([mail.from, mail.to, mail.subject, mail.defects], ["notify@example.com", ["alice@example.org"], content.title, []]);
const plain = (text) => text.replaceAll("\r\n", "\n").trimEnd();
assert.deepEqual([plain(mail.parts["text/plain"]), plain(mail.parts["text/html"])], [content.body, content.html]);
console.log("ok  aiosmtpd takes the mail, and Python reads it as it was written");
server.close();
server.closeAllConnections();
