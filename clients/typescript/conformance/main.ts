/** The client as a program under test of Tests/Conformance/runner.py: see docs/conformance.md for the lines. */

import { createInterface } from "node:readline";

import {
  Client, type ClientOptions, HitoError, type Init, type Metadata, type Method, StatusCode, type UnaryOptions, v1,
} from "../src/index.js";
import { ErrorDetails } from "../src/gen/hito/v1/errors.js";
import { readFileSync } from "node:fs";

type Line = { readonly [key: string]: any };
type AnyStub = { [method: string]: (request: unknown, options: UnaryOptions) => any };

const services: { [name: string]: { property: keyof Client; methods: { [name: string]: Method<any, any> } } } = {
  HealthService: { property: "health", methods: v1.HealthServiceMethods },
  GoalService: { property: "goals", methods: v1.GoalServiceMethods },
  CourseService: { property: "courses", methods: v1.CourseServiceMethods },
  EventService: { property: "events", methods: v1.EventServiceMethods },
  ProgressService: { property: "progress", methods: v1.ProgressServiceMethods },
};

const clients = new Map<string, { opened: Promise<Client>; abandon: AbortController }>();
const cancels = new Map<number, AbortController>();
const pauses = new Map<number, { done: Promise<void>; end: () => void }>();

function pauseOf(id: number) {
  let pause = pauses.get(id);
  if (pause === undefined) {
    let end = () => {};
    const done = new Promise<void>((resolve) => {
      end = resolve;
    });
    pause = { done, end };
    pauses.set(id, pause);
  }
  return pause;
}

const operations: { [op: string]: (line: Line) => Promise<Line> } = {
  async open(line) {
    const waits = line["wait_for_ready"] ?? true;
    const abandon = new AbortController();
    const options: ClientOptions = {
      tls: { ca: readFileSync(line["ca_file"], "utf8") },
      token: line["token"] ?? "",
      waitForReady: waits,
      waitForConnect: waits,
      balancing: line["balancing"] ?? "pick_first",
      connectionsPerAddress: line["connections"] ?? 4,
      keepaliveMs: line["keepalive_ms"] ?? 10_000,
      messageMax: line["message_max"] ?? 4 << 20,
      healthCheck: line["health"] ?? false,
      compression: line["compression"] ?? false,
      signal: abandon.signal,
    };
    const opened = Client.connect(line["addresses"], options);
    clients.set(line["client"], { opened, abandon });
    await opened;
    return { status: 0 };
  },

  async close(line) {
    const client = clients.get(line["client"]);
    client?.abandon.abort();
    const opened = await client?.opened.catch(() => undefined);
    await opened?.close();
    return {};
  },

  cancel(line) {
    cancels.get(line["call"])?.abort();
    return Promise.resolve({});
  },

  resume(line) {
    pauseOf(line["call"]).end();
    return Promise.resolve({});
  },

  async call(line) {
    const messages: Uint8Array[] = [];
    let metadata: Metadata = {};
    let trailers: Metadata = {};
    const cancel = new AbortController();
    cancels.set(line["id"], cancel);
    const options: UnaryOptions = {
      ...chosen(line),
      signal: cancel.signal,
      onMetadata: (said) => metadata = said,
      onTrailers: (said) => trailers = said,
    };
    const shown = () => ({
      metadata: entries(metadata), trailers: entries(trailers), messages: messages.map(toHex),
    });
    try {
      const client = await clients.get(line["client"])?.opened;
      if (client === undefined) throw new Error("no such client");
      const status = await call(client, line, messages, options);
      return { status, ...shown() };
    } catch (error) {
      // What may not be sent is refused as any wrong argument in JavaScript.
      if (error instanceof TypeError) return { status: StatusCode.INVALID_ARGUMENT, text: error.message };
      return { ...failure(error), ...shown() };
    } finally {
      cancels.delete(line["id"]);
    }
  },
};

/** Makes a call; `messages` gets its responses as they come. 0, or 1 where it was left. */
async function call(client: Client, line: Line, messages: Uint8Array[], options: UnaryOptions): Promise<number> {
  const [, serviceName = "", methodName = ""] = /\.(\w+)\/(\w+)$/.exec(line["method"]) ?? [];
  const name = methodName.charAt(0).toLowerCase() + methodName.slice(1);
  const service = services[serviceName];
  const method = service?.methods[name];
  if (service === undefined || method === undefined) throw new Error(`no such method: ${line["method"]}`);
  const stub = client[service.property] as unknown as AnyStub;
  const sent = (line["messages"] as string[]).map((message) => method.input.decode(fromHex(message)));
  const make = (request: unknown) => stub[name]!(request, options);
  if (line["resuming"]) {
    const request = sent[0] as Init<v1.WatchRequest>;
    return await read(client.progress.watchResuming(request, options), v1.WatchResponse, line, messages);
  }
  switch (line["kind"]) {
    case "unary":
      messages.push(method.output.encode(await make(sent[0])));
      return 0;
    case "client_stream":
      messages.push(method.output.encode(await make(requests(sent, line, undefined))));
      return 0;
    case "bidi": {
      const turns = line["in_turn"] ? new Turns() : undefined;
      return await read(make(requests(sent, line, turns)), method.output, line, messages, turns);
    }
    default:
      return await read(make(sent[0]), method.output, line, messages);
  }
}

/** `cancel_after`: leaves the stream after so many. `pause_after`: reads so many, and no more until `resume`. */
async function read(
  stream: AsyncIterable<any>, type: { encode(message: any): Uint8Array }, line: Line, messages: Uint8Array[],
  turns?: Turns,
): Promise<number> {
  for await (const response of stream) {
    messages.push(type.encode(response));
    turns?.give();
    if (messages.length === line["cancel_after"]) return StatusCode.CANCELLED;
    if (messages.length === line["pause_after"]) await pauseOf(line["id"]).done;
  }
  return 0;
}

class Turns {
  #free = 0;
  #wake: (() => void) | undefined;

  give(): void {
    this.#free += 1;
    this.#wake?.();
  }

  async take(): Promise<void> {
    while (this.#free === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#free -= 1;
  }
}

async function* requests(sent: readonly object[], line: Line, turns: Turns | undefined): AsyncIterable<object> {
  for (const [place, message] of sent.entries()) {
    if (place > 0) await turns?.take();
    yield message;
  }
  if (sent.length > 0) await turns?.take();
  if (line["keep_open"]) await new Promise(() => {});
}

function chosen(line: Line): UnaryOptions {
  const metadata: { [key: string]: string | Uint8Array } = {};
  for (const [key, value] of Object.entries<string>(line["metadata"] ?? {})) {
    metadata[key] = key.endsWith("-bin") ? fromHex(value) : value;
  }
  return {
    timeoutMs: line["timeout_ms"] ?? undefined,
    metadata,
    idempotencyKey: line["key"],
    hedging: line["hedge_after_ms"] === undefined
      ? undefined
      : { delayMs: line["hedge_after_ms"], copies: line["copies"] ?? 2 },
    token: line["token"],
    traceparent: line["traceparent"],
    waitForReady: line["wait_for_ready"],
  };
}

function failure(error: unknown): Line {
  if (!(error instanceof HitoError)) return { error: String((error as Error)?.stack ?? error) };
  return {
    status: error.code,
    text: error.text,
    details: toHex(ErrorDetails.encode(error.details)),
    cursor: error.resumeCursor,
    not_started: error.notStarted,
  };
}

function entries(metadata: Metadata): string[][] {
  return Object.entries(metadata).map(([key, value]) => [key, typeof value === "string" ? value : toHex(value)]);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

async function answer(line: Line): Promise<void> {
  const operation = operations[line["op"]];
  const reply = operation === undefined
    ? { unsupported: line["op"] }
    : await operation(line).catch((error: unknown) => failure(error));
  process.stdout.write(JSON.stringify({ id: line["id"], ...reply }) + "\n");
}

for await (const text of createInterface({ input: process.stdin })) void answer(JSON.parse(text));
process.exit(0);
