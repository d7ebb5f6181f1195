internal import Foundation
internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// The protocol between protoc and a plugin: a request on stdin, a response on stdout.
package enum Plugin {
  /// Answers one serialized `CodeGeneratorRequest`. Findings about the input go into the response,
  /// which protoc shows; only a request that does not decode throws.
  package static func respond(
    to request: [UInt8], readFile: (String) throws -> [UInt8]
  ) throws -> [UInt8] {
    let request = try Google_Protobuf_Compiler_CodeGeneratorRequest(serializedBytes: request)
    var response = Google_Protobuf_Compiler_CodeGeneratorResponse()
    // Accepted so that our own message, which says what to write instead, is the one shown.
    response.supportedFeatures = UInt64(
      Google_Protobuf_Compiler_CodeGeneratorResponse.Feature.proto3Optional.rawValue)
    do {
      let options = try Options(request.parameter)
      var baseline: [UInt8] = []
      if case .compatibility(let path) = options.mode { baseline = try readFile(path) }
      var set = Google_Protobuf_FileDescriptorSet()
      set.file = request.protoFile
      let files = try Pipeline(options: options, baseline: baseline)
        .run(set, targets: request.fileToGenerate)
      response.file = files.map { file in
        var output = Google_Protobuf_Compiler_CodeGeneratorResponse.File()
        output.name = file.path
        output.content = file.text
        return output
      }
    } catch {
      response.error = "\(error)"
    }
    return try response.serializedBytes()
  }
}
