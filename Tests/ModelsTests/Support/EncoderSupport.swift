import Foundation
import Models
import Testing

/// What the Python package made of one text; see Vectors/make_vectors.py.
struct Reference: Decodable, Sendable, CustomTestStringConvertible {
  var text: String?
  var unit: String?
  var times: Int?
  var tokens: [Int]
  var isTruncated: Bool
  var vector: Data

  /// The text itself, built where it is given as a repetition.
  var wholeText: String { text ?? String(repeating: unit ?? "", count: times ?? 0) }

  var floats: [Float] {
    vector.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count - 3, by: 4).map {
        Float(
          bitPattern: UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
      }
    }
  }

  var testDescription: String { String(wholeText.prefix(40).debugDescription) }

  static let all: [Reference] = {
    let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Vectors/reference.json")
    do {
      return try JSONDecoder().decode([Reference].self, from: Data(contentsOf: url))
    } catch {
      Issue.record("Vectors/reference.json: \(error)")
      return []
    }
  }()
}

/// The model that `make setup` installed, opened once for all tests.
enum Installed {
  static let folder = Result {
    try UniversalSentenceEncoder.locate(
      candidates: UniversalSentenceEncoder.candidates(
        named: ProcessInfo.processInfo.environment["HITO_EMBEDDER"],
        home: ProcessInfo.processInfo.environment["HOME"]))
  }
  static let encoder = Result {
    try UniversalSentenceEncoder(folder: folder.get(), threadCount: 3)
  }
}

func cosine(_ a: [Float], _ b: [Float]) -> Double {
  var (dot, aa, bb) = (0.0, 0.0, 0.0)
  for (x, y) in zip(a, b) {
    dot += Double(x) * Double(y)
    aa += Double(x) * Double(x)
    bb += Double(y) * Double(y)
  }
  return dot / (aa * bb).squareRoot()
}
