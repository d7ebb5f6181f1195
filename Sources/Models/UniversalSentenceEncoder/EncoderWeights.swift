/// The sizes of the model.
enum Dimensions {
  /// Of a token's row, and of the result.
  static let output = 512
  /// Of each of the three window layers.
  static let window = 256
  /// Row and window layers side by side.
  static let features = output + 3 * window
  static let hidden = 320
  /// The rows of the table share this many scales, in turns.
  static let scales = 17
  /// Rows that a window may reach beyond the ends of a text.
  static let margin = 2
}

/// Two layers over windows of neighbouring tokens.
struct WindowLayers: Sendable {
  /// How many tokens a window spans, and how many of them stand before its own.
  let width: Int
  let before: Int
  /// One matrix for each token of the window.
  let first: [Matrix]
  let firstBias: Numbers<Float>
  let second: [Matrix]
  let secondBias: Numbers<Float>

  init(_ file: ModelFile, width: Int, before: Int) throws(ModelFileError) {
    self.width = width
    self.before = before
    let name = "window\(width)"
    first = try Self.matrices(file, name + "_1", width)
    firstBias = try file.floats(name + "_1_bias", count: Dimensions.window)
    second = try Self.matrices(file, name + "_2", width)
    secondBias = try file.floats(name + "_2_bias", count: Dimensions.window)
  }

  private static func matrices(
    _ file: ModelFile, _ name: String, _ width: Int
  ) throws(ModelFileError) -> [Matrix] {
    var made: [Matrix] = []
    for token in 0..<width {
      made.append(
        try Matrix(file, "\(name)_\(token)", rows: Dimensions.window, columns: Dimensions.window))
    }
    return made
  }
}

/// Everything that the model learned, where it lies in the file.
struct EncoderWeights: Sendable {
  let table: Numbers<UInt8>
  let tableScale: Numbers<Float>
  let tableOffset: Numbers<Float>
  let projection: Matrix
  let projectionBias: Numbers<Float>
  let projectionNormGain: Numbers<Float>
  let projectionNormBias: Numbers<Float>
  let windows: [WindowLayers]
  let featuresNormGain: Numbers<Float>
  let featuresNormBias: Numbers<Float>
  let output: Matrix
  let outputBias: Numbers<Float>
  let head: Head
  let epsilon: Float

  /// The last layers, with their shortcuts: y0 = relu(x d0), y1 = relu(x p1 + y0 d1),
  /// y2 = relu(y1 d2), z = tanh(y1 p3 + y2 d3).
  struct Head: Sendable {
    let d0: Matrix
    let d1: Matrix
    let p1: Matrix
    let d2: Matrix
    let p3: Matrix
    let d3: Matrix

    init(_ file: ModelFile) throws(ModelFileError) {
      let (output, hidden) = (Dimensions.output, Dimensions.hidden)
      d0 = try Matrix(file, "head_d0", rows: output, columns: hidden, isFine: true)
      d1 = try Matrix(file, "head_d1", rows: hidden, columns: hidden, isFine: true)
      p1 = try Matrix(file, "head_p1", rows: output, columns: hidden, isFine: true)
      d2 = try Matrix(file, "head_d2", rows: hidden, columns: output, isFine: true)
      p3 = try Matrix(file, "head_p3", rows: hidden, columns: output, isFine: true)
      d3 = try Matrix(file, "head_d3", rows: output, columns: output, isFine: true)
    }
  }

  init(_ file: ModelFile, vocabularyCount: Int) throws(ModelFileError) {
    let (row, windows) = (Dimensions.output, 3 * Dimensions.window)
    table = try file.bytes("table", count: vocabularyCount * row)
    tableScale = try file.floats("table_scale", count: Dimensions.scales)
    tableOffset = try file.floats("table_offset", count: Dimensions.scales)
    projection = try Matrix(file, "projection", rows: row, columns: windows)
    projectionBias = try file.floats("projection_bias", count: windows)
    projectionNormGain = try file.floats("projection_norm_gain", count: windows)
    projectionNormBias = try file.floats("projection_norm_bias", count: windows)
    self.windows = [
      try WindowLayers(file, width: 2, before: 0),
      try WindowLayers(file, width: 3, before: 1),
      try WindowLayers(file, width: 5, before: 2),
    ]
    featuresNormGain = try file.floats("features_norm_gain", count: Dimensions.features)
    featuresNormBias = try file.floats("features_norm_bias", count: Dimensions.features)
    output = try Matrix(
      file, "output", rows: Dimensions.features, columns: row, isFine: true)
    outputBias = try file.floats("output_bias", count: row)
    head = try Head(file)
    guard let epsilon = try file.floats("epsilon", count: 1)[0], epsilon > 0 else {
      throw file.damaged("its epsilon is not positive")
    }
    self.epsilon = epsilon
  }
}
