import Contract
import DescriptorJSON

/// Where a watcher starts, as people write it.
enum WatchStart {
  /// `now`, `beginning`, a time (`2026-01-31T09:05:00Z`, `2026-01-31`) or a cursor.
  static func parse(_ text: String) -> WatchRequest.Start? {
    switch text.lowercased() {
    case "now", "": return nil
    case "beginning": return .fromBeginning(true)
    default:
      if let microseconds = TimeText.microseconds(text) { return .fromTimeUs(microseconds) }
      return .afterCursor(text)
    }
  }
}
