import { randomUUID } from "node:crypto";

interface Answer {
  data?: Record<string, Record<string, unknown>>;
  errors?: unknown;
}

/** The side of those who send, at a running server. */
export class Staff {
  private constructor(
    readonly url: string,
    private readonly key: string,
    readonly recipient: string,
  ) {}

  /** A sender with a key, and a recipient, that nobody else has. */
  static async at(url: string, adminKey: string): Promise<Staff> {
    const name = `client-${randomUUID().slice(0, 8)}`;
    await ask(url, adminKey, `mutation($key: String!) { done: registerSender(input: { key: $key, name: $key }) { __typename ... on Problem { code message } } }`, { key: name });
    const made = await ask(
      url,
      adminKey,
      `mutation($sender: String!) { done: createApiKey(input: { name: "test", role: SENDER, sender: $sender }) { ... on ApiKeyCreated { secret } ... on Problem { code message } } }`,
      { sender: name },
    );
    const staff = new Staff(url, String(made["secret"]), `${name}-alice`);
    await staff.ask(`mutation($id: String!) { done: upsertRecipient(input: { id: $id }) { __typename ... on Problem { code message } } }`, { id: staff.recipient });
    return staff;
  }

  async token(ttlSeconds = 600): Promise<string> {
    const query = `mutation($recipient: String!, $ttlSeconds: Int) {
      done: mintRecipientToken(input: { recipient: $recipient, ttlSeconds: $ttlSeconds }) { ... on RecipientToken { token } ... on Problem { code message } }
    }`;
    return String((await this.ask(query, { recipient: this.recipient, ttlSeconds }))["token"]);
  }

  /** Sends one; answers with its id. */
  async send(body: string): Promise<string> {
    const query = `mutation($input: SendNotificationInput!) {
      done: sendNotification(input: $input) { ... on SendAccepted { notification { id } } ... on Problem { code message } }
    }`;
    const input = { recipient: this.recipient, channels: ["IN_APP"], content: { body }, idempotencyKey: randomUUID() };
    return ((await this.ask(query, { input }))["notification"] as { id: string }).id;
  }

  private ask(query: string, variables: Record<string, unknown>): Promise<Record<string, unknown>> {
    return ask(this.url, this.key, query, variables);
  }
}

async function ask(url: string, key: string, query: string, variables: Record<string, unknown>): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as Answer;
  const done = data?.["done"];
  if (!done || done["code"] !== undefined) throw new Error(`refused: ${JSON.stringify(errors ?? done)}`);
  return done;
}
