/** Who is signed in, and what is kept of the server's state while they are. Knows no editor. */

import { Client, type ClientOptions, HitoError, Unauthenticated, v1 } from "hito";

import { changeOf, type GoalNode, readGoal, readGoals, type TaskNode } from "./goals.js";

/** Where tokens are kept: the editor's own store of secrets. */
export interface Secrets {
  get(key: string): Promise<string | undefined>;
  store(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

export interface SessionEvents {
  /** What is to be shown is another. */
  changed(): void;
  /** Something that a learner wants to hear of. */
  news(text: string): void;
  /** The connection is gone for a while, or there again (an empty text). */
  interrupted(text: string): void;
  /** The token works no more. */
  signedOut(why: string): void;
}

export interface Place {
  readonly address: string;
  readonly options: ClientOptions;
}

export class Session {
  readonly #secrets: Secrets;
  readonly #events: SessionEvents;
  #client: Client | undefined;
  #end = new AbortController();
  #following: Promise<void> = Promise.resolve();
  #goals: GoalNode[] = [];
  /** What was written last: reads wait for it, on whatever replica. */
  #cursor = "";

  constructor(secrets: Secrets, events: SessionEvents) {
    this.#secrets = secrets;
    this.#events = events;
  }

  get client(): Client | undefined {
    return this.#client;
  }

  get goals(): readonly GoalNode[] {
    return this.#goals;
  }

  /** Signs in with a token, which is kept once it works. */
  async signIn(place: Place, token: string): Promise<void> {
    await this.#begin(place, token);
    await this.#secrets.store(keyOf(place), token);
  }

  /** Signs in with the token of the last time; false where there is none, or it works no more. */
  async resume(place: Place): Promise<boolean> {
    const token = await this.#secrets.get(keyOf(place));
    if (token === undefined) return false;
    try {
      await this.#begin(place, token);
      return true;
    } catch (error) {
      if (!(error instanceof Unauthenticated)) throw error;
      await this.#secrets.delete(keyOf(place));
      return false;
    }
  }

  async signOut(place: Place): Promise<void> {
    await this.#secrets.delete(keyOf(place));
    await this.close();
  }

  /** Ends what runs; the token stays. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#following;
    await this.#client?.close();
    this.#client = undefined;
    this.#goals = [];
    this.#events.changed();
  }

  async refresh(): Promise<void> {
    this.#goals = await readGoals(this.#signedIn(), this.#cursor, this.#end.signal);
    this.#events.changed();
  }

  async startTask(task: TaskNode): Promise<void> {
    this.#wrote(await this.#signedIn().tasks.startTask({ taskId: task.id }));
    await this.#read(task.goalId, this.#cursor);
  }

  async completeTask(task: TaskNode): Promise<void> {
    this.#wrote(await this.#signedIn().tasks.completeTask({ taskId: task.id }));
    await this.#read(task.goalId, this.#cursor);
  }

  async #begin({ address, options }: Place, token: string): Promise<void> {
    await this.close();
    const client = await Client.connect(address, { ...options, token });
    this.#end = new AbortController();
    try {
      this.#goals = await readGoals(client, "", this.#end.signal);
    } catch (error) {
      await client.close();
      throw error;
    }
    this.#client = client;
    this.#events.changed();
    this.#following = this.#follow(client, this.#end.signal);
  }

  /** Keeps the goals true for as long as somebody is signed in, through lost connections and servers. */
  async #follow(client: Client, signal: AbortSignal): Promise<void> {
    const onInterruption = (error: HitoError) => this.#events.interrupted(error.text);
    try {
      for await (const { step } of client.progress.watchResuming({}, { signal, onInterruption })) {
        if (step?.case === "mark" && step.value === v1.SubscriptionMark.CAUGHT_UP) this.#events.interrupted("");
        if (step?.case === "event") await this.#happened(step.value);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#events.signedOut(error instanceof HitoError ? error.message : String(error));
    }
  }

  async #happened(event: v1.Event): Promise<void> {
    const { goalId, isGone, news } = changeOf(event);
    if (goalId === "") return;
    if (isGone) {
      this.#goals = this.#goals.filter((goal) => goal.id !== goalId);
      this.#events.changed();
    } else {
      await this.#read(goalId, event.cursor);
    }
    if (news !== "") this.#events.news(news);
  }

  async #read(goalId: string, minCursor: string): Promise<void> {
    let goal: GoalNode;
    try {
      goal = await readGoal(this.#signedIn(), goalId, minCursor, this.#end.signal);
    } catch (error) {
      // It has gone since, or is read again by the next event.
      if (error instanceof HitoError && !(error instanceof Unauthenticated)) return;
      throw error;
    }
    const isKnown = this.#goals.some((other) => other.id === goalId);
    this.#goals = isKnown ? this.#goals.map((other) => other.id === goalId ? goal : other) : [goal, ...this.#goals];
    this.#events.changed();
  }

  #signedIn(): Client {
    if (this.#client === undefined) throw new Error("nobody is signed in");
    return this.#client;
  }

  #wrote({ receipt }: { receipt?: v1.WriteReceipt }): void {
    this.#cursor = receipt?.cursor || this.#cursor;
  }
}

/** A token is for one server: one that somebody else's settings name must not get it. */
function keyOf({ address }: Place): string {
  return `hito.token ${address}`;
}
