/** Points in time of the contract as those of the language. */

import { Timestamp } from "../gen/google/protobuf/timestamp.js";

/** What a message says of a time, to the millisecond. */
export function toDate(timestamp: Timestamp): Date {
  return new Date(timestamp.seconds * 1000 + Math.floor(timestamp.nanos / 1_000_000));
}

export function toTimestamp(date: Date): Timestamp {
  const milliseconds = date.getTime();
  if (Number.isNaN(milliseconds)) throw new RangeError("not a date");
  const seconds = Math.floor(milliseconds / 1000);
  return Timestamp.create({ seconds, nanos: (milliseconds - seconds * 1000) * 1_000_000 });
}
