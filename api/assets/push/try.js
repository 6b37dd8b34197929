// The page for trying it out: subscribes, registers the device with a recipient's token, and shows what came of it.
import { subscribe, unsubscribe } from "/push/subscribe.js";

const REGISTER = `mutation($input: RegisterDeviceInput!) {
  registerDevice(input: $input) { __typename ... on Refused { code message } }
}`;

const element = (id) => document.getElementById(id);
const say = (what) => {
  element("result").textContent = typeof what === "string" ? what : JSON.stringify(what, null, 2);
};

const register = async (token, subscription) => {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: REGISTER, variables: { input: { channel: "WEB_PUSH", subscription } } }),
  });
  return answer.json();
};

const attempt = (work) => async () => {
  try {
    say(await work());
  } catch (error) {
    say(`${error.code ?? error.name}: ${error.message}`);
  }
};

element("subscribe").addEventListener("click", attempt(async () => {
  const key = await (await fetch("/push/key")).text();
  const subscription = await subscribe(key);
  const token = element("token").value.trim();
  return { subscription, registered: token === "" ? "no: there is no token" : await register(token, subscription) };
}));
element("unsubscribe").addEventListener("click", attempt(async () => ({ unsubscribed: await unsubscribe({ scope: "/push/" }) })));
