import Foundation

/// Tells when files have been saved: editors write them in place, or put another file in their place.
struct FileChanges {
  private struct Mark: Hashable {
    var inode: UInt64
    var byteCount: Int64
    var seconds: Int
    var nanoseconds: Int
  }

  private let places: [String]
  private var marks: [Mark?]

  init(_ places: [String]) {
    self.places = places
    marks = places.map(Self.mark)
  }

  /// Returns when one of them has changed and then stayed as it is for a moment, with all there again.
  mutating func next() async throws {
    var isDirty = false
    while true {
      try await Task.sleep(for: .milliseconds(200))
      let now = places.map(Self.mark)
      let hasChanged = now != marks
      marks = now
      isDirty = isDirty || hasChanged
      if isDirty, !hasChanged, now.allSatisfy({ $0 != nil }) { return }
    }
  }

  private static func mark(_ place: String) -> Mark? {
    var facts = stat()
    guard stat(place, &facts) == 0 else { return nil }
    return Mark(
      inode: UInt64(facts.st_ino), byteCount: Int64(facts.st_size),
      seconds: facts.st_mtim.tv_sec, nanoseconds: facts.st_mtim.tv_nsec)
  }
}
