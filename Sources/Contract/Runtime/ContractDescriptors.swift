internal import CMessages

/// The contract as data, for reflection and for clients without generated code.
package enum ContractDescriptors {
  /// An encoded `google.protobuf.FileDescriptorSet` with comments, imports first.
  package static var fileDescriptorSet: [UInt8] {
    Array(UnsafeBufferPointer(start: hito_descriptor_set_bytes(), count: hito_descriptor_set_size))
  }
}
