/** Where calls go, what is dialled when and what is repeated, on a clock of the test's own. */

import assert from "node:assert/strict";
import test from "node:test";

import { ErrorDetails } from "../src/gen/hito/v1/errors.js";
import { Unavailable } from "../src/rpc/errors.js";
import { parseAddress } from "../src/transport/dial.js";
import { hedged } from "../src/transport/hedging.js";
import { PoolMachine, type Step } from "../src/transport/pool-machine.js";
import { Backoff, Repeats, RetryPacer } from "../src/transport/retry.js";
import { sleep } from "../src/transport/scope.js";

/** A pool of which a test says what becomes of it. */
class Pool {
  readonly machine: PoolMachine;
  now = 0;
  #last = 0;

  constructor(addresses: number, options: { inTurn?: boolean; connectionsMax?: number } = {}) {
    this.machine = new PoolMachine(addresses, options);
  }

  place(waits = false): Step {
    return this.machine.place({ waits }, this.now);
  }

  answer(address: number, callsMax = 100): number | undefined {
    const number = ++this.#last;
    return this.machine.dialled(address, number, callsMax, this.now) ? number : undefined;
  }

  refuse(address: number, isUntrusted = false): void {
    this.machine.dialFailed(address, isUntrusted, this.now, 1);
  }

  /** Dials what a call wants and has all answer. */
  connect(callsMax = 100): number {
    this.place();
    const [number] = this.machine.takeDials().map((place) => this.answer(place, callsMax));
    assert.ok(number !== undefined);
    return number;
  }

  lose(number: number): void {
    this.machine.retired(number, this.now, 1);
  }
}

const use = (number: number | undefined) => ({ kind: "use", number });
const wait = (until?: number) => ({ kind: "wait", until });

test("the first that answers is used and kept", () => {
  const pool = new Pool(3);
  assert.deepEqual([pool.place(), pool.machine.takeDials()], [wait(250), [0]]);
  pool.place();
  assert.deepEqual(pool.machine.takeDials(), [], "one attempt for all that wait");
  pool.refuse(0);
  pool.place();
  assert.deepEqual(pool.machine.takeDials(), [1]);
  const number = pool.answer(1);
  assert.deepEqual([pool.place(), pool.place()], [use(number), use(number)]);
  assert.deepEqual(pool.machine.takeDials(), []);
});

test("one that says nothing holds up the next for a quarter of a second", () => {
  const pool = new Pool(2);
  pool.place();
  assert.deepEqual(pool.machine.takeDials(), [0]);
  pool.now = 249;
  pool.place();
  assert.deepEqual(pool.machine.takeDials(), []);
  pool.now = 250;
  pool.place();
  assert.deepEqual(pool.machine.takeDials(), [1]);
  const fast = pool.answer(1);
  assert.deepEqual(pool.place(), use(fast));
  assert.equal(pool.answer(0), undefined, "the slow one is not needed any more");
});

test("where none answers a call fails or waits for the next attempt", () => {
  const pool = new Pool(2);
  for (const place of [0, 1]) {
    pool.place();
    assert.deepEqual(pool.machine.takeDials(), [place]);
    pool.refuse(place);
  }
  assert.deepEqual(pool.place(), { kind: "fail" });
  assert.deepEqual(pool.place(true), wait(50));
  pool.now = 50;
  assert.notEqual(pool.place().kind, "fail");
  assert.deepEqual(pool.machine.takeDials(), [0]);
});

for (const drops of [false, true]) {
  test(`attempts at an address that ${drops ? "drops connections" : "refuses"} come more and more slowly`, () => {
    const pool = new Pool(1);
    const waits: number[] = [];
    for (let round = 0; round < 9; round++) {
      if (drops) {
        pool.lose(pool.connect());
      } else {
        pool.place(true);
        assert.deepEqual(pool.machine.takeDials(), [0]);
        pool.refuse(0);
      }
      // A server that can be reached is waited for also by who does not wait for servers.
      const step = pool.place(!drops);
      assert.ok(step.kind === "wait" && step.until !== undefined);
      assert.deepEqual(pool.machine.takeDials(), []);
      waits.push(step.until - pool.now);
      pool.now = step.until;
    }
    assert.deepEqual(waits, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    const number = pool.connect();
    pool.machine.served(number);
    pool.lose(number);
    pool.place();
    assert.deepEqual(pool.machine.takeDials(), [0], "one that has answered is made again at once");
  });
}

test("a certificate that is not trusted is not waited for", () => {
  const pool = new Pool(1);
  pool.place(true);
  pool.refuse(0, true);
  assert.deepEqual(pool.place(true), { kind: "fail" });
});

test("a call without room opens a connection up to their maximum and waits then", () => {
  const pool = new Pool(2, { connectionsMax: 2 });
  const first = pool.connect(1);
  assert.deepEqual(pool.place(), use(first));
  assert.deepEqual([pool.place(), pool.machine.takeDials()], [wait(), [0]]);
  pool.place();
  assert.deepEqual(pool.machine.takeDials(), [], "one at a time");
  const second = pool.answer(0, 1);
  assert.deepEqual(pool.place(), use(second));
  assert.deepEqual([pool.place(), pool.machine.takeDials()], [wait(), []], "neither a third nor another server");
  pool.machine.callEnded(first);
  assert.deepEqual(pool.place(), use(first));
});

test("in turn calls go past those that do not answer", () => {
  const pool = new Pool(3, { inTurn: true });
  pool.place();
  assert.deepEqual(pool.machine.takeDials(), [0, 1, 2]);
  const numbers = [pool.answer(0), pool.answer(2)];
  pool.refuse(1);
  const used = Array.from({ length: 6 }, () => pool.place()).map((step) => step.kind === "use" ? step.number : 0);
  assert.deepEqual(new Set(used), new Set(numbers));
  pool.now = 50;
  pool.place();
  assert.deepEqual(pool.machine.takeDials(), [1], "it is tried again beside");
});

test("a server that does not serve gets no new calls while others do", () => {
  const pool = new Pool(2);
  const sick = pool.connect();
  pool.machine.says(0, false);
  pool.place();
  assert.deepEqual(pool.machine.takeDials(), [1]);
  const well = pool.answer(1);
  assert.deepEqual(pool.place(), use(well));
  pool.machine.says(0, true);
  assert.deepEqual(pool.place(), use(well), "it is kept for as long as it does");
  pool.machine.says(1, false);
  assert.deepEqual(pool.place(), use(sick));
  pool.machine.says(0, false);
  assert.equal(pool.place().kind, "use", "where none serves they say so themselves");
});

test("a copy goes to another server, else another connection, else the same", () => {
  const pool = new Pool(2, { inTurn: true });
  pool.place();
  const [one = 0, other = 0] = pool.machine.takeDials().map((place) => pool.answer(place));
  assert.equal(pool.machine.placeBeside([one]), other);
  pool.lose(other);
  assert.equal(pool.machine.placeBeside([one]), one);
  const another = pool.answer(0);
  assert.equal(pool.machine.placeBeside([one]), another);
  assert.deepEqual(pool.machine.takeDials(), [], "nothing is dialled for it");
});

function unavailable(retryDelayUs = 0): Unavailable {
  return new Unavailable("gone", { details: ErrorDetails.encode({ retryDelayUs }) });
}

test("a call is repeated within its time and the budget of all", () => {
  const pacer = new RetryPacer({ burst: 2, perSecond: 1 });
  const first = new Repeats(pacer, 10_000);
  const delay = first.delayMs(unavailable(), true, 0);
  assert.ok(delay >= 25 && delay <= 50);
  assert.equal(first.delayMs(unavailable(2_000_000), true, 0), 2000);
  assert.ok(first.delayMs(unavailable(), true, 0) >= 1000, "two at once, then one a second");
  assert.throws(() => new Repeats(pacer, 1500).delayMs(unavailable(), true, 0), Unavailable);
  assert.throws(() => first.delayMs(unavailable(), false, 0), Unavailable);
});

test("a stream without a deadline is repeated for a while after its first failure", () => {
  const repeats = new Repeats(new RetryPacer(), undefined, 30_000);
  repeats.delayMs(unavailable(), true, 600_000);
  repeats.delayMs(unavailable(), true, 629_000);
  assert.throws(() => repeats.delayMs(unavailable(), true, 630_000), Unavailable);
});

test("copies are made from the same budget", () => {
  const pacer = new RetryPacer({ burst: 2, perSecond: 10 });
  assert.deepEqual([1, 2, 3].map(() => pacer.takeNow(5000)), [true, true, false]);
  assert.ok(pacer.takeNow(5100) && !pacer.takeNow(5100));
  assert.ok(Math.abs(pacer.delayMs(5100) - 100) < 1e-6);
});

test("waits grow, and are no longer than a server may ask for", () => {
  const backoff = new Backoff(() => 1);
  assert.deepEqual([1, 2, 3].map(() => backoff.nextMs()), [50, 100, 200]);
  assert.equal(backoff.nextMs(3_600_000), 60_000);
  backoff.reset();
  assert.equal(backoff.nextMs(), 50);
});

test("of a hedged call the first result counts, and the others are cancelled", async () => {
  const cancelled: string[] = [];
  const copy = (name: string, result: Promise<string>) => ({ result, cancel: () => cancelled.push(name) });
  const never = new Promise<string>(() => {});
  const second = hedged({ delayMs: 5 }, copy("first", never), () => copy("second", Promise.resolve("second")));
  assert.equal(await second, "second");
  assert.deepEqual(cancelled, ["first"]);
  // An UNAVAILABLE leaves the others; any other failure counts.
  const slow = sleep(20).then(() => "slow");
  assert.equal(await hedged({ delayMs: 1 }, copy("a", slow), () => copy("b", Promise.reject(unavailable()))), "slow");
  await assert.rejects(hedged({ delayMs: 1 }, copy("c", never), () => copy("d", Promise.reject(new Error("no")))), /no/);
});

test("addresses are host:port", () => {
  assert.deepEqual(parseAddress("a.example:7443"), { host: "a.example", port: 7443 });
  assert.deepEqual(parseAddress(" [::1]:1 "), { host: "::1", port: 1 });
  for (const bad of ["a", "a:", ":1", "::1:7", "a:0", "a:65536", "a:x", ""]) {
    assert.throws(() => parseAddress(bad), TypeError);
  }
});
