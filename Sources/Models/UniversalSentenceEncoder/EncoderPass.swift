import CEmbed

/// The model's arithmetic with the memory that it needs, for one thread. A pass takes several texts
/// at once, because reading the weights is most of the work for short ones; a text's vector does
/// not depend on the texts beside it.
///
/// The tokens of all texts stand in the rows of one matrix with `margin` empty rows around each
/// text, so that a window over neighbouring tokens is simply a wider row of the same memory.
final class EncoderPass {
  /// Rows that a text of so many tokens takes.
  static func rowCount(tokens: Int) -> Int { tokens + Dimensions.margin }

  private let weights: EncoderWeights
  private let rowCountMax: Int
  private let textCountMax: Int
  private let features: Buffer
  private let projected: Buffer
  private let windowInput: Buffer
  private let windowHidden: Buffer
  private let sums: Buffer
  private let means: Buffer
  private let hidden0: Buffer
  private let hidden1: Buffer
  private let hidden2: Buffer
  private let results: Buffer
  /// What is multiplied next.
  private let quantized: QuantizedRows

  /// For texts with `tokenCountMax` tokens or fewer, one or several at once.
  init(_ weights: EncoderWeights, tokenCountMax: Int) {
    self.weights = weights
    rowCountMax = Self.rowCount(tokens: tokenCountMax) + Dimensions.margin
    textCountMax = rowCountMax / Self.rowCount(tokens: UnigramTokenizer.tokenCountMin)
    features = Buffer(rows: rowCountMax, columns: Dimensions.features)
    projected = Buffer(rows: rowCountMax, columns: 3 * Dimensions.window)
    windowInput = Buffer(rows: rowCountMax, columns: Dimensions.window)
    windowHidden = Buffer(rows: rowCountMax, columns: Dimensions.window)
    sums = Buffer(rows: textCountMax, columns: Dimensions.features)
    means = Buffer(rows: textCountMax, columns: Dimensions.output)
    hidden0 = Buffer(rows: textCountMax, columns: Dimensions.hidden)
    hidden1 = Buffer(rows: textCountMax, columns: Dimensions.hidden)
    hidden2 = Buffer(rows: textCountMax, columns: Dimensions.output)
    results = Buffer(rows: textCountMax, columns: Dimensions.output)
    quantized = QuantizedRows(
      rows: rowCountMax,
      numberCount: max(rowCountMax * Dimensions.output, textCountMax * Dimensions.features))
  }

  /// How many of `texts` (their tokens), from `start` on, fit into one pass.
  func batch(of texts: [[Int]], from start: Int) -> Range<Int> {
    var end = start
    var rows = Dimensions.margin
    while end < texts.count, end - start < textCountMax {
      rows += Self.rowCount(tokens: texts[end].count)
      if rows > rowCountMax { break }
      end += 1
    }
    return start..<end
  }

  /// The vectors of `texts`, which `batch` allowed. A token outside of the vocabulary, which the
  /// tokenizer does not make, is taken as the unknown one.
  func vectors(of texts: ArraySlice<[Int]>) -> [[Float]] {
    var places: [Range<Int>] = []
    var rows = Dimensions.margin
    for text in texts {
      places.append(rows..<(rows + text.count))
      rows += Self.rowCount(tokens: text.count)
    }
    guard rows <= rowCountMax, texts.count <= textCountMax, !texts.isEmpty else { return [] }
    lookUp(texts, places, rows)
    project(rows)
    for (index, layers) in weights.windows.enumerated() {
      lookThrough(layers, index, places, rows)
    }
    normalize(features, rows, weights.featuresNormGain, weights.featuresNormBias)
    finish(places)
    return places.indices.map { Array(results.row($0)) }
  }

  /// Writes the rows of the tokens into the first columns of the features.
  private func lookUp(_ texts: ArraySlice<[Int]>, _ places: [Range<Int>], _ rows: Int) {
    features.clear(0..<rows)
    weights.table.withBuffer { table in
      for (text, place) in zip(texts, places) {
        for (token, row) in zip(text, place) {
          let start = token * Dimensions.output
          let isKnown = token >= 0 && start + Dimensions.output <= table.count
          let source = isKnown ? start : 0
          let chunk = isKnown ? token % Dimensions.scales : 0
          guard let base = table.baseAddress, let scale = weights.tableScale[chunk],
            let offset = weights.tableOffset[chunk]
          else { continue }
          cembed_dequantize(
            base + source, scale, offset, features.pointer(row: row), Dimensions.output)
        }
      }
    }
  }

  private func project(_ rows: Int) {
    fill(projected.pointer(row: 0), stride: projected.columns, rows, with: weights.projectionBias)
    quantized.take(
      features.pointer(row: 0), stride: features.columns, rows: rows, width: Dimensions.output)
    weights.projection.multiply(
      quantized, rows: rows, addingTo: projected.pointer(row: 0), stride: projected.columns)
    normalize(projected, rows, weights.projectionNormGain, weights.projectionNormBias)
  }

  /// Writes two layers over windows, each with a shortcut, into their columns of the features.
  private func lookThrough(
    _ layers: WindowLayers, _ index: Int, _ places: [Range<Int>], _ rows: Int
  ) {
    let width = Dimensions.window
    windowInput.clear(0..<rows)
    windowHidden.clear(0..<rows)
    for row in places.joined() {
      windowInput.pointer(row: row).update(
        from: projected.pointer(row: row, column: index * width), count: width)
    }
    // All rows between the outer margins; what that puts into the inner ones is taken out again.
    let inner = Dimensions.margin..<(rows - Dimensions.margin)
    let output = features.pointer(row: inner.lowerBound, column: Dimensions.output + index * width)
    let hidden = windowHidden.pointer(row: inner.lowerBound)
    let input = windowInput.pointer(row: inner.lowerBound)
    let firstOfWindow = inner.lowerBound - layers.before

    fill(hidden, stride: width, inner.count, with: layers.firstBias)
    quantized.take(windowInput.pointer(row: 0), stride: width, rows: rows, width: width)
    for (token, matrix) in layers.first.enumerated() {
      matrix.multiply(
        quantized, from: firstOfWindow + token, rows: inner.count, addingTo: hidden, stride: width)
    }
    cembed_relu_add(hidden, width, input, width, inner.count, width)
    for place in places {
      windowHidden.clear(place.upperBound..<(place.upperBound + Dimensions.margin))
    }

    fill(output, stride: features.columns, inner.count, with: layers.secondBias)
    quantized.take(windowHidden.pointer(row: 0), stride: width, rows: rows, width: width)
    for (token, matrix) in layers.second.enumerated() {
      matrix.multiply(
        quantized, from: firstOfWindow + token, rows: inner.count, addingTo: output,
        stride: features.columns)
    }
    cembed_relu_add(output, features.columns, hidden, width, inner.count, width)
  }

  /// From the features of all tokens to one vector per text.
  private func finish(_ places: [Range<Int>]) {
    let count = places.count
    for (text, place) in places.enumerated() {
      cembed_sum_rows(
        features.pointer(row: place.lowerBound), features.columns, place.count,
        features.columns, sums.pointer(row: text))
    }
    apply(weights.output, sums, to: means, count)
    weights.outputBias.withBuffer { bias in
      for (text, place) in places.enumerated() {
        cembed_mean(
          means.pointer(row: text), bias.baseAddress, Float(place.count), means.columns)
      }
    }
    let head = weights.head
    apply(head.d0, means, to: hidden0, count)
    cembed_relu(hidden0.pointer(row: 0), count * hidden0.columns)
    apply(head.p1, means, to: hidden1, count)
    apply(head.d1, hidden0, to: hidden1, count, isFirst: false)
    cembed_relu(hidden1.pointer(row: 0), count * hidden1.columns)
    apply(head.d2, hidden1, to: hidden2, count)
    cembed_relu(hidden2.pointer(row: 0), count * hidden2.columns)
    apply(head.p3, hidden1, to: results, count)
    apply(head.d3, hidden2, to: results, count, isFirst: false)
    for text in 0..<count {
      cembed_tanh_normalize(results.pointer(row: text), results.columns, weights.epsilon)
    }
  }

  /// output = input * matrix, or added to it when it is not the first.
  private func apply(
    _ matrix: Matrix, _ input: Buffer, to output: Buffer, _ rows: Int, isFirst: Bool = true
  ) {
    if isFirst { output.clear(0..<rows) }
    quantized.take(
      input.pointer(row: 0), stride: input.columns, rows: rows, width: input.columns)
    matrix.multiply(
      quantized, rows: rows, addingTo: output.pointer(row: 0), stride: output.columns)
  }

  private func normalize(
    _ buffer: Buffer, _ rows: Int, _ gain: Numbers<Float>, _ bias: Numbers<Float>
  ) {
    gain.withBuffer { gain in
      bias.withBuffer { bias in
        cembed_layer_norm(
          buffer.pointer(row: 0), rows, buffer.columns, gain.baseAddress, bias.baseAddress,
          weights.epsilon)
      }
    }
  }

  private func fill(
    _ start: UnsafeMutablePointer<Float>, stride: Int, _ rows: Int, with row: Numbers<Float>
  ) {
    row.withBuffer { cembed_fill_rows(start, stride, rows, $0.count, $0.baseAddress) }
  }
}

/// Rows of floats that are written over and over.
private final class Buffer {
  let columns: Int
  private let values: UnsafeMutableBufferPointer<Float>

  init(rows: Int, columns: Int) {
    self.columns = columns
    values = .allocate(capacity: rows * columns)
    values.initialize(repeating: 0)
  }

  deinit { values.deallocate() }

  /// The start of a row; with an index outside of the buffer this would be memory of others, so
  /// `EncoderPass.vectors` counts its rows before the first call.
  func pointer(row: Int, column: Int = 0) -> UnsafeMutablePointer<Float> {
    values.baseAddress.unsafelyUnwrapped + (row * columns + column)
  }

  func row(_ row: Int) -> Slice<UnsafeMutableBufferPointer<Float>> {
    values[(row * columns)..<((row + 1) * columns)]
  }

  func clear(_ rows: Range<Int>) {
    pointer(row: rows.lowerBound).update(repeating: 0, count: rows.count * columns)
  }
}
