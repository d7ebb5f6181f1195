import Documents
import Domain
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The encoding of a text` {
  private func text(
    _ bytes: [UInt8], as format: DocumentFormat = .plain
  ) throws -> (text: String, encoding: String?) {
    let read = try TextDecoding.utf8(bytes, as: format)
    return (String(decoding: read.bytes, as: UTF8.self), read.encoding)
  }

  private func latin(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
  }

  @Test func `is UTF-8 where it can be, and touched then in nothing`() throws {
    for bytes in ["", "abc", "Año €", "\u{feff}Año"].map({ Array($0.utf8) }) {
      for format in DocumentFormat.allCases {
        let read = try TextDecoding.utf8(bytes, as: format)
        #expect(read.bytes == bytes && read.encoding == nil)
      }
    }
    let page = Array("<meta charset=iso-8859-1><p>Año".utf8)
    #expect(try TextDecoding.utf8(page, as: .html).bytes == page)
  }

  @Test(
    arguments: [
      "Año: programación básica", "é", "¿Qué?\n", "CAFÉ» y más señales",
      "Grüße aus Köln, wo Straßen größer sind",
      "Voilà — déjà vu, garçon", "naïve", "«Ça»", "····· abc", "Señor Muñoz\tcomió\u{a0}aquí.\u{c}",
    ]) func `of the West is told from its letters`(original: String) throws
  {
    let bytes = latin(original.replacing("—", with: "\u{97}"))
    let (converted, encoding) = try text(bytes)
    #expect(converted == original)
    #expect(encoding?.contains("1252") == true && encoding?.contains("Latin-1") == true)
  }

  @Test func `of the West has the signs of Windows`() throws {
    #expect(try text([0x93, 0x61, 0x94, 0x20, 0x80, 0x85]).text == "“a” €…")
  }

  @Test(
    arguments: [
      [0xff, 0xd8, 0xff, 0xe0, 0x10, 0x4a, 0x46, 0x49, 0x46], [0x61, 0x00, 0xe9],
      [0x81, 0x61, 0x61],
      // Russian in Windows-1251, Japanese in Shift JIS.
      [0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, 0x20, 0xec, 0xe8, 0xf0, 0x20, 0x61, 0x62, 0x63],
      [0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea],
      // UTF-8 that is broken in one place.
      Array("Año programación".utf8) + [0xff] + Array("é".utf8), Array("añ".utf8) + [0xc3],
      [0xff, 0xfe, 0x61], [0xff, 0xfe, 0x00, 0xd8], [0xef, 0xbb, 0xbf, 0xff],
    ] as [[UInt8]]) func `that cannot be told is refused`(bytes: [UInt8])
  {
    #expect(throws: TextDecoding.Failure.self) { try TextDecoding.utf8(bytes, as: .plain) }
  }

  @Test func `is what its mark says`() throws {
    #expect(try text([0xff, 0xfe, 0x41, 0, 0xf1, 0]).text == "Añ")
    #expect(try text([0xfe, 0xff, 0, 0x41, 0, 0xf1]).encoding == "UTF-16BE")
    #expect(try text([0xff, 0xfe, 0x3d, 0xd8, 0x00, 0xde]).text == "😀")
    #expect(try text([0xff, 0xfe, 0, 0, 0xf1, 0, 0, 0]).text == "ñ")
    #expect(try text([0, 0, 0xfe, 0xff, 0, 0, 0, 0xf1]).text == "ñ")
  }

  @Test(
    arguments: [
      ("<meta charset=\"ISO-8859-1\">", [0xf1], "ñ"),
      ("<META charset = windows-1251 >", [0xcf, 0xf0], "Пр"),
      ("<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>", [0xf0, 0xd2], "Пр"),
      ("<?xml version='1.0' encoding=\"iso-8859-2\"?>", [0xb1], "ą"),
      ("<meta charset=latin1>", [0x80], "€"),
      ("<!-- <meta charset=koi8-r> --><meta name=x><meta charset=shift_jis>", [0x93, 0xfa], "日"),
      ("<meta charset=gbk>", [0xc4, 0xe3], "你"), ("<meta charset=iso-8859-15>", [0xa4], "€"),
      ("<meta charset=utf-8>", [0xf1], "ñ"),
    ] as [(String, [UInt8], String)])
  func `of a page is what the page says`(head: String, bytes: [UInt8], expected: String) throws {
    let (converted, encoding) = try text(Array("\(head)<p>abc ".utf8) + bytes, as: .html)
    #expect(converted == "\(head)<p>abc \(expected)" && encoding != nil)
  }

  @Test func `of a page that nobody knows, or that it is not in, is named`() {
    for (head, why) in [("<meta charset=x-nada>", "x-nada"), ("<meta charset=euc-jp>", "EUC-JP")] {
      #expect {
        try TextDecoding.utf8(Array(head.utf8) + [0xff, 0xff], as: .html)
      } throws: { ($0 as? TextDecoding.Failure)?.reason.contains(why) == true }
    }
  }

  @Test func `knows UTF-16 without a mark by its zeros`() throws {
    for text in ["Año: programación\nbásica", "Привет мир\nи ещё строка", "hello"] {
      let big = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
      let little = text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
      for (bytes, name) in [(big, "UTF-16BE"), (little, "UTF-16LE")] {
        let read = try TextDecoding.utf8(bytes, as: .plain)
        #expect(read.encoding == name && String(decoding: read.bytes, as: UTF8.self) == text)
      }
    }
    let binary: [[UInt8]] = [
      [0x61, 0, 0x62], [0, 0, 0, 0], [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0], [0x61, 0, 0, 0x61],
      [0x61, 0, 1, 0, 2, 0], [0x00, 0xd8, 0x61, 0],
    ]
    for bytes in binary {
      let read = try? TextDecoding.utf8(bytes, as: .plain)
      #expect(read == nil || read?.encoding == nil)
    }
  }
}
