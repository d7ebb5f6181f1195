import EventLake
import Foundation

/// A copy of a lake that a server may be writing: what its list of files says at one moment, and those
/// files, which never change.
enum LakeCopy {
  private static let attemptMax = 10

  /// - Returns: up to which position the copy has every event; nil where there is no lake.
  static func copy(_ source: String, to target: String) throws(BackupError) -> Int64? {
    let files = FileManager.default
    guard files.fileExists(atPath: "\(source)/manifest") else { return nil }
    for _ in 0..<attemptMax {
      do {
        try? files.removeItem(atPath: target)
        try files.createDirectory(atPath: target, withIntermediateDirectories: true)
        // First what is published, then what it names: files are there before they are named.
        try files.copyItem(atPath: "\(source)/manifest", toPath: "\(target)/manifest")
        guard let contents = try ParquetEventLake.contents(ofFolder: target) else { return nil }
        for path in contents.paths {
          let copy = "\(target)/\(path)"
          try files.createDirectory(
            atPath: URL(filePath: copy).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
          try files.copyItem(atPath: "\(source)/\(path)", toPath: copy)
        }
        return contents.publishedPosition
      } catch {
        let code = (error as? CocoaError)?.code
        if code == .fileWriteOutOfSpace { throw .diskFull("copying the lake") }
        // A compaction has replaced a file since: the list says by which. Or the list itself was new.
        guard error is LakeError || code == .fileReadNoSuchFile || code == .fileNoSuchFile else {
          throw .failed("copying the lake did not work: \(error)")
        }
      }
    }
    throw .failed("the lake changed each time that it was copied; try again")
  }
}
