package import Contract

extension ResolveProposalResponse: WriteResponse {
  /// A rejection has none: nothing was stored that could be read.
  package var receipt: WriteReceipt? {
    get { result?.receipt }
    set { result?.receipt = newValue }
  }
}

extension WriteResponse {
  /// Whether it says only that something was written.
  var showsNothing: Bool {
    var rest = self
    rest.receipt = nil
    return rest.encodedByteCount == 0
  }
}
