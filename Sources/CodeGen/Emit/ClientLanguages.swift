/// The languages of clients, by the name of their folder below `clients/`, which is also the
/// generator's mode.
enum ClientLanguages {
  static let emitters: [String: any ClientEmitter] = [
    "c": CClientEmitter(),
    "go": GoClientEmitter(),
    "java": JavaClientEmitter(),
    "python": PythonClientEmitter(),
    "rust": RustClientEmitter(),
    "typescript": TypescriptClientEmitter(),
  ]
}

/// Emits what a client has of the contract besides its messages.
protocol ClientEmitter: Sendable {
  func files(_ files: [FileModel]) -> [GeneratedFile]
  func files(_ files: [FileModel], options: Options.Client) -> [GeneratedFile]
}

extension ClientEmitter {
  /// Most languages have messages of protoc's own making, and nothing to choose.
  func files(_ files: [FileModel], options: Options.Client) -> [GeneratedFile] {
    self.files(files)
  }
}
