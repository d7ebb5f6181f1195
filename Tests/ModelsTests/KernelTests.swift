import CEmbed
import Testing

/// The products of integers, which every processor must compute alike.
@Suite struct KernelTests {
  @Test(arguments: [1, 2, 5, 6, 7, 13])
  func `The best instructions give what plain ones give`(rows: Int) {
    let (depth, columns) = (512, 48)
    var state: UInt32 = 7
    func next() -> UInt32 {
      state = state &* 1_664_525 &+ 1_013_904_223
      return state >> 8
    }
    let source = (0..<rows * depth).map { _ in Float(next() % 2001) / 100 - 10 }
    let matrix = (0..<depth * columns).map { _ in Int8(Int(next() % 255) - 127) }
    let scales = (0..<columns).map { _ in Float(next() % 100 + 1) / 1e4 }
    var integers = [Int16](repeating: 0, count: rows * depth)
    var rowScales = [Float](repeating: 0, count: rows)
    cembed_quantize(source, depth, rows, depth, &integers, &rowScales)
    var best = [Float](repeating: 1, count: rows * columns)
    var plain = best
    cembed_gemm(integers, rowScales, matrix, scales, &best, columns, rows, depth, columns)
    cembed_gemm_portable(integers, rowScales, matrix, scales, &plain, columns, rows, depth, columns)
    for (a, b) in zip(best, plain) { #expect(abs(a - b) <= abs(b) * 1e-6 + 1e-5) }
    // And what is wanted: packed, element (p, j) stands in its panel and pair.
    for row in 0..<rows {
      for column in [0, 15, 16, 47] {
        var wanted = 1.0
        for p in 0..<depth {
          let place = (column / 16 * depth + p - p % 2) * 16 + column % 16 * 2 + p % 2
          wanted += Double(source[row * depth + p]) * Double(matrix[place]) * Double(scales[column])
        }
        #expect(abs(Double(best[row * columns + column]) - wanted) < 0.05 + abs(wanted) * 1e-3)
      }
    }
  }

  @Test func `Extreme rows stay within their integers`() {
    let depth = Int(CEMBED_DEPTH_MAX)
    for value: Float in [0, 1e-38, 1, 3e38, -3e38] {
      let source = [Float](repeating: value, count: depth)
      var integers = [Int16](repeating: 0, count: depth)
      var scale: Float = 0
      cembed_quantize(source, depth, 1, depth, &integers, &scale)
      #expect(integers.allSatisfy { (-8191...8191).contains($0) })
      // The greatest possible sum does not overflow.
      let matrix = [Int8](repeating: 127, count: depth * 16)
      var result = [Float](repeating: 0, count: 16)
      cembed_gemm(
        integers, [1], matrix, [Float](repeating: 1, count: 16), &result, 16, 1, depth, 16)
      let sum = integers.reduce(0) { $0 + Double($1) * 127 }
      #expect(result.allSatisfy { abs(Double($0) - sum) <= abs(sum) * 1e-6 })
    }
  }
}
