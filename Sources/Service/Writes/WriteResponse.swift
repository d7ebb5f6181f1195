package import Contract

extension ResolveProposalResponse: WriteResponse {
  /// A rejection has none: nothing was stored that could be read.
  package var receipt: WriteReceipt? {
    get { result?.receipt }
    set { result?.receipt = newValue }
  }
}
