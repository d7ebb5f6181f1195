/** What a server says of itself (clients/BEHAVIOUR.md, C1.8). */

import { HealthCheckResponse, HealthStatus, HealthWatchRequest } from "../gen/hito/v1/server.js";
import { ResourceExhausted, Unavailable } from "../rpc/errors.js";
import type { Call } from "./call.js";
import type { Connection } from "./connection.js";
import { Backoff } from "./retry.js";
import { sleep } from "./scope.js";

const PATH = "hito.v1.HealthService/Watch";

/**
 * Listens to what the server of one connection says. A server counts as one that serves until it says otherwise, and
 * again when it says no more.
 */
export class HealthCheck {
  readonly connection: Connection;
  readonly #take: () => boolean;
  readonly #tell: (isServing: boolean) => void;
  readonly #backoff = new Backoff();
  readonly #end = new AbortController();
  #call: Call | undefined;

  /** `take`: a place for a call on the connection, if there is one. */
  constructor(connection: Connection, take: () => boolean, tell: (isServing: boolean) => void) {
    this.connection = connection;
    this.#take = take;
    this.#tell = tell;
    void this.#run();
  }

  cancel(): void {
    // Who asks next says how the server is.
    this.#end.abort();
    this.#call?.cancel();
  }

  async #run(): Promise<void> {
    while (this.connection.isOpen && !this.#end.signal.aborted) {
      try {
        if (this.#take()) await this.#listen();
      } catch (error) {
        const passes = error instanceof Unavailable || error instanceof ResourceExhausted;
        // A server that does not have the method, or whose answers make no sense, is not asked again.
        if (!passes) return;
      }
      await sleep(this.#backoff.nextMs(), this.#end.signal);
    }
  }

  async #listen(): Promise<void> {
    const call = this.connection.open({ path: PATH }, HealthWatchRequest.encode({}), true);
    this.#call = call;
    try {
      await call.flush();
      for (;;) {
        const message = await call.receive();
        if (message === undefined) return;
        const { status } = HealthCheckResponse.decode(message);
        this.#backoff.reset();
        this.#tell(status !== HealthStatus.NOT_SERVING && status !== HealthStatus.DRAINING);
      }
    } finally {
      call.cancel();
      if (!this.#end.signal.aborted) this.#tell(true);
    }
  }
}

