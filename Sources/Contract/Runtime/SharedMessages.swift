package import RPC

// Protocols of messages that share a field. The generator declares who conforms: every message that
// has the field.

/// A message that names the write that it came of.
package protocol WriteResponse: WireMessage {
  var receipt: WriteReceipt? { get set }
}

/// A request for a page of a list.
package protocol PagedRequest: WireMessage {
  var page: PageRequest? { get set }
}
