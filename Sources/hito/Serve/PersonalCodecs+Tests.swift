#if DEBUG
  import Domain
  import Glibc

  extension PersonalCodecs {
    /// Hides what is personal, and with `forgotten` does not find it again; nothing without the variable.
    static func useWhatTestsSay() {
      guard let wish = getenv("HITO_TEST_PERSONAL_CODEC") else { return }
      use(MarkingCodec(hasKeys: String(cString: wish) != "forgotten"))
    }
  }
#endif
