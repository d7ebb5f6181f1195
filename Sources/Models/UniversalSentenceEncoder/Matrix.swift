import CEmbed

/// A matrix packed for `cembed_gemm`: integers with one scale per column. A fine one is the sum of two.
struct Matrix: Sendable {
  let rowCount: Int
  let columnCount: Int
  private let parts: [Part]

  private struct Part {
    let values: Numbers<Int8>
    let scales: Numbers<Float>
  }

  init(
    _ file: ModelFile, _ name: String, rows: Int, columns: Int, isFine: Bool = false
  ) throws(ModelFileError) {
    precondition(rows % 2 == 0 && rows <= Int(CEMBED_DEPTH_MAX))
    rowCount = rows
    columnCount = columns
    var parts: [Part] = []
    for name in isFine ? [name, name + "_rest"] : [name] {
      parts.append(
        Part(
          values: try file.smallIntegers(name, count: rows * columns),
          scales: try file.floats(name + "_scale", count: columns)))
    }
    self.parts = parts
  }

  /// output[rows, columnCount] += input[rows, rowCount] * self
  ///
  /// - Parameter first: the row of the input to begin with.
  func multiply(
    _ input: QuantizedRows, from first: Int = 0, rows: Int,
    addingTo output: UnsafeMutablePointer<Float>, stride: Int
  ) {
    for part in parts {
      part.values.withBuffer { values in
        part.scales.withBuffer { scales in
          cembed_gemm(
            input.values(ofRow: first, width: rowCount), input.scale(ofRow: first),
            values.baseAddress, scales.baseAddress, output, stride, rows, rowCount, columnCount)
        }
      }
    }
  }
}

/// Rows of numbers as integers with one scale per row, written over and over.
final class QuantizedRows {
  private let values: UnsafeMutableBufferPointer<Int16>
  private let scales: UnsafeMutableBufferPointer<Float>

  /// - Parameter numberCount: of all rows together, whatever their width.
  init(rows: Int, numberCount: Int) {
    values = .allocate(capacity: numberCount)
    values.initialize(repeating: 0)
    scales = .allocate(capacity: rows)
    scales.initialize(repeating: 0)
  }

  deinit {
    values.deallocate()
    scales.deallocate()
  }

  /// Takes `rows` rows of `width` numbers; the caller has counted them.
  func take(_ source: UnsafePointer<Float>, stride: Int, rows: Int, width: Int) {
    precondition(rows <= scales.count && rows * width <= values.count)
    cembed_quantize(source, stride, rows, width, values.baseAddress, scales.baseAddress)
  }

  func values(ofRow row: Int, width: Int) -> UnsafePointer<Int16> {
    UnsafePointer(values.baseAddress.unsafelyUnwrapped + row * width)
  }

  func scale(ofRow row: Int) -> UnsafePointer<Float> {
    UnsafePointer(scales.baseAddress.unsafelyUnwrapped + row)
  }
}
