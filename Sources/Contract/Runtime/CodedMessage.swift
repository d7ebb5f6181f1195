internal import CProtobufC
internal import RPC

/// A generated message: a Swift value, and the struct of protobuf-c that it is read from and
/// written to.
protocol CodedMessage: WireMessage {
  /// The C struct. It starts with a `ProtobufCMessage`.
  associatedtype Raw

  /// Gives `raw` its type descriptor and default values.
  static func initialize(_ raw: UnsafeMutablePointer<Raw>)

  /// Copies everything out of a struct that the guard has let through.
  init(reading raw: UnsafePointer<Raw>)

  /// Fills an initialized struct; what it points to lives in the arena.
  func write(to raw: UnsafeMutablePointer<Raw>, _ arena: EncodingArena)
}
