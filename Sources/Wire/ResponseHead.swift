/// The block of HEAD: metadata of a call's responses, before the first of them (W7.7).
package enum ResponseHead {
  /// Reads a HEAD payload, for the client. What is no metadata within its limits is left out.
  package static func read(_ payload: UnsafeRawBufferPointer) throws(WireFault) -> Metadata {
    var reader = try BlockReader(payload)
    guard reader.remainder.isEmpty else {
      throw WireFault(.protocolError, "HEAD continues after its block")
    }
    var metadata = Metadata(minorVersion: 1)
    while let field = try reader.next() {
      guard field.tag == 6 else { continue }
      do throws(InputFault) {
        try metadata.add(field.value, byteCountMax: WireLimit.metadataByteCountMax)
      } catch {
        if case .connection(let fault) = error { throw fault }
      }
    }
    return metadata
  }

  /// The block, within its limits; what does not fit is left out.
  package static func block(
    _ entries: [(String, String)], _ binaryEntries: [(String, [UInt8])]
  ) -> [UInt8] {
    var writer = BlockWriter()
    Metadata.sendable(entries, binaryEntries, byteCountMax: WireLimit.metadataByteCountMax)
      .add(to: &writer)
    return writer.bytes
  }
}
