/// Bytes that one call makes the server keep.
package struct KeptBytes: Sendable, Hashable {
  /// Of its request: what no handler has taken, or works on.
  package var input: Int
  /// Of the message that waits for credit, or for room in the output.
  package var output: Int

  package init(input: Int = 0, output: Int = 0) {
    self.input = input
    self.output = output
  }

  package var sum: Int { input + output }
}

/// What one connection makes the server keep: the sum over its calls. The one place where it is
/// counted and bounded.
package struct BufferedBytes: Sendable, Hashable {
  private let inputByteCountMax: Int
  private let outputByteCountMax: Int
  package private(set) var kept = KeptBytes()

  package init(inputByteCountMax: Int, outputByteCountMax: Int) {
    self.inputByteCountMax = inputByteCountMax
    self.outputByteCountMax = outputByteCountMax
  }

  /// What a call makes us keep has changed. False when it is more than before, and too much (W6.5):
  /// end the call, and report what it keeps then.
  package mutating func changed(from old: KeptBytes, to new: KeptBytes) -> Bool {
    kept.input += new.input - old.input
    kept.output += new.output - old.output
    if new.input > old.input, kept.input > inputByteCountMax { return false }
    if new.output > old.output, kept.output > outputByteCountMax { return false }
    return true
  }
}
