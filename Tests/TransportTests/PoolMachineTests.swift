import Testing
import Wire

@testable import Transport

/// Where calls go and what is dialled when, on a clock of the test's own (BEHAVIOUR.md, C1).
@Suite struct PoolMachineTests {
  private typealias Step = PoolMachine.Step

  /// A pool of which a test says what becomes of it.
  private struct Pool {
    var machine: PoolMachine
    private let start = Moment.now
    var now: Moment
    private var last = 0

    init(_ addressCount: Int, isInTurn: Bool = false, connectionCountMax: Int = 4) {
      var settings = PoolMachine.Settings()
      settings.addressCount = addressCount
      settings.isInTurn = isInTurn
      settings.connectionCountMax = connectionCountMax
      machine = PoolMachine(settings)
      now = start
    }

    func at(_ time: Duration) -> Moment { start + time }

    mutating func place(waits: Bool = false) -> Step {
      var want = PoolMachine.Want(waitsForServer: waits)
      return machine.place(&want, now: now)
    }

    /// A server answers; the number of the connection, nil where it is not wanted.
    mutating func answer(_ address: Int, callCountMax: Int = 100) -> Int? {
      last += 1
      return machine.dialled(address, number: last, callCountMax: callCountMax, now: now)
        ? last : nil
    }

    mutating func refuse(_ address: Int, isUntrusted: Bool = false) {
      machine.dialFailed(address, isUntrusted: isUntrusted, now: now, jitter: 1)
    }

    /// Dials what a call wants and has all answer.
    mutating func connect(callCountMax: Int = 100) -> [Int] {
      _ = place()
      return machine.takeDials().compactMap { answer($0, callCountMax: callCountMax) }
    }

    mutating func lose(_ number: Int) { machine.retired(number, now: now, jitter: 1) }
  }

  // MARK: Pick first

  @Test func `C1.2 the first that answers is used, and kept`() {
    var pool = Pool(3)
    #expect(pool.place() == .wait(until: pool.at(.milliseconds(250))))
    #expect(pool.machine.takeDials() == [0])
    #expect(pool.place() != .fail)
    #expect(pool.machine.takeDials() == [], "one attempt for all that wait")
    pool.refuse(0)
    #expect(pool.place() != .fail)
    #expect(pool.machine.takeDials() == [1])
    let number = pool.answer(1)
    for _ in 0..<5 { #expect(pool.place() == .use(number ?? 0)) }
    #expect(pool.machine.takeDials() == [])
  }

  @Test func `C1.2 one that says nothing holds up the next for a quarter of a second`() {
    var pool = Pool(2)
    _ = pool.place()
    #expect(pool.machine.takeDials() == [0])
    pool.now = pool.at(.milliseconds(249))
    _ = pool.place()
    #expect(pool.machine.takeDials() == [])
    pool.now = pool.at(.milliseconds(250))
    _ = pool.place()
    #expect(pool.machine.takeDials() == [1])
    let fast = pool.answer(1)
    #expect(pool.place() == .use(fast ?? 0))
    #expect(pool.answer(0) == nil, "the slow one is not needed any more")
    #expect(pool.place() == .use(fast ?? 0))
  }

  @Test func `C1.5 where none answers a call fails, or waits for the next attempt`() {
    var pool = Pool(2)
    for address in 0..<2 {
      _ = pool.place()
      #expect(pool.machine.takeDials() == [address])
      pool.refuse(address)
    }
    #expect(pool.place() == .fail)
    #expect(pool.place(waits: true) == .wait(until: pool.at(.milliseconds(50))))
    #expect(pool.machine.takeDials() == [])
    pool.now = pool.at(.milliseconds(50))
    #expect(pool.place() != .fail)
    #expect(pool.machine.takeDials() == [0])
  }

  @Test func `C1.7 attempts at an address that fails come more and more slowly`() {
    var pool = Pool(1)
    var waits: [Duration] = []
    for _ in 0..<10 {
      _ = pool.place(waits: true)
      #expect(pool.machine.takeDials() == [0])
      pool.refuse(0)
      guard case .wait(let until?) = pool.place(waits: true) else {
        Issue.record("expected a wait")
        return
      }
      waits.append(pool.now.duration(to: until))
      pool.now = until
    }
    #expect(
      waits == [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000].map { .milliseconds($0) })
  }

  @Test func `C1.7 a server that takes connections and drops them is not stormed`() {
    var pool = Pool(1)
    var waits: [Duration] = []
    for _ in 0..<4 {
      for number in pool.connect() { pool.lose(number) }
      // It can be reached: also who does not wait for servers waits for that.
      guard case .wait(let until?) = pool.place() else {
        Issue.record("expected a wait")
        return
      }
      #expect(pool.machine.takeDials() == [])
      waits.append(pool.now.duration(to: until))
      pool.now = until
    }
    #expect(waits == [50, 100, 200, 400].map { .milliseconds($0) })
    // One that has answered is no such server.
    for number in pool.connect() {
      pool.machine.served(on: number)
      pool.lose(number)
    }
    _ = pool.place()
    #expect(pool.machine.takeDials() == [0])
  }

  @Test func `C1.4 a certificate that is not trusted is not waited for`() {
    var pool = Pool(1)
    _ = pool.place(waits: true)
    pool.refuse(0, isUntrusted: true)
    #expect(pool.place(waits: true) == .fail)
    var two = Pool(2)
    for address in 0..<2 {
      _ = two.place(waits: true)
      two.refuse(address, isUntrusted: address == 0)
    }
    #expect(two.place(waits: true) != .fail, "the other may come")
  }

  // MARK: Room

  @Test func `C1.6 a call without room opens a connection, up to their maximum, and waits then`() {
    var pool = Pool(1, connectionCountMax: 2)
    let first = pool.connect(callCountMax: 1)
    #expect(pool.place() == .use(first[0]))
    #expect(pool.place() == .wait(until: nil))
    #expect(pool.machine.takeDials() == [0])
    #expect(pool.place() == .wait(until: nil))
    #expect(pool.machine.takeDials() == [], "one at a time")
    let second = pool.answer(0, callCountMax: 1)
    #expect(pool.place() == .use(second ?? 0))
    #expect(pool.place() == .wait(until: nil))
    #expect(pool.machine.takeDials() == [], "two are the most")
    pool.machine.callEnded(on: first[0])
    #expect(pool.place() == .use(first[0]))
  }

  @Test func `C1.6 none is opened while one has room`() {
    var pool = Pool(1)
    let first = pool.connect(callCountMax: 50)
    for _ in 0..<50 { #expect(pool.place() == .use(first[0])) }
    #expect(pool.machine.takeDials() == [])
  }

  @Test func `C1.6 a full server is waited for, and not left for the next one`() {
    var pool = Pool(2, connectionCountMax: 1)
    let first = pool.connect(callCountMax: 1)
    #expect(pool.place() == .use(first[0]))
    #expect(pool.place() == .wait(until: nil))
    #expect(pool.machine.takeDials() == [])
  }

  // MARK: In turn

  @Test func `C1.3 calls go to all in turn, and past those that do not answer`() {
    var pool = Pool(3, isInTurn: true)
    _ = pool.place()
    #expect(pool.machine.takeDials() == [0, 1, 2])
    let (one, three) = (pool.answer(0) ?? 0, pool.answer(2) ?? 0)
    pool.refuse(1)
    let used = (0..<6).map { _ in pool.place() }
    #expect(used.count { $0 == .use(one) } >= 2 && used.count { $0 == .use(three) } >= 2)
    #expect(used.allSatisfy { $0 == .use(one) || $0 == .use(three) })
    pool.now = pool.at(.milliseconds(50))
    _ = pool.place()
    #expect(pool.machine.takeDials() == [1], "it is tried again beside")
    let two = pool.answer(1) ?? 0
    let again = (0..<3).map { _ in pool.place() }
    #expect(again.contains(.use(two)))
  }

  @Test func `C1.3 a call waits a quarter of a second for the address whose turn it is`() {
    var pool = Pool(2, isInTurn: true)
    var want = PoolMachine.Want()
    #expect(
      pool.machine.place(&want, now: pool.now) == .wait(until: pool.at(.milliseconds(250))))
    let other = pool.answer(1) ?? 0
    #expect(
      pool.machine.place(&want, now: pool.now) == .wait(until: pool.at(.milliseconds(250))))
    pool.now = pool.at(.milliseconds(250))
    #expect(pool.machine.place(&want, now: pool.now) == .use(other))
  }

  // MARK: Health

  @Test func `C1.8 a server that does not serve gets no new calls while others do`() {
    var pool = Pool(2)
    let sick = pool.connect()[0]
    pool.machine.says(isServing: false, address: 0)
    _ = pool.place()
    #expect(pool.machine.takeDials() == [1])
    let well = pool.answer(1) ?? 0
    #expect(pool.place() == .use(well))
    pool.machine.says(isServing: true, address: 0)
    #expect(pool.place() == .use(well), "it is kept for as long as it does")
    pool.machine.says(isServing: false, address: 1)
    #expect(pool.place() == .use(sick))
    pool.machine.says(isServing: false, address: 0)
    #expect(pool.place() != .fail, "where none serves they say so themselves")
  }

  @Test func `C1.8 a full server that serves is waited for before one that does not is asked`() {
    var pool = Pool(2, isInTurn: true, connectionCountMax: 1)
    _ = pool.place()
    let numbers = pool.machine.takeDials().compactMap { pool.answer($0, callCountMax: 1) }
    pool.machine.says(isServing: false, address: 0)
    #expect(pool.place() == .use(numbers[1]))
    #expect(pool.place() == .wait(until: nil))
  }

  @Test func `C1.8 what a server said ends with its last connection`() {
    var pool = Pool(1)
    let first = pool.connect()[0]
    pool.machine.says(isServing: false, address: 0)
    pool.machine.served(on: first)
    pool.lose(first)
    let second = pool.connect()[0]
    #expect(pool.place() == .use(second))
  }

  // MARK: Hedging

  @Test func `C2.4 a copy goes to another server, else another connection, else the same`() {
    var pool = Pool(2, isInTurn: true)
    _ = pool.place()
    let numbers = pool.machine.takeDials().compactMap { pool.answer($0) }
    #expect(pool.machine.placeBeside([numbers[0]], now: pool.now) == numbers[1])
    pool.lose(numbers[1])
    #expect(pool.machine.placeBeside([numbers[0]], now: pool.now) == numbers[0])
    let another = pool.answer(0)
    #expect(pool.machine.placeBeside([numbers[0]], now: pool.now) == another)
    #expect(pool.machine.takeDials() == [], "nothing is dialled for it")
  }

  @Test func `C2.4 there is no copy where there is no room`() {
    var pool = Pool(1)
    let first = pool.connect(callCountMax: 1)
    #expect(pool.place() == .use(first[0]))
    #expect(pool.machine.placeBeside(first, now: pool.now) == nil)
  }
}
