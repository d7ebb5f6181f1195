/// The keys of our advisory locks: "hito" in ASCII, and a number. Locks of sessions and of transactions
/// share one space, so that all of them are here, where two cannot be the same.
enum AdvisoryLockKey: Int64 {
  /// Of who migrates.
  case migrator = 0x6869_746f_0001
  /// Of who gives events their positions.
  case sequencer = 0x6869_746f_0002
  /// Of who makes the first admin.
  case firstAdmin = 0x6869_746f_0003
  /// Of who makes (shared) or revokes tokens: what is revoked with a token holds whatever is made with it
  /// meanwhile.
  case tokenFamilies = 0x6869_746f_0004
  /// Of who appends to the audit: entries have numbers without gaps.
  case audit = 0x6869_746f_0005
}
