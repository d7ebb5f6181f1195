internal import CodeGen
internal import Foundation

// protoc runs this with a request on stdin; see `Options` for `--hito_opt`.
do {
  let request = [UInt8](FileHandle.standardInput.readDataToEndOfFile())
  let response = try Plugin.respond(to: request) { path in
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }
  FileHandle.standardOutput.write(Data(response))
} catch {
  FileHandle.standardError.write(Data("protoc-gen-hito: \(error)\n".utf8))
  exit(1)
}
