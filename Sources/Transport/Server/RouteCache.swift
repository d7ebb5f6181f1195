internal import RPC
internal import Wire

/// Remembers the last method that a connection called, to spare its look-up.
struct RouteCache {
  private var path: [UInt8] = []
  private var route: Route?

  /// The route for a path as it came; nil when it is not text, or there is no such method.
  mutating func route(_ path: UnsafeRawBufferPointer, in router: Router) -> Route? {
    let isSame = self.path.withUnsafeBytes { $0.elementsEqual(path) }
    if isSame, let route { return route }
    guard let text = WireText.decode(path), let route = router[text] else { return nil }
    self.path = Array(path)
    self.route = route
    return route
  }
}
