/// Times as people write them: RFC 3339.
package enum TimeText {
  /// Microseconds since 1970 of a time (`2026-01-31T09:05:00Z`, with any offset) or of the start of
  /// a day in UTC (`2026-01-31`); nil for anything else.
  package static func microseconds(_ text: String) -> Int64? {
    let full = text.utf8.count == 10 ? text + "T00:00:00Z" : text
    guard let value = WellKnownText.parseTimestamp(full) else { return nil }
    return value.seconds * 1_000_000 + Int64(value.nanos / 1000)
  }

  /// A time in UTC to the second: `2026-01-31T09:05:00Z`; nil outside of the years 1 to 9999.
  package static func text(seconds: Int64) -> String? {
    WellKnownText.timestamp(WellKnownText.Seconds(seconds: seconds, nanos: 0))
  }
}
