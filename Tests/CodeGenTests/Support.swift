import CodeGen
import Foundation

/// The repository's `Tests` folder.
private let tests = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent()

func descriptors(_ name: String) throws -> [UInt8] {
  try [UInt8](Data(contentsOf: tests.appending(path: "Fixtures/descriptors/\(name).binpb")))
}

/// A file that was generated and checked in, below `Tests`.
func reference(_ path: String) throws -> String {
  try String(contentsOf: tests.appending(path: path), encoding: .utf8)
}

func generate(_ options: String, _ set: String, _ targets: [String]) throws -> [GeneratedFile] {
  try Pipeline(options: Options(options)).run(descriptorSet: descriptors(set), targets: targets)
}

/// What the generator says against the file.
func findings(_ set: String, _ target: String) throws -> [Diagnostic] {
  do {
    _ = try generate("mode=swift", set, [target])
    return []
  } catch let found as Diagnostics {
    return found.all
  }
}

func comparison(with new: String) throws -> [String] {
  let options = try Options("mode=compat,baseline=old.binpb")
  do {
    let files = try Pipeline(options: options, baseline: descriptors("old"))
      .run(descriptorSet: descriptors(new), targets: [])
    return files.map(\.path)
  } catch let found as Diagnostics {
    return found.all.map(\.description)
  }
}
