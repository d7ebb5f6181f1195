/// The text of a JSON object without chosen members: what stays is copied as it stands, and no value is made.
///
/// Done for every event on its way to subscribers and to the broker.
package struct JSONOmission: Sendable {
  /// They are few: comparing is faster than hashing.
  private let names: [String]
  private let within: [(name: String, omission: JSONOmission)]

  /// - Parameters:
  ///   - names: the members that are left out.
  ///   - within: what is left out of members that are objects themselves.
  package init(_ names: [String], within: [String: JSONOmission] = [:]) {
    self.names = names
    self.within = within.map { ($0.key, $0.value) }
  }

  /// Nil for what is not a JSON object.
  package func text(of object: String) -> String? {
    var object = object
    return object.withUTF8 { bytes in
      // The object itself is open besides.
      guard var reader = try? JSONReader(bytes, .received, depthMax: JSONValue.depthMax + 1)
      else { return nil }
      var output: [UInt8] = []
      output.reserveCapacity(bytes.count)
      do throws(JSONSyntaxError) {
        try copy(&reader, to: &output)
        try reader.end()
      } catch {
        return nil
      }
      return String(decoding: output, as: UTF8.self)
    }
  }

  private func copy(
    _ reader: inout JSONReader, to output: inout [UInt8]
  ) throws(JSONSyntaxError) {
    output.append(UInt8(ascii: "{"))
    var isFirst = true
    try reader.object { (reader) throws(JSONSyntaxError) in
      let start = reader.at
      let name = try reader.name()
      let inner = within.first { $0.name == name }?.omission
      let isObject = reader.peek() == UInt8(ascii: "{")
      guard !names.contains(name) else { return try reader.skip() }
      if !isFirst { output.append(UInt8(ascii: ",")) }
      isFirst = false
      guard let inner, isObject else {
        try reader.skip()
        return output.append(contentsOf: reader.bytes[start..<reader.at])
      }
      output.append(contentsOf: reader.bytes[start..<reader.at])
      try inner.copy(&reader, to: &output)
    }
    output.append(UInt8(ascii: "}"))
  }
}
