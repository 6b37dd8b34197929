// The simulators, used by clients that we did not write: what these cannot do with the real provider's
// imitation, our own client may be wrong about, too.
//
//   node simulators.mjs <ready file> <state folder>

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import apn from "@parse/node-apn";
import twilio from "twilio";
import webPush from "web-push";

const [ready, state] = process.argv.slice(2);
const at = JSON.parse(readFileSync(ready, "utf8"));
const credentials = await (await fetch(`http://${at.admin}/_sim/credentials`)).json();
const check = async (name, run) => {
  await run();
  console.log(`ok  ${name}`);
};

// Its library knows one host only; the requests are its own.
class Redirected extends twilio.RequestClient {
  request(options) {
    return super.request({ ...options, uri: options.uri.replace(/^https:\/\/api\.twilio\.com/, `http://${at.twilio}`) });
  }
}
const account = (token) => twilio(credentials.twilio_account_sid, token, { httpClient: new Redirected() });

await check("twilio creates a message and lists it", async () => {
  const client = account(credentials.twilio_auth_token);
  const made = await client.messages.create({ to: "+821023456789", from: credentials.twilio_from, body: "안녕하세요" });
  assert.match(made.sid, /^SM[0-9a-f]{32}$/);
  assert.equal(made.status, "queued");
  const listed = await client.messages.list({ to: "+821023456789", limit: 10 });
  assert.deepEqual(listed.map((message) => [message.sid, message.body]), [[made.sid, "안녕하세요"]]);
  assert.ok(listed[0].dateCreated instanceof Date && !Number.isNaN(listed[0].dateCreated.getTime()));
});

await check("twilio reads refusals with their codes", async () => {
  const send = (client, to) => client.messages.create({ to, from: credentials.twilio_from, body: "b" });
  await assert.rejects(send(account(credentials.twilio_auth_token), "+15005550001"), { status: 400, code: 21211 });
  await assert.rejects(send(account("wrong"), "+821023456789"), { status: 401, code: 20003 });
});

await check("node-apn sends over TLS and reads a dead token", async () => {
  const [address, port] = at.apns.split(":");
  const provider = new apn.Provider({
    token: { key: credentials.apns_key_pem, keyId: credentials.apns_key_id, teamId: credentials.apns_team_id },
    address, port: Number(port), ca: readFileSync(`${state}/ca.pem`), production: true,
  });
  const note = new apn.Notification();
  Object.assign(note, { topic: credentials.apns_topic, alert: { title: "Paid", body: "Order 42" }, pushType: "alert", priority: 10 });
  const good = "ab".repeat(32);
  const dead = `dead00${"0".repeat(58)}`;
  try {
    const result = await provider.send(note, [good, dead]);
    assert.deepEqual(result.sent.map((one) => one.device), [good], JSON.stringify(result.failed));
    assert.deepEqual(result.failed.map((one) => [one.device, Number(one.status), one.response?.reason]), [[dead, 410, "Unregistered"]]);
  } finally {
    await provider.shutdown();
  }
});

await check("web-push encrypts what the simulated browser reads", async () => {
  const vapidDetails = { subject: "mailto:a@example.com", publicKey: credentials.vapid_public_key, privateKey: credentials.vapid_private_key };
  const subscription = (path) => ({
    endpoint: `http://${at.web_push}/push/${path}`,
    keys: { p256dh: credentials.browser_p256dh, auth: credentials.browser_auth },
  });
  // It speaks https only, so the request is its own and the sending ours.
  const send = async (path, details = vapidDetails) => {
    const request = webPush.generateRequestDetails(subscription(path), "읽어 주세요", { vapidDetails: details, TTL: 60, contentEncoding: "aes128gcm" });
    return fetch(request.endpoint, { method: request.method, headers: request.headers, body: request.body });
  };
  assert.equal((await send("alice")).status, 201);
  const [message] = await (await fetch(`http://${at.admin}/_sim/messages?provider=web_push&limit=1`)).json();
  assert.equal(message.raw, "읽어 주세요");
  assert.equal((await send("gone")).status, 410);
  assert.equal((await send("alice", { ...vapidDetails, ...webPush.generateVAPIDKeys() })).status, 403);
});
