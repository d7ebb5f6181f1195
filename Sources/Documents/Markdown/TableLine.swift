/// Lines of tables as GitHub takes them, for md4c, which drops a cell of nothing between two bars and
/// wants three hyphens under each column.
enum TableLine {
  private static let bar = UInt8(ascii: "|")
  private static let hyphen = UInt8(ascii: "-")
  private static let colon = UInt8(ascii: ":")

  /// `|:-|-:|`, which may stand in a quote.
  static func isDelimiter(_ line: ArraySlice<UInt8>) -> Bool {
    var hasBar = false
    var hyphens = 0
    var isCellOver = false
    var last: UInt8 = 0
    for byte in line.drop(while: { $0 == UInt8(ascii: ">") || $0.isHTMLSpace }) {
      switch byte {
      case bar:
        // Between two bars there is something.
        if hasBar || last != 0, hyphens == 0 { return false }
        hasBar = true
        hyphens = 0
        isCellOver = false
      case hyphen:
        guard !isCellOver else { return false }
        hyphens += 1
      case colon: if hyphens > 0 { isCellOver = true }
      case _ where byte.isHTMLSpace: if hyphens > 0 { isCellOver = true }
      default: return false
      }
      last = byte
    }
    return hasBar && last != 0
  }

  /// With three hyphens in each cell.
  static func widened(_ line: ArraySlice<UInt8>) -> [UInt8] {
    var output: [UInt8] = []
    var count = 0
    for byte in line {
      if byte != hyphen, count > 0, count < 3 {
        output += repeatElement(hyphen, count: 3 - count)
      }
      count = byte == hyphen ? count + 1 : 0
      output.append(byte)
    }
    if count > 0, count < 3 { output += repeatElement(hyphen, count: 3 - count) }
    return output
  }

  /// With a blank in each cell that has nothing.
  static func withEmptyCells(_ line: ArraySlice<UInt8>) -> [UInt8] {
    let ends = lastRuns(line)
    var output: [UInt8] = []
    var place = line.startIndex
    while place < line.endIndex {
      let byte = line[place]
      output.append(byte)
      place += 1
      switch byte {
      case UInt8(ascii: "\\") where place < line.endIndex:
        output.append(line[place])
        place += 1
      case UInt8(ascii: "`"):
        let start = place - 1
        while place < line.endIndex, line[place] == byte { place += 1 }
        let count = place - start
        output += line[(start + 1)..<place]
        // Code as far as the next run of as many; bars are nothing else there.
        guard let last = ends[count], last > start else { continue }
        let end = codeEnd(line, place, count)
        output += line[place..<end]
        place = end
      case bar:
        if place < line.endIndex, line[place] == bar { output.append(UInt8(ascii: " ")) }
      default: break
      }
    }
    return output
  }

  /// Where the last run of each number of backticks begins.
  private static func lastRuns(_ line: ArraySlice<UInt8>) -> [Int: Int] {
    var ends: [Int: Int] = [:]
    var place = line.startIndex
    while let run = nextRun(line, place) {
      ends[run.count] = run.lowerBound
      place = run.upperBound
    }
    return ends
  }

  private static func codeEnd(_ line: ArraySlice<UInt8>, _ start: Int, _ count: Int) -> Int {
    var place = start
    while let run = nextRun(line, place) {
      if run.count == count { return run.upperBound }
      place = run.upperBound
    }
    return start
  }

  /// The first run of backticks from `start` on.
  private static func nextRun(_ line: ArraySlice<UInt8>, _ start: Int) -> Range<Int>? {
    let tick = UInt8(ascii: "`")
    guard let first = line[start...].firstIndex(of: tick) else { return nil }
    return first..<(line[first...].firstIndex { $0 != tick } ?? line.endIndex)
  }
}
