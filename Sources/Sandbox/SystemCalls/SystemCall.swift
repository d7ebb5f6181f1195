/// A system call and its number on each processor; nil where it is not there.
struct SystemCall: Sendable, Hashable {
  let name: String
  private let x86: UInt32?
  private let arm: UInt32?

  init(_ name: String, _ x86: UInt32?, _ arm: UInt32?) {
    self.name = name
    self.x86 = x86
    self.arm = arm
  }

  func number(on processor: Processor) -> UInt32? {
    switch processor {
    case .x86: x86
    case .arm: arm
    }
  }
}

/// The processors that programs are written for here.
enum Processor: Sendable, Hashable, CaseIterable {
  case x86
  case arm

  static var current: Processor {
    #if arch(arm64)
      .arm
    #else
      .x86
    #endif
  }

  /// What the kernel calls it in what it shows to a filter.
  var auditName: UInt32 {
    switch self {
    case .x86: 0xC000_003E
    case .arm: 0xC000_00B7
    }
  }
}

/// Every call that is let through, and why by group. What is not here is refused: namespaces, mounts,
/// tracing, keys, eBPF, io_uring, userfaultfd, System V and POSIX queues, handles of files, clocks,
/// modules, sockets, and whatever a later kernel brings.
extension SystemCall {
  static let files: [SystemCall] = [
    SystemCall("read", 0, 63),
    SystemCall("write", 1, 64),
    SystemCall("close", 3, 57),
    SystemCall("fstat", 5, 80),
    SystemCall("lseek", 8, 62),
    SystemCall("pread64", 17, 67),
    SystemCall("pwrite64", 18, 68),
    SystemCall("readv", 19, 65),
    SystemCall("writev", 20, 66),
    SystemCall("preadv", 295, 69),
    SystemCall("pwritev", 296, 70),
    SystemCall("preadv2", 327, 286),
    SystemCall("pwritev2", 328, 287),
    SystemCall("pipe2", 293, 59),
    SystemCall("dup", 32, 23),
    SystemCall("dup3", 292, 24),
    SystemCall("fcntl", 72, 25),
    SystemCall("flock", 73, 32),
    SystemCall("fsync", 74, 82),
    SystemCall("fdatasync", 75, 83),
    SystemCall("truncate", 76, 45),
    SystemCall("ftruncate", 77, 46),
    SystemCall("fallocate", 285, 47),
    SystemCall("fadvise64", 221, 223),
    SystemCall("readahead", 187, 213),
    SystemCall("getdents64", 217, 61),
    SystemCall("getcwd", 79, 17),
    SystemCall("chdir", 80, 49),
    SystemCall("fchdir", 81, 50),
    SystemCall("mkdirat", 258, 34),
    SystemCall("unlinkat", 263, 35),
    SystemCall("symlinkat", 266, 36),
    SystemCall("readlinkat", 267, 78),
    SystemCall("linkat", 265, 37),
    SystemCall("renameat", 264, 38),
    SystemCall("renameat2", 316, 276),
    SystemCall("fchmod", 91, 52),
    SystemCall("fchmodat", 268, 53),
    SystemCall("fchown", 93, 55),
    SystemCall("fchownat", 260, 54),
    SystemCall("faccessat", 269, 48),
    SystemCall("faccessat2", 439, 439),
    SystemCall("openat", 257, 56),
    SystemCall("openat2", 437, 437),
    SystemCall("close_range", 436, 436),
    SystemCall("newfstatat", 262, 79),
    SystemCall("statx", 332, 291),
    SystemCall("statfs", 137, 43),
    SystemCall("fstatfs", 138, 44),
    SystemCall("utimensat", 280, 88),
    SystemCall("umask", 95, 166),
    SystemCall("sendfile", 40, 71),
    SystemCall("splice", 275, 76),
    SystemCall("tee", 276, 77),
    SystemCall("copy_file_range", 326, 285),
    SystemCall("getxattr", 191, 8),
    SystemCall("lgetxattr", 192, 9),
    SystemCall("fgetxattr", 193, 10),
    SystemCall("listxattr", 194, 11),
    SystemCall("flistxattr", 196, 13),
  ]

  /// As C libraries called them on x86_64 before they had folders' descriptors.
  static let olderFiles: [SystemCall] = [
    SystemCall("open", 2, nil),
    SystemCall("creat", 85, nil),
    SystemCall("stat", 4, nil),
    SystemCall("lstat", 6, nil),
    SystemCall("access", 21, nil),
    SystemCall("pipe", 22, nil),
    SystemCall("dup2", 33, nil),
    SystemCall("getdents", 78, nil),
    SystemCall("rename", 82, nil),
    SystemCall("mkdir", 83, nil),
    SystemCall("rmdir", 84, nil),
    SystemCall("link", 86, nil),
    SystemCall("unlink", 87, nil),
    SystemCall("symlink", 88, nil),
    SystemCall("readlink", 89, nil),
    SystemCall("chmod", 90, nil),
    SystemCall("chown", 92, nil),
    SystemCall("lchown", 94, nil),
    SystemCall("utime", 132, nil),
    SystemCall("utimes", 235, nil),
    SystemCall("futimesat", 261, nil),
  ]

  static let memory: [SystemCall] = [
    SystemCall("mmap", 9, 222),
    SystemCall("mprotect", 10, 226),
    SystemCall("munmap", 11, 215),
    SystemCall("brk", 12, 214),
    SystemCall("mremap", 25, 216),
    SystemCall("msync", 26, 227),
    SystemCall("mincore", 27, 232),
    SystemCall("madvise", 28, 233),
    SystemCall("mlock", 149, 228),
    SystemCall("munlock", 150, 229),
    SystemCall("mlock2", 325, 284),
    SystemCall("membarrier", 324, 283),
    SystemCall("memfd_create", 319, 279),
  ]

  static let processes: [SystemCall] = [
    SystemCall("getpid", 39, 172),
    SystemCall("getppid", 110, 173),
    SystemCall("gettid", 186, 178),
    SystemCall("getuid", 102, 174),
    SystemCall("geteuid", 107, 175),
    SystemCall("getgid", 104, 176),
    SystemCall("getegid", 108, 177),
    SystemCall("getresuid", 118, 148),
    SystemCall("getresgid", 120, 150),
    SystemCall("getgroups", 115, 158),
    SystemCall("getpgid", 121, 155),
    SystemCall("getsid", 124, 156),
    SystemCall("setsid", 112, 157),
    SystemCall("setpgid", 109, 154),
    SystemCall("getpgrp", 111, nil),
    SystemCall("fork", 57, nil),
    SystemCall("vfork", 58, nil),
    SystemCall("execve", 59, 221),
    SystemCall("execveat", 322, 281),
    SystemCall("wait4", 61, 260),
    SystemCall("waitid", 247, 95),
    SystemCall("exit", 60, 93),
    SystemCall("exit_group", 231, 94),
    SystemCall("kill", 62, 129),
    SystemCall("tkill", 200, 130),
    SystemCall("tgkill", 234, 131),
    SystemCall("pidfd_open", 434, 434),
    SystemCall("pidfd_send_signal", 424, 424),
    SystemCall("capget", 125, 90),
    SystemCall("getrusage", 98, 165),
    SystemCall("times", 100, 153),
    SystemCall("getrlimit", 97, 163),
    SystemCall("getpriority", 140, 141),
    SystemCall("setpriority", 141, 140),
    SystemCall("sched_yield", 24, 124),
    SystemCall("sched_getaffinity", 204, 123),
    SystemCall("sched_setaffinity", 203, 122),
    SystemCall("sched_getparam", 143, 121),
    SystemCall("sched_getscheduler", 145, 120),
    SystemCall("sched_get_priority_max", 146, 125),
    SystemCall("sched_get_priority_min", 147, 126),
    SystemCall("sysinfo", 99, 179),
    SystemCall("uname", 63, 160),
    SystemCall("getcpu", 309, 168),
    SystemCall("getrandom", 318, 278),
    SystemCall("arch_prctl", 158, nil),
  ]

  static let signals: [SystemCall] = [
    SystemCall("rt_sigaction", 13, 134),
    SystemCall("rt_sigprocmask", 14, 135),
    SystemCall("rt_sigreturn", 15, 139),
    SystemCall("rt_sigpending", 127, 136),
    SystemCall("rt_sigtimedwait", 128, 137),
    SystemCall("rt_sigqueueinfo", 129, 138),
    SystemCall("rt_tgsigqueueinfo", 297, 240),
    SystemCall("rt_sigsuspend", 130, 133),
    SystemCall("sigaltstack", 131, 132),
    SystemCall("pause", 34, nil),
    SystemCall("restart_syscall", 219, 128),
  ]

  static let threads: [SystemCall] = [
    SystemCall("set_tid_address", 218, 96),
    SystemCall("set_robust_list", 273, 99),
    SystemCall("get_robust_list", 274, 100),
    SystemCall("rseq", 334, 293),
    SystemCall("futex", 202, 98),
    SystemCall("futex_waitv", 449, 449),
  ]

  static let time: [SystemCall] = [
    SystemCall("clock_gettime", 228, 113),
    SystemCall("clock_getres", 229, 114),
    SystemCall("clock_nanosleep", 230, 115),
    SystemCall("nanosleep", 35, 101),
    SystemCall("gettimeofday", 96, 169),
    SystemCall("time", 201, nil),
    SystemCall("alarm", 37, nil),
    SystemCall("timer_create", 222, 107),
    SystemCall("timer_settime", 223, 110),
    SystemCall("timer_gettime", 224, 108),
    SystemCall("timer_getoverrun", 225, 109),
    SystemCall("timer_delete", 226, 111),
    SystemCall("setitimer", 38, 103),
    SystemCall("getitimer", 36, 102),
    SystemCall("timerfd_create", 283, 85),
    SystemCall("timerfd_settime", 286, 86),
    SystemCall("timerfd_gettime", 287, 87),
  ]

  static let events: [SystemCall] = [
    SystemCall("poll", 7, nil),
    SystemCall("ppoll", 271, 73),
    SystemCall("select", 23, nil),
    SystemCall("pselect6", 270, 72),
    SystemCall("epoll_create", 213, nil),
    SystemCall("epoll_create1", 291, 20),
    SystemCall("epoll_ctl", 233, 21),
    SystemCall("epoll_wait", 232, nil),
    SystemCall("epoll_pwait", 281, 22),
    SystemCall("epoll_pwait2", 441, 441),
    SystemCall("eventfd", 284, nil),
    SystemCall("eventfd2", 290, 19),
    SystemCall("inotify_init", 253, nil),
    SystemCall("inotify_init1", 294, 26),
    SystemCall("inotify_add_watch", 254, 27),
    SystemCall("inotify_rm_watch", 255, 28),
    SystemCall("signalfd", 282, nil),
    SystemCall("signalfd4", 289, 74),
  ]

  /// On pairs of connected sockets, which have no address: `run` only.
  static let sockets: [SystemCall] = [
    SystemCall("sendto", 44, 206),
    SystemCall("recvfrom", 45, 207),
    SystemCall("sendmsg", 46, 211),
    SystemCall("recvmsg", 47, 212),
    SystemCall("sendmmsg", 307, 269),
    SystemCall("recvmmsg", 299, 243),
    SystemCall("shutdown", 48, 210),
    SystemCall("getsockname", 51, 204),
    SystemCall("getpeername", 52, 205),
    SystemCall("getsockopt", 55, 209),
    SystemCall("setsockopt", 54, 208),
  ]

  /// Let through for some arguments (`SeccompProgram`).
  static let clone = SystemCall("clone", 56, 220)
  static let clone3 = SystemCall("clone3", 435, 435)
  static let ioctl = SystemCall("ioctl", 16, 29)
  static let prctl = SystemCall("prctl", 157, 167)
  static let prlimit = SystemCall("prlimit64", 302, 261)
  static let personality = SystemCall("personality", 135, 92)
  static let mknod = SystemCall("mknod", 133, nil)
  static let mknodat = SystemCall("mknodat", 259, 33)
  static let socketpair = SystemCall("socketpair", 53, 199)
}
