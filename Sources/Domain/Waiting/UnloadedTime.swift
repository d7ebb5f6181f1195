/// How long calls of one method take while nearly nothing else runs, and so how much slower one was because of
/// others. Pure. Times are microseconds.
package struct UnloadedTime: Sendable, Hashable {
  /// A sample moves the mean by this share of its distance from it.
  private static let weight = 1.0 / 16
  /// So many calls make a mean that is trusted.
  private static let sampleCountMin = 8
  /// What is shorter is told apart by the clock only.
  private static let least = 1.0

  private var mean = 0.0
  private var quietCount = 0
  /// What stands for the mean until then: nobody has been seen faster.
  private var shortest = Double.infinity

  package init() {}

  /// The time of a call without load; nil while no call has ended.
  package var value: Double? {
    if quietCount >= Self.sampleCountMin { return mean }
    return shortest.isFinite ? shortest : nil
  }

  /// A call has ended.
  ///
  /// - Parameter isQuiet: whether it ran while nearly nothing else did.
  /// - Returns: how many times as long as without load it took.
  package mutating func ended(after time: Double, isQuiet: Bool) -> Double {
    let time = max(time, Self.least)
    shortest = min(shortest, time)
    if isQuiet {
      quietCount = min(quietCount + 1, Self.sampleCountMin)
      mean =
        quietCount == 1
        ? time : mean + (time - mean) * max(Self.weight, 1 / Double(quietCount + 1))
    }
    return time / (value ?? time)
  }
}
