import SeededRandom
import Testing

@testable import PostgresStore

/// What the sequencer may forget, against a model of PostgreSQL's transactions. The ways that were
/// tried and lose events are kept: the model must catch each of them.
@Suite struct SequencedNumbersTests {
  @Test func aGapStaysOpenWhileItsTransactionMayCommit() {
    var numbers = SequencedNumbers(.init(high: 0), positioned: [], transaction: 10)
    numbers.sequenced(.init(snapshotMin: 8, transaction: 12, numbers: [3], completeTo: .max))
    #expect(numbers.holes == [.init(low: 1, high: 2, since: 12)])
    #expect(numbers.low == 0)
    // Transaction 11 may still commit number 2.
    numbers.sequenced(.init(snapshotMin: 11, transaction: nil, numbers: [], completeTo: .max))
    #expect(numbers.holes.count == 1)
    numbers.sequenced(.init(snapshotMin: 11, transaction: 13, numbers: [1], completeTo: .max))
    #expect(numbers.holes == [.init(low: 2, high: 2, since: 12)])
    numbers.sequenced(.init(snapshotMin: 12, transaction: nil, numbers: [], completeTo: .max))
    #expect(numbers.holes.isEmpty && numbers.low == 3)
  }

  @Test func aFullBatchDecidesNothingBehindItsEnd() {
    var numbers = SequencedNumbers(.init(high: 0), positioned: [5, 10], transaction: 20)
    #expect(numbers.holes.map(\.low) == [1, 6])
    numbers.sequenced(.init(snapshotMin: 30, transaction: 31, numbers: [2], completeTo: 2))
    #expect(
      numbers.holes == [
        .init(low: 1, high: 1, since: 20), .init(low: 3, high: 4, since: 20),
        .init(low: 6, high: 9, since: 20),
      ])
    numbers.sequenced(.init(snapshotMin: 30, transaction: 32, numbers: [4, 7], completeTo: 7))
    #expect(
      numbers.holes == [.init(low: 6, high: 6, since: 20), .init(low: 8, high: 9, since: 20)])
  }

  @Test func whatIsWrittenDownGoesOnWhileAHoleStaysOpen() {
    var numbers = SequencedNumbers(
      .init(high: 9, holes: [2...4, 7...7]), positioned: [3, 10, 12], transaction: 20)
    let open = SequencedNumbers.Mark(high: 12, holes: [2...2, 4...4, 7...7, 11...11])
    #expect(numbers.mark() == open)
    #expect(numbers.low == 1 && open.low == 1)
    // No more holes than may be: then not as far.
    #expect(numbers.mark(holeMax: 2) == .init(high: 6, holes: [2...2, 4...4]))
    // What was written down is no older than this.
    numbers.sequenced(.init(snapshotMin: 19, transaction: nil, numbers: [], completeTo: .max))
    #expect(numbers.holes.count == 4)
    numbers.sequenced(.init(snapshotMin: 20, transaction: nil, numbers: [], completeTo: .max))
    #expect(numbers.mark() == .init(high: 12))
  }

  @Test(arguments: 0..<40)
  func nothingIsLostWhateverTransactionsDo(seed: UInt64) {
    let found = LogModel.found(.right, seed: seed)
    #expect(found == LogModel.Found(), "seed \(seed)")
  }

  /// Each loses events in some of the runs, or the model would not be worth much.
  @Test(arguments: LogModel.Variant.allCases.filter { $0 != .right })
  func whatLosesEventsIsCaught(variant: LogModel.Variant) {
    let caught = (0..<200).contains { seed in
      LogModel.found(variant, seed: seed) != LogModel.Found()
    }
    #expect(caught, "\(variant) passed")
  }
}

/// Transactions that take ids and numbers, commit and roll back, and a sequencer that looks at
/// snapshots of them, is replaced, and has results come late.
struct LogModel {
  enum Variant: CaseIterable {
    case right
    /// Numbers are taken before the transaction has an id.
    case numberFirst
    /// Numbers are taken in stock, twenty at a time.
    case cache
    /// The id of a hole is the snapshot's xmax: the highest that ended, plus one.
    case snapshotMax
    /// The id is taken before the snapshot.
    case early
    /// A new leader takes its id before it reads the positions.
    case earlyLeader
    /// A full batch decides what lies behind its end.
    case fullBatch
  }

  struct Found: Equatable {
    /// Committed, and for ever without a position.
    var lost = 0
    /// Of one entity, later versions before earlier ones.
    var outOfOrder = 0
  }

  private struct Transaction {
    var id: Int64?
    var numbers: [Int64] = []
    var session: Int
    var entity: Int
  }

  private let variant: Variant
  private var random: SeededGenerator
  private var nextID: Int64 = 100
  private var nextNumber: Int64 = 1
  /// Ids that were given out and have not ended.
  private var running: Set<Int64> = []
  private var latestEnded: Int64 = 99
  private var transactions: [Transaction] = []
  /// Committed numbers -> entity, ascending order of commit per entity.
  private var committed: [Int64: Int] = [:]
  private var locked: Set<Int> = []
  /// What the sessions took in stock; it outlives their transactions.
  private var stocks: [[Int64]] = Array(repeating: [], count: 5)
  private var positions: [Int64] = []
  private var positioned: Set<Int64> = []
  private var mark = SequencedNumbers.Mark(high: 0)
  private var leader: SequencedNumbers?

  init(_ variant: Variant, seed: UInt64) {
    self.variant = variant
    random = SeededGenerator(state: seed)
  }

  static func found(_ variant: Variant, seed: UInt64) -> Found {
    var model = LogModel(variant, seed: seed)
    return model.run()
  }

  private mutating func run() -> Found {
    for _ in 0..<600 { step() }
    // Whoever still runs ends, and the sequencer comes to rest.
    while !transactions.isEmpty { endOne(0) }
    for _ in 0..<60 { sequence(limit: 1000) }
    var found = Found()
    found.lost = committed.keys.filter { !positioned.contains($0) }.count
    var last: [Int: Int64] = [:]
    for number in positions {
      guard let entity = committed[number] else { continue }
      if number < last[entity] ?? 0 { found.outOfOrder += 1 }
      last[entity] = number
    }
    return found
  }

  private mutating func step() {
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1: if transactions.count < 5 { begin() }
    case 2, 3, 4:
      if !transactions.isEmpty { write(Int.random(in: 0..<transactions.count, using: &random)) }
    case 5, 6:
      if !transactions.isEmpty { endOne(Int.random(in: 0..<transactions.count, using: &random)) }
    case 7: if Int.random(in: 0..<3, using: &random) == 0 { leader = nil }
    default: sequence(limit: [1, 2, 3, 100][Int.random(in: 0..<4, using: &random)])
    }
  }

  private mutating func begin() {
    // A row lock: one writer of an entity at a time.
    let entity = Int.random(in: 0..<8, using: &random)
    guard locked.insert(entity).inserted else { return }
    let busy = transactions.map(\.session)
    let session = stocks.indices.first { !busy.contains($0) } ?? 0
    transactions.append(Transaction(session: session, entity: entity))
  }

  private mutating func takeID() -> Int64 {
    defer { nextID += 1 }
    running.insert(nextID)
    return nextID
  }

  private mutating func write(_ index: Int) {
    if variant != .numberFirst, transactions[index].id == nil { transactions[index].id = takeID() }
    if variant == .cache {
      let session = transactions[index].session
      if stocks[session].isEmpty {
        stocks[session] = (0..<20).map { nextNumber + $0 }
        nextNumber += 20
      }
      transactions[index].numbers.append(stocks[session].removeFirst())
    } else {
      transactions[index].numbers.append(nextNumber)
      nextNumber += 1
    }
    // The id comes with the row itself, which may be a good while later.
    if variant == .numberFirst, transactions[index].id == nil,
      Int.random(in: 0..<3, using: &random) == 0
    {
      transactions[index].id = takeID()
    }
  }

  private mutating func endOne(_ index: Int) {
    var transaction = transactions.remove(at: index)
    locked.remove(transaction.entity)
    if transaction.id == nil, !transaction.numbers.isEmpty { transaction.id = takeID() }
    guard let id = transaction.id else { return }
    running.remove(id)
    latestEnded = max(latestEnded, id)
    guard Int.random(in: 0..<5, using: &random) > 0 else { return }
    for number in transaction.numbers { committed[number] = transaction.entity }
  }

  private var snapshotMin: Int64 { running.min() ?? nextID }

  /// Lets others work for a moment.
  private mutating func pause() {
    for _ in 0..<Int.random(in: 0..<9, using: &random) {
      switch Int.random(in: 0..<3, using: &random) {
      case 0: if transactions.count < 5 { begin() }
      case 1:
        if !transactions.isEmpty { write(Int.random(in: 0..<transactions.count, using: &random)) }
      default:
        if !transactions.isEmpty { endOne(Int.random(in: 0..<transactions.count, using: &random)) }
      }
    }
  }

  private mutating func own() -> Int64 {
    let id = takeID()
    running.remove(id)
    latestEnded = max(latestEnded, id)
    return id
  }

  private mutating func sequence(limit: Int) {
    var numbers = leader ?? lead()
    var early: Int64?
    if variant == .early {
      early = own()
      pause()
    }
    // One snapshot.
    let lowest = snapshotMin
    let highest = latestEnded + 1
    let holes = numbers.holes
    let visible = committed.keys.filter { number in
      number > numbers.high || holes.contains { ($0.low...$0.high).contains(number) }
    }.sorted().prefix(limit)
    var transaction: Int64?
    if !visible.isEmpty {
      if Int.random(in: 0..<2, using: &random) == 0 { pause() }
      transaction = early ?? (variant == .snapshotMax ? highest : own())
      positions += visible
      positioned.formUnion(visible)
    }
    let isCut = visible.count == limit && variant != .fullBatch
    numbers.sequenced(
      .init(
        snapshotMin: lowest, transaction: transaction, numbers: Array(visible),
        completeTo: isCut ? visible.last ?? 0 : .max))
    if Int.random(in: 0..<4, using: &random) == 0 {
      let next = numbers.mark(holeMax: 2)
      if next.high > mark.high { mark = next }
    }
    leader = numbers
  }

  private mutating func lead() -> SequencedNumbers {
    var transaction: Int64 = 0
    if variant == .earlyLeader {
      transaction = own()
      pause()
      // Another one leads meanwhile.
      let rival = committed.keys.filter { !positioned.contains($0) }.sorted()
      positions += rival
      positioned.formUnion(rival)
    }
    let known = mark
    let above = positioned.filter { number in
      number > known.high || known.holes.contains { $0.contains(number) }
    }.sorted()
    if variant != .earlyLeader {
      pause()
      transaction = own()
    }
    return SequencedNumbers(known, positioned: above, transaction: transaction)
  }
}
