import Glibc

/// A count that threads wait for.
///
/// `@unchecked Sendable`: the semaphore lives at a fixed address from init to deinit, and POSIX
/// allows its operations from any thread.
final class Semaphore: @unchecked Sendable {
  private let pointer = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(pointer, 0, 0) }

  deinit {
    sem_destroy(pointer)
    pointer.deallocate()
  }

  func signal() { sem_post(pointer) }

  func wait() { while sem_wait(pointer) != 0, errno == EINTR {} }
}
