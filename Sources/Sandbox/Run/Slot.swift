import Domain
import Glibc

/// A place for one job at a time. It belongs to one thread, which lives as long as this does: the kernel ends
/// what a thread has started when that thread ends.
///
/// It has a cell in which a launcher waits for any job, and others in which commands that jobs often begin
/// with have been started ahead. Each cell has a user of its own, so that a job and what waits for the next
/// one are strangers to each other.
final class Slot {
  private let starts: AheadStarts
  /// The first one takes any job.
  private var cells: [Cell]
  private let closed: @Sendable () -> Void

  /// - Parameter closed: called when nothing of this is left.
  init(_ setup: SlotSetup, closed: @escaping @Sendable () -> Void) {
    starts = setup.starts
    cells = (0...setup.starts.count).map { _ in Cell(setup) }
    self.closed = closed
    // A command that ends before it has read its input is no reason to end this process.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  deinit {
    cells = []
    closed()
  }

  private var aheadCells: ArraySlice<Cell> { cells.dropFirst() }

  var userIDs: [UInt32] { cells.compactMap(\.userID) }
  var version: Int? { cells.first?.version }

  /// The folders of jobs that are over and are still there.
  var remains: [String] { cells.flatMap(\.remains) }

  /// Runs a job to its end.
  func run(
    _ job: SandboxJob, bell: CancellationBell, received: @escaping @Sendable (SandboxEvent) -> Void
  ) throws(SandboxError) -> JobRun.Report {
    if let start = starts.start(of: job), let cell = longestWaiting(for: start),
      let report = try cell.continueAhead(job, bell: bell, received: received)
    {
      return report
    }
    return try cells[0].run(job, bell: bell, received: received)
  }

  /// That which has waited longest is the furthest on its way to reading its input.
  private func longestWaiting(for start: SandboxJob) -> Cell? {
    aheadCells.filter { $0.start == start }.min { $0.waitingSince < $1.waitingSince }
  }

  /// Has the command of a job wait for it; nothing where it must not be started ahead.
  func expect(_ job: SandboxJob) {
    guard let start = starts.start(of: job) else { return }
    starts.adopt(start)
    prepare()
  }

  /// Readies what the next jobs need, off the way of the job that asks for it.
  func prepare() {
    cells[0].prepare()
    var free = Array(aheadCells)
    var missing: [SandboxJob] = []
    for start in starts.wanted {
      if let cell = free.firstIndex(where: { $0.start == start }) {
        free.remove(at: cell)
      } else {
        missing.append(start)
      }
    }
    for (cell, start) in zip(free, missing) { cell.prepare(start) }
  }
}
