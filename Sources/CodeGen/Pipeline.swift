internal import Foundation
internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// The generator as a function: descriptors in, files out. It touches no disk.
package struct Pipeline: Sendable {
  package let options: Options
  /// Descriptor set of the first version, for the compatibility mode.
  package let baseline: [UInt8]

  package init(options: Options, baseline: [UInt8] = []) {
    self.options = options
    self.baseline = baseline
  }

  /// Runs over a serialized `FileDescriptorSet` and generates for the files named in `targets`.
  package func run(
    descriptorSet: [UInt8], targets: [String]
  ) throws(Diagnostics) -> [GeneratedFile] {
    try run(parse(descriptorSet, "the descriptor set"), targets: targets)
  }

  func run(
    _ set: Google_Protobuf_FileDescriptorSet, targets: [String]
  ) throws(Diagnostics) -> [GeneratedFile] {
    switch options.mode {
    case .descriptors: return try descriptorFiles(set)
    case .compatibility:
      let findings = Compatibility(old: try parse(baseline, "the baseline"), new: set).findings()
      if !findings.isEmpty { throw Diagnostics(findings) }
      return []
    case .swift: return try model(set, targets).flatMap { swiftFiles($0) }
    case .client(let language):
      guard let emitter = ClientLanguages.emitters[language] else {
        throw Diagnostics([
          Diagnostic(place: "--hito_opt", message: "mode=\(language): no client has this language")
        ])
      }
      return emitter.files(try model(set, targets), options: options.client)
    case .access:
      return [GeneratedFile(path: "access.md", text: AccessEmitter().emit(try model(set, targets)))]
    }
  }

  private func model(
    _ set: Google_Protobuf_FileDescriptorSet, _ targets: [String]
  ) throws(Diagnostics) -> [FileModel] {
    let descriptors = DescriptorSet(proto: set)
    var builder = ModelBuilder(allowsRecursion: options.client.allowsRecursion)
    var files: [FileModel] = []
    for target in targets {
      guard let file = descriptors.fileDescriptor(named: target) else {
        throw Diagnostics([Diagnostic(place: target, message: "protoc sent no such file")])
      }
      files.append(builder.file(file))
    }
    if !builder.diagnostics.isEmpty { throw Diagnostics(builder.diagnostics) }
    return files
  }

  private func swiftFiles(_ file: FileModel) -> [GeneratedFile] {
    var messages = SwiftMessageEmitter(options: options.swift)
    var services = SwiftServiceEmitter(options: options.swift)
    // SwiftPM wants every file name of a module only once.
    let isOwn = !file.packageName.hasPrefix("google.")
    let stem =
      isOwn
      ? Names.base(file.path) : Names.stem(file.path).split(separator: "/").joined(separator: "_")
    return [
      messages.emit(file).map { GeneratedFile(path: stem + ".messages.swift", text: $0) },
      services.emit(file).map { GeneratedFile(path: stem + ".services.swift", text: $0) },
    ].compactMap { $0 }
  }

  private func descriptorFiles(
    _ set: Google_Protobuf_FileDescriptorSet
  ) throws(Diagnostics) -> [GeneratedFile] {
    // Protobuf's own description of descriptors comes with the options; nobody reads its comments.
    var set = set
    for index in set.file.indices where set.file[index].name == "google/protobuf/descriptor.proto" {
      set.file[index].clearSourceCodeInfo()
    }
    let bytes: [UInt8]
    do {
      bytes = try set.serializedBytes()
    } catch {
      let message = "the descriptors do not encode: \(error)"
      throw Diagnostics([Diagnostic(place: "descriptors", message: message)])
    }
    let emitter = DescriptorEmitter(symbol: options.symbol)
    let header = options.symbol + ".h"
    return [
      GeneratedFile(path: "include/" + header, text: emitter.header()),
      GeneratedFile(path: options.symbol + ".c", text: emitter.source(bytes, header: header)),
    ]
  }

  private func parse(
    _ bytes: [UInt8], _ what: String
  ) throws(Diagnostics) -> Google_Protobuf_FileDescriptorSet {
    do {
      return try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)
    } catch {
      let message = "\(what) does not decode: \(error)"
      throw Diagnostics([Diagnostic(place: what, message: message)])
    }
  }
}
