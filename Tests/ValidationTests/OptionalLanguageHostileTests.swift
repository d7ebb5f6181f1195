import Domain
import Testing

@testable import Validation

/// Code that attacks the tools which read it: each gets the verdict FAILED, within what tools may use, and the
/// next submission is judged as if nothing had been.
@Suite struct OptionalLanguageHostileTests {
  struct Bomb: Sendable, CustomTestStringConvertible {
    var language: String
    var name: String
    var code: String
    var testDescription: String { "\(language): \(name)" }
  }

  static let bombs: [Bomb] = [
    Bomb(
      language: "swift", name: "an expression whose types take for ever",
      code: """
        struct A<T> { init(_ t: T) {} }
        func + <T, U>(l: A<T>, r: A<U>) -> A<(T, U)> { fatalError() }
        func + <T>(l: A<T>, r: Int) -> A<T> { l }
        func + <T>(l: Int, r: A<T>) -> A<T> { r }
        func + <T>(l: A<T>, r: String) -> A<T> { l }
        let x: A<Int> = \((0..<24).map { "A([\($0), 1.5 as Double?, nil])" }.joined(separator: " + 1 + \"a\" + "))

        """),
    Bomb(
      language: "swift", name: "types that double",
      code: """
        struct P<T, U> { var t: T; var u: U }
        func twice<T>(_ t: T) -> P<T, T> { P(t: t, u: t) }
        let x0 = 1
        \((1..<40).map { "let x\($0) = twice(x\($0 - 1))" }.joined(separator: "\n"))
        print(x39)

        """),
    Bomb(
      language: "swift", name: "deep brackets",
      code: "let x = " + String(repeating: "[", count: 100_000) + "\n"),
    Bomb(
      language: "rust", name: "macros that double",
      code: """
        #![recursion_limit = "1000000"]
        macro_rules! bomb { ($($x:tt)*) => { bomb!($($x)* $($x)* 1) } }
        fn main() { bomb!(1 2 3 4); }

        """),
    Bomb(
      language: "rust", name: "a constant that is never computed",
      code:
        "const X: u64 = { let mut x = 1u64; loop { x = x.wrapping_mul(3); if x == 0 { break; } } x };\nfn main() { println!(\"{}\", X); }\n"
    ),
    Bomb(
      language: "rust", name: "an enormous constant",
      code:
        "static X: [[u64; 1 << 20]; 1 << 12] = [[1; 1 << 20]; 1 << 12];\nfn main() { println!(\"{}\", X[1][1]); }\n"
    ),
    Bomb(
      language: "rust", name: "types that double",
      code: "fn f<T>(n: u32, t: T) { if n > 0 { f(n - 1, (&t, &t)) } }\nfn main() { f(100, 1); }\n"),
    Bomb(
      language: "go", name: "an array of a terabyte",
      code:
        "package main\n\nvar x [1 << 40]byte\n\nfunc main() { x[len(x)-1] = 1; println(x[0]) }\n"),
    Bomb(
      language: "go", name: "arrays with contents, of gigabytes",
      code: "package main\n\nvar x = [1 << 28]int{1<<28 - 1: 7}\n\nfunc main() { println(x[3]) }\n"),
    Bomb(
      language: "go", name: "a constant of many digits",
      code:
        "package main\n\nconst a = 1 << 500\nconst b = a * a * a * a * a * a * a * a\n\nfunc main() { println(b) }\n"
    ),
    Bomb(
      language: "java", name: "nested lambdas whose types take for ever",
      code: """
        import java.util.function.*;
        class Main {
          static <A, B> B with(A a, Function<A, B> f) { return f.apply(a); }
          static <A, B> B with(B a, BiFunction<A, B, B> f) { return a; }
          static Object x = \(String(repeating: "with(1, a -> ", count: 40))1\(String(repeating: ")", count: 40));
          public static void main(String[] args) { int x = "a"; }
        }

        """),
    Bomb(
      language: "java", name: "constants that double",
      code: """
        class Main {
          static final String A0 = "aaaaaaaaaaaaaaaa";
          \((1..<34).map { "static final String A\($0) = A\($0 - 1) + A\($0 - 1);" }.joined(separator: "\n  "))
          public static void main(String[] args) { System.out.println(A33.length()); }
        }

        """),
    Bomb(
      language: "java", name: "annotations in annotations",
      code: "@interface A { A[] value() default {}; }\n"
        + String(repeating: "@A(", count: 20_000) + String(repeating: ")", count: 20_000)
        + "\nclass Main { }\n"),
    Bomb(
      language: "typescript", name: "a type that refers to itself",
      code: """
        type Grow<T extends unknown[]> = T['length'] extends 900000 ? T : Grow<[...T, ...T, 1]>;
        const x: Grow<[1]> = 1;

        """),
    Bomb(
      language: "typescript", name: "unions that multiply",
      code: """
        type D = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
        type N = `${D}${D}${D}${D}${D}`;
        type M = { [K in N]: { [L in N]: K | L } };
        const x: M[N][N] = 1;
        function f<T extends M>(t: T): T[N][N] { return t as unknown as `${N}${N}`; }

        """),
    Bomb(
      language: "typescript", name: "deep brackets",
      code: "const x = " + String(repeating: "[", count: 200_000) + "\n"),
  ].filter { bomb in OptionalLanguages.present.contains { $0.language == bomb.language } }

  @Test(arguments: bombs)
  func `fails within what tools may use`(_ bomb: Bomb) async throws {
    let optional = try #require(OptionalLanguages.present.first { $0.language == bomb.language })
    let suite = TestSuite(
      language: bomb.language, kind: .stdio,
      tests: [ExpectedTest(id: "a", input: "1 2\n", output: "a text that no bomb writes")])
    let report = try await Judging.report(
      bomb.language, [optional.mainPath: bomb.code], suite: suite)
    #expect(report.verdict == .failed, "\(report.reason) \(report.stages)")
    #expect(!report.reason.isEmpty)
    #expect(report.diagnostics.count <= 200)
    let computed = report.runs.reduce(0) { $0 + $1.cpuMicroseconds }
    #expect(computed < 60_000_000, "\(report.runs)")
  }

  static let readers: [Bomb] = [
    Bomb(
      language: "rust", name: "a file of the host as a text",
      code: "const X: &str = include_str!(\"/etc/shadow\");\nfn main() { println!(\"{}\", X); }\n"),
    Bomb(
      language: "go", name: "a file of the host as a text",
      code:
        "package main\n\nimport _ \"embed\"\n\n//go:embed ../etc/shadow\nvar x string\n\nfunc main() { println(x) }\n"
    ),
    Bomb(
      language: "go", name: "C with flags of its own",
      code: "package main\n\n// #cgo CFLAGS: -include /etc/shadow\nimport \"C\"\n\nfunc main() {}\n"
    ),
    Bomb(
      language: "typescript", name: "a file of the host as a reference",
      code: "/// <reference path=\"/etc/shadow\" />\nconst x: number = 'a';\n"),
  ].filter { bomb in OptionalLanguages.present.contains { $0.language == bomb.language } }

  @Test(arguments: readers)
  func `a compiler reads no file of the host for it`(_ reader: Bomb) async throws {
    let optional = try #require(OptionalLanguages.present.first { $0.language == reader.language })
    let report = try await Judging.report(reader.language, [optional.mainPath: reader.code])
    #expect(report.verdict == .failed, "\(report)")
    #expect(!"\(report)".contains("root:"), "\(report)")
  }
}
