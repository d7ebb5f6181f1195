import Foundation
import Glibc

/// Files and streams that a person names, read with an end to how much, and with words for what goes wrong.
enum InputFile {
  /// What went wrong, in the system's words.
  struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ name: String, _ number: Int32) {
      description = "\(TerminalText.clean(name)) cannot be read: \(SystemText.of(number))"
    }
  }

  /// How long a pipe that nobody writes into is waited for in silence.
  private static let silenceMilliseconds: Int32 = 1000

  /// - Returns: at most `byteCountMax` bytes and one more, by which a longer one is known.
  static func bytes(_ path: String, byteCountMax: Int) throws(Failure) -> [UInt8] {
    // Not blocking: a named pipe would be waited for before anything could be said of it.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw Failure(path, errno) }
    defer { close(file) }
    var facts = stat()
    guard fstat(file, &facts) == 0 else { throw Failure(path, errno) }
    if facts.st_mode & S_IFMT == S_IFIFO { waitForWriter(file, path) }
    _ = fcntl(file, F_SETFL, fcntl(file, F_GETFL) & ~O_NONBLOCK)
    return try bytes(file, named: path, byteCountMax: byteCountMax)
  }

  /// The same of standard input.
  static func standardInput(byteCountMax: Int) throws(Failure) -> [UInt8] {
    try bytes(STDIN_FILENO, named: "standard input", byteCountMax: byteCountMax)
  }

  /// The text of a file of at most so many bytes, without a byte order mark; nil where there is none that can
  /// be read.
  static func text(_ path: String, byteCountMax: Int) -> String? {
    guard let bytes = try? bytes(path, byteCountMax: byteCountMax), bytes.count <= byteCountMax
    else { return nil }
    return text(bytes)
  }

  /// Without a byte order mark, which editors of Windows put before UTF-8; nil for what is not UTF-8.
  static func text(_ bytes: [UInt8]) -> String? {
    let hasMark = bytes.starts(with: [0xef, 0xbb, 0xbf])
    return String(validating: bytes.dropFirst(hasMark ? 3 : 0), as: UTF8.self)
  }

  private static func bytes(
    _ file: Int32, named name: String, byteCountMax: Int
  ) throws(Failure) -> [UInt8] {
    var all: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 64 << 10)
    while all.count <= byteCountMax {
      let wanted = min(part.count, byteCountMax + 1 - all.count)
      let count = read(file, &part, wanted)
      if count == 0 { break }
      if count > 0 {
        all += part[..<count]
      } else if errno != EINTR {
        // A closed descriptor is "Bad file descriptor" to the system, which says nothing to people.
        throw errno == EBADF ? Failure(closed: name) : Failure(name, errno)
      }
    }
    return all
  }

  private static func waitForWriter(_ file: Int32, _ path: String) {
    var wanted = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
    if poll(&wanted, 1, silenceMilliseconds) == 0 {
      Output.note(
        "-- \(TerminalText.clean(path)) is a named pipe: waiting for what is written into it")
      while poll(&wanted, 1, -1) < 0, errno == EINTR {}
    }
  }
}

extension InputFile.Failure {
  fileprivate init(closed name: String) {
    description = "\(TerminalText.clean(name)) is closed: nothing can be read from it"
  }
}

/// What the system says of an error, in English.
enum SystemText {
  static func of(_ number: Int32) -> String { String(cString: strerror(number)) }

  /// Words for any error: those of Foundation quote domains and codes.
  static func of(_ error: any Error) -> String {
    let foundation = error as NSError
    let domains = [NSCocoaErrorDomain, NSPOSIXErrorDomain]
    guard domains.contains(foundation.domain) else { return "\(error)" }
    let path = (foundation.userInfo[NSFilePathErrorKey] as? String).map {
      "\(TerminalText.clean($0)): "
    }
    let under = foundation.userInfo[NSUnderlyingErrorKey] as? NSError
    let system = [foundation, under].compactMap { $0 }.first { $0.domain == NSPOSIXErrorDomain }
    let text = system.map { of(Int32(clamping: $0.code)) } ?? foundation.localizedDescription
    return (path ?? "") + text
  }
}
