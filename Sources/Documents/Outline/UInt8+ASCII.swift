/// Bytes of UTF-8 as HTML sees them.
extension UInt8 {
  var isHTMLSpace: Bool {
    self == 0x20 || self == 0x0a || self == 0x09 || self == 0x0d || self == 0x0c
  }
  var isASCIILetter: Bool { (0x61...0x7a).contains(self | 0x20) }
  var isASCIIDigit: Bool { (0x30...0x39).contains(self) }
  var asciiLowercased: UInt8 { (0x41...0x5a).contains(self) ? self | 0x20 : self }
}
