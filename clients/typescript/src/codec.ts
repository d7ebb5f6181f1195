/** The messages of the contract and their codec, without a transport: runs wherever JavaScript does. */

export { toDate, toTimestamp } from "./codec/time.js";
export { DecodeError, type Init, type MessageType, nameOf, type OneOf, type Open } from "./codec/wire.js";
export * as v1 from "./gen/hito/v1/index.js";
export * from "./rpc/errors.js";
export type {
  AnyMethod, CallOptions, Channel, Hedging, Interceptor, KeyedOptions, Metadata, Method, MethodKind, ResponseStream,
  UnaryOptions,
} from "./rpc/method.js";
