// ours.mjs ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT: Hito's client for Node.js.
import { readFileSync } from "node:fs";
import { Client } from "hito";

const WARM_UP_SECONDS = 3;
const [address = "", caFile = "", tokenFile = "", seconds = "", inFlight = ""] = process.argv.slice(2);

const client = await Client.connect(address, {
  tls: { ca: readFileSync(caFile, "utf8") },
  token: readFileSync(tokenFile, "utf8").trim(),
});
let count = 0;
let isOver = false;

async function call(): Promise<void> {
  while (!isOver) {
    await client.health.check({}, { timeoutMs: 30_000 });
    count += 1;
  }
}

/** Milliseconds of this process's time, of all its threads. */
function processTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// A call that fails ends the program: nobody catches it.
const callers = Array.from({ length: Number(inFlight) }, call);
await pause(WARM_UP_SECONDS * 1000);
const [calls, began, cpu] = [count, performance.now(), processTime()];
await pause(Number(seconds) * 1000);
const [done, took, spent] = [count - calls, (performance.now() - began) / 1000, processTime() - cpu];
isOver = true;
await Promise.all(callers);
console.log(JSON.stringify({ calls: done, seconds: took, cpu_us_per_call: (spent * 1000) / done }));
await client.close();
