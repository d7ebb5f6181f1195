import CSandbox
import Domain
import Glibc

/// What a command reads and writes, made before it is started.
final class JobStreams {
  let output: Pipe
  let errors: Pipe
  let report: Pipe
  /// What it reads as it is given later; nil where all of its input was given with it.
  let input: Pipe?
  /// The files that come later; an empty file where none do.
  let work: Int32
  private let whole: Int32

  /// Nil where no descriptor or memory is left.
  ///
  /// - Parameter input: nil: it comes later, as the files do.
  init?(input: [UInt8]?) {
    guard let output = Pipe(), let errors = Pipe(), let report = Pipe() else { return nil }
    (self.output, self.errors, self.report) = (output, errors, report)
    self.input = input == nil ? Pipe(writes: true) : nil
    whole = input.map { $0.withUnsafeBytes { hsb_sealed_file($0.baseAddress, $0.count) } } ?? -1
    work = hsb_memory_file()
    guard work >= 0, (self.input?.theirs ?? whole) >= 0 else { return nil }
  }

  deinit {
    if whole >= 0 { close(whole) }
    if work >= 0 { close(work) }
  }

  /// As the launcher wants them.
  var given: [Int32] { [input?.theirs ?? whole, output.theirs, errors.theirs, report.theirs] }

  var readers: [Int32] { [output.ours, errors.ours, report.ours] }

  /// Once the launcher has them.
  func closeTheirs() {
    for pipe in [output, errors, report, input].compactMap(\.self) { pipe.closeTheirs() }
  }

  /// Puts the files of a job where the first process of its sandbox finds them.
  func write(_ files: [UInt8]) -> Bool {
    var written = 0
    while written < files.count {
      let count = files.withUnsafeBytes {
        Glibc.write(work, $0.baseAddress.map { $0 + written }, files.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      written += count
    }
    return true
  }
}

/// The input of a command that was started ahead, written as the command reads it.
final class JobInput {
  private let bytes: [UInt8]
  private let pipe: Pipe
  private var written = 0

  init(_ bytes: [UInt8], to pipe: Pipe) {
    self.bytes = bytes
    self.pipe = pipe
  }

  /// Writable when more can be written; nil once all is, or nobody reads it any more.
  var writer: Int32? { pipe.ours >= 0 ? pipe.ours : nil }

  func write() {
    while let writer, written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(writer, $0.baseAddress.map { $0 + written }, bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN { return }
      guard count > 0 else { break }
      written += count
    }
    pipe.closeOurs()
  }
}
