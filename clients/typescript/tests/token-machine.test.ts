/** Which token a call has and when the provider is asked, on a clock of the test's own (clients/BEHAVIOUR.md, C5.8). */

import assert from "node:assert/strict";
import test from "node:test";

import { TokenMachine, type TokenOutcome, type TokenStep } from "../src/transport/token-machine.js";

/** A machine of which a test says what becomes of it. */
class Tokens {
  readonly machine = new TokenMachine();
  now = 0;

  next(): TokenStep {
    return this.machine.next(this.now);
  }

  give(text: unknown, validForMs?: unknown): TokenOutcome {
    return this.machine.answered({ kind: "given", text, validForMs }, this.now, 1);
  }

  fail(): TokenOutcome {
    return this.machine.answered({ kind: "failed", reason: "no" }, this.now, 1);
  }

  refuse(text: string): TokenOutcome | undefined {
    return this.machine.refused(text, this.now, 1);
  }

  /** Asks, which must be new, and gives. */
  renew(text: string, validForMs?: number): void {
    assert.deepEqual(this.next(), ask);
    this.give(text, validForMs);
  }
}

const use = (text: string) => ({ kind: "use", text });
const ask = { kind: "wait", isNew: true };
const wait = { kind: "wait", isNew: false };
const fail = { kind: "fail" };

test("there is one question, and a token of which nothing is said is used for ever", () => {
  const tokens = new Tokens();
  assert.deepEqual([tokens.next(), tokens.next()], [ask, wait]);
  assert.deepEqual(tokens.give("a"), { kind: "refreshed", validForMs: undefined });
  tokens.now = 1e12;
  assert.deepEqual(tokens.next(), use("a"));
});

test("a token is renewed in its margin and used on where that fails, until it expires", () => {
  const tokens = new Tokens();
  tokens.renew("a", 1_000_000);
  tokens.now = 989_999;
  assert.deepEqual(tokens.next(), use("a"));
  tokens.now = 990_000;
  assert.deepEqual([tokens.next(), tokens.next()], [ask, wait], "ten seconds are left");
  assert.deepEqual(tokens.fail(), { kind: "rests", reason: "no", restMs: 50 });
  assert.deepEqual([tokens.machine.afterQuestion(tokens.now), tokens.next()], [use("a"), use("a")]);
  tokens.now += 50;
  tokens.renew("b", 50_000);
  tokens.now += 44_999;
  assert.deepEqual(tokens.next(), use("b"));
  tokens.now += 1;
  assert.deepEqual(tokens.next(), ask, "a tenth is left");
  tokens.now += 5000;
  assert.deepEqual(tokens.fail(), { kind: "rests", reason: "no", restMs: 100 });
  assert.deepEqual([tokens.machine.afterQuestion(tokens.now), tokens.next()], [fail, fail]);
});

test("a refused token is not used again, and another that is current by now is", () => {
  const tokens = new Tokens();
  tokens.renew("a");
  assert.equal(tokens.refuse("a"), undefined);
  assert.deepEqual([tokens.next(), tokens.next()], [ask, wait]);
  tokens.give("b");
  assert.equal(tokens.refuse("a"), undefined, "a call that began before");
  assert.deepEqual(tokens.next(), use("b"));
});

test("a token that is refused while another is asked for is not used until then", () => {
  const tokens = new Tokens();
  tokens.renew("a", 1000);
  tokens.now = 950;
  assert.deepEqual(tokens.next(), ask);
  tokens.refuse("a");
  assert.deepEqual(tokens.next(), wait);
  tokens.fail();
  assert.deepEqual(tokens.next(), fail);
});

test("the token that was refused is none", () => {
  const tokens = new Tokens();
  tokens.renew("a");
  tokens.refuse("a");
  assert.deepEqual(tokens.next(), ask);
  const reason = "the token provider gave the token that was refused";
  assert.deepEqual(tokens.give("a"), { kind: "rests", reason, restMs: 50 });
  assert.deepEqual([tokens.next(), tokens.machine.reason], [fail, reason]);
});

test("rests grow from 50 ms to 5 s, and nobody asks in them", () => {
  const tokens = new Tokens();
  const rests: number[] = [];
  for (let round = 0; round < 9; round++) {
    assert.deepEqual(tokens.next(), ask);
    const outcome = tokens.fail();
    assert.ok(outcome.kind === "rests");
    rests.push(outcome.restMs);
    tokens.now += outcome.restMs - 1;
    assert.deepEqual(tokens.next(), fail);
    tokens.now += 1;
  }
  assert.deepEqual(rests, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  tokens.renew("a");
  tokens.machine.taken("a");
  tokens.refuse("a");
  assert.deepEqual(tokens.next(), ask);
  assert.deepEqual(tokens.fail(), { kind: "rests", reason: "no", restMs: 50 }, "it begins anew after an answer");
});

test("from the second unproven token in a row on that is refused the provider rests", () => {
  const tokens = new Tokens();
  tokens.renew("a");
  assert.equal(tokens.refuse("a"), undefined);
  tokens.renew("b");
  const reason = "the server refuses the tokens of the provider";
  assert.deepEqual(tokens.refuse("b"), { kind: "rests", reason, restMs: 50 });
  assert.deepEqual(tokens.next(), fail);
  tokens.now = 50;
  tokens.renew("c");
  assert.deepEqual(tokens.refuse("c"), { kind: "rests", reason, restMs: 100 });
});

test("a proven token that is revoked costs no rest", () => {
  const tokens = new Tokens();
  for (const text of ["a", "b", "c"]) {
    tokens.renew(text);
    tokens.machine.taken(text);
    assert.equal(tokens.refuse(text), undefined);
  }
  tokens.renew("d");
  tokens.machine.taken("c");
  assert.equal(tokens.refuse("d"), undefined, "the first unproven one in the row");
  tokens.renew("e");
  assert.equal(tokens.refuse("e")?.kind, "rests");
});

test("what may not be sent, and what is not valid, is no token", () => {
  for (const text of ["", "x".repeat(257), "ñ".repeat(129), "a\0b", "half \ud800", 7, null, undefined, {}]) {
    const tokens = new Tokens();
    tokens.next();
    assert.equal(tokens.give(text).kind, "rests", String(text));
  }
  for (const validForMs of [0, -1, NaN, "60"]) {
    const tokens = new Tokens();
    tokens.next();
    assert.equal(tokens.give("a", validForMs).kind, "rests", String(validForMs));
  }
  for (const validForMs of [1, Infinity, undefined, null]) {
    const tokens = new Tokens();
    tokens.next();
    assert.equal(tokens.give("ñ".repeat(128), validForMs).kind, "refreshed", String(validForMs));
    assert.equal(tokens.next().kind, "use");
  }
});
