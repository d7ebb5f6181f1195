/// What `hito` ends with, for scripts. docs/commands.md has the table.
enum ExitStatus {
  /// The call failed, or anything else did.
  static let failure: Int32 = 1
  /// Standard output took nothing more (EX_IOERR).
  static let output: Int32 = 74
  /// The command line makes no sense (EX_USAGE).
  static let usage: Int32 = 64
  /// Some of the data cannot be taken (EX_DATAERR); the rest was.
  static let data: Int32 = 65
  /// No server, or not now (EX_UNAVAILABLE).
  static let unavailable: Int32 = 69
}

/// A failure that says what to do and what the program ends with.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
  var exitStatus = ExitStatus.failure

  init(_ description: String, exitStatus: Int32 = ExitStatus.failure) {
    self.description = description
    self.exitStatus = exitStatus
  }
}
