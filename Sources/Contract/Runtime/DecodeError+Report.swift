internal import CProtobufC
internal import RPC

extension DecodeError {
  /// What the guard found, in the words of the RPC layer.
  init(_ report: hito_decode_report) {
    let reason: Reason =
      switch report.status {
      case HITO_DECODE_TRUNCATED: .truncated
      case HITO_DECODE_BAD_UTF8: .invalidUTF8
      case HITO_DECODE_NUL_IN_STRING: .containsNUL
      case HITO_DECODE_DUPLICATE_MESSAGE: .duplicateField
      case HITO_DECODE_TOO_DEEP: .tooDeep
      case HITO_DECODE_TOO_LARGE, HITO_DECODE_OUT_OF_MEMORY: .tooLarge
      default: .malformed
      }
    self.init(reason, field: Self.path(report))
  }

  private static func path(_ report: hito_decode_report) -> String {
    let path = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
      guard let start = text.baseAddress else { return "" }
      var report = report
      _ = hito_decode_path(&report, start, text.count)
      return String(cString: start)
    }
    // A field that the contract does not know has only a number, and the path ends above it.
    guard report.field_number != 0, !report.names_field else { return path }
    return path.isEmpty ? "\(report.field_number)" : "\(path).\(report.field_number)"
  }
}
