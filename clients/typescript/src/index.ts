/**
 * Typed client of Hito for Node.js.
 *
 *     const client = await Client.connect("127.0.0.1:7443", { tls: { ca }, token });
 *     const reply = await client.goals.createGoal({ title: "Aprender FastAPI" });
 */

export { Client, CodeValidationClient, EventClient, ProgressClient, VERSION } from "./client.js";
export { toDate, toTimestamp } from "./codec/time.js";
export { DecodeError, type Init, type MessageType, nameOf, type OneOf, type Open } from "./codec/wire.js";
export { Consumer, type ConsumerOptions, Delivery } from "./consume.js";
export type { ClientOptions, TLSOptions, Token, TokenProvider } from "./options.js";
export * as v1 from "./gen/hito/v1/index.js";
export * from "./rpc/errors.js";
export type {
  AnyMethod, CallOptions, Channel, Hedging, Interceptor, KeyedOptions, Metadata, Method, MethodKind, ResponseStream,
  UnaryOptions,
} from "./rpc/method.js";
export {
  ResumingBatch, type ResumingOptions, ResumingRevalidation, ResumingValidation, ResumingWatch,
} from "./resume.js";
export {
  type LogEvent, type LogFields, type LogFunction, type Logger, type LogLevel, type LogRecord, logTo,
} from "./transport/log.js";
export type { RetryBudget } from "./transport/retry.js";
