import Domain
import Testing

@testable import Validation

/// A compiled language whose tools need not be installed: what its tests hand in.
struct OptionalLanguage: Sendable, CustomTestStringConvertible {
  var language: String
  /// Reads two numbers and writes their sum; the first file is the main one.
  var adder: [(path: String, code: String)]
  /// The text of the addition in it.
  var sum = "a + b"
  /// A program in several files and, where the language has them, folders.
  var several: [(path: String, code: String)]
  /// What does not parse, and where.
  var broken: (code: String, line: Int, column: Int)
  /// What does not fit together although it parses, and where.
  var misfit: (code: String, line: Int, column: Int)
  /// What a compiler warns of, where, and its name for it.
  var warned: (code: String, line: Int, column: Int, rule: String)?
  var crash: String
  var loop: String
  var hog: String
  /// Code under test, and a runner of a suite of kind `protocol` that is built with it: it says that `greets`
  /// passed where the code greets.
  var greeting: (path: String, code: String)
  var runner: (path: String, code: String)
  var command = ["./.hito/product"]

  var testDescription: String { language }
  var mainPath: String { adder[0].path }
  var name: String { language }
}

/// The languages whose tools this machine has: their tests run, and no others. The tests say which.
enum OptionalLanguages {
  static let present: [OptionalLanguage] = {
    let toolchain = Toolchain.found()
    let all = [swift, go, rust, java, typescript]
    let present = all.filter { optional in
      Language(optional.language).map { toolchain.has($0.needs + $0.builds) } ?? false
    }
    let missing = all.map(\.language).filter { name in !present.contains { $0.language == name } }
    print(
      "Languages judged with their own tools: \(present.map(\.language).joined(separator: ", "))"
        + (missing.isEmpty ? "" : "; not installed: \(missing.joined(separator: ", "))"))
    return present
  }()
}

extension OptionalLanguages {
  static let swift = OptionalLanguage(
    language: "swift",
    adder: [
      (
        "main.swift",
        """
        let numbers = (readLine() ?? "").split(separator: " ").compactMap { Int($0) }
        let (a, b) = (numbers[0], numbers[1])
        print(a + b)

        """
      )
    ],
    several: [
      (
        "main.swift", "import Foundation\nlet adder = Adder(readLine() ?? \"\")\nprint(adder.sum)\n"
      ),
      (
        "model/Adder.swift",
        "struct Adder {\n  let sum: Int\n  init(_ line: String) { sum = line.split(separator: \" \").compactMap { Int($0) }.reduce(0, +) }\n}\n"
      ),
    ],
    broken: ("let ñ = \"😀\"; let x = (1\n", 2, 1),
    misfit: ("let ñ = \"😀\"; let x: Int = ñ\n", 1, 27),
    warned: ("/* ñ😀 */ func f() { let unused = 2 }\n", 1, 25, ""),
    crash: "let a: [Int] = []\nprint(a[Int(readLine() ?? \"\")! + 1])\n",
    loop: "var x = 1\nwhile true { x &+= 1 }\n",
    hog:
      "var all: [[UInt8]] = []\nwhile true { all.append([UInt8](repeating: 1, count: 1 << 20)) }\n",
    greeting: ("Greeter.swift", "func greet(_ name: String) -> String { \"Hola, \\(name)\" }\n"),
    runner: (
      "main.swift",
      """
      import Glibc
      let status = greet("Ana") == "Hola, Ana" ? "pass" : "fail"
      let line = "{\\"test\\": \\"greets\\", \\"status\\": \\"\\(status)\\"}\\n"
      _ = line.withCString { write(3, $0, strlen($0)) }

      """
    ))

  static let go = OptionalLanguage(
    language: "go",
    adder: [
      (
        "main.go",
        "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tvar a, b int\n\tfmt.Scan(&a, &b)\n\tfmt.Println(a + b)\n}\n"
      )
    ],
    several: [
      (
        "main.go",
        "package main\n\nimport (\n\t\"fmt\"\n\n\t\"submission/adder\"\n)\n\nfunc main() {\n\tvar a, b int\n\tfmt.Scan(&a, &b)\n\tshow(adder.Add(a, b))\n}\n"
      ),
      ("show.go", "package main\n\nimport \"fmt\"\n\nfunc show(x int) { fmt.Println(x) }\n"),
      (
        "adder/adder.go",
        "package adder\n\n// Add adds any two.\nfunc Add[T int | float64](a, b T) T { return a + b }\n"
      ),
    ],
    broken: ("package main\n\nfunc main() { var ñ = \"😀\" \"x\" }\n", 3, 27),
    misfit: ("package main\n\nfunc main() { ñ := \"😀\"; println(ñ, missing) }\n", 3, 36),
    warned: (
      "package main\n\nimport \"fmt\"\n\nfunc main() { ñ := \"😀\"; fmt.Printf(\"%d\\n\", ñ) }\n", 5,
      25,
      ""
    ),
    crash:
      "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tvar i int\n\tfmt.Scan(&i)\n\tfmt.Println([]int{}[i])\n}\n",
    loop: "package main\n\nfunc main() {\n\tfor x := 0; ; x++ {\n\t}\n}\n",
    hog:
      "package main\n\nfunc main() {\n\tvar all [][]byte\n\tfor {\n\t\tb := make([]byte, 1<<20)\n\t\tfor i := range b {\n\t\t\tb[i] = 1\n\t\t}\n\t\tall = append(all, b)\n\t}\n}\n",
    greeting: (
      "greeter/greeter.go",
      "package greeter\n\nfunc Greet(name string) string { return \"Hola, \" + name }\n"
    ),
    runner: (
      "run/main.go",
      """
      package main

      import (
      \t"fmt"
      \t"os"

      \t"submission/greeter"
      )

      func main() {
      \tstatus := "fail"
      \tif greeter.Greet("Ana") == "Hola, Ana" {
      \t\tstatus = "pass"
      \t}
      \tfmt.Fprintf(os.NewFile(3, "report"), "{\\"test\\": \\"greets\\", \\"status\\": \\"%s\\"}\\n", status)
      }

      """
    ))

  static let rust = OptionalLanguage(
    language: "rust",
    adder: [
      (
        "main.rs",
        """
        fn main() {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).unwrap();
            let n: Vec<i64> = line.split_whitespace().map(|x| x.parse().unwrap()).collect();
            let (a, b) = (n[0], n[1]);
            println!("{}", a + b);
        }

        """
      )
    ],
    several: [
      (
        "src/main.rs",
        "mod adder;\nfn main() {\n    let mut line = String::new();\n    std::io::stdin().read_line(&mut line).unwrap();\n    println!(\"{}\", adder::inner::sum(&line));\n}\n"
      ),
      ("src/adder/mod.rs", "pub mod inner;\n"),
      (
        "src/adder/inner.rs",
        "pub fn sum(line: &str) -> i64 {\n    line.split_whitespace().map(|x| x.parse::<i64>().unwrap()).sum()\n}\n"
      ),
    ],
    broken: ("fn main() { let ñ = \"😀\" 1; }\n", 1, 25),
    misfit: ("fn main() { let ñ = \"😀\"; let x: i32 = ñ; }\n", 1, 39),
    warned: ("/* ñ😀 */ fn main() { let unused = 2; }\n", 1, 26, "unused_variables"),
    crash:
      "fn main() {\n    let mut line = String::new();\n    std::io::stdin().read_line(&mut line).unwrap();\n    let a: Vec<i32> = vec![];\n    println!(\"{}\", a[line.len()]);\n}\n",
    loop:
      "fn main() {\n    let mut x = 1u64;\n    loop { x = x.wrapping_mul(3); if x == 2 { println!(\"{}\", x); } }\n}\n",
    hog: "fn main() {\n    let mut all = vec![];\n    loop { all.push(vec![1u8; 1 << 20]); }\n}\n",
    greeting: (
      "greeter.rs", "pub fn greet(name: &str) -> String { format!(\"Hola, {}\", name) }\n"
    ),
    runner: (
      "run.rs",
      """
      mod greeter;
      use std::io::Write;
      use std::os::unix::io::FromRawFd;
      fn main() {
          let status = if greeter::greet("Ana") == "Hola, Ana" { "pass" } else { "fail" };
          let mut report = unsafe { std::fs::File::from_raw_fd(3) };
          writeln!(report, "{{\\"test\\": \\"greets\\", \\"status\\": \\"{}\\"}}", status).unwrap();
      }

      """
    ))

  static let java = OptionalLanguage(
    language: "java",
    adder: [
      (
        "Main.java",
        "import java.util.Scanner;\n\npublic class Main {\n  public static void main(String[] args) {\n    Scanner in = new Scanner(System.in);\n    int a = in.nextInt(), b = in.nextInt();\n    System.out.println(a + b);\n  }\n}\n"
      )
    ],
    several: [
      (
        "org/hito/app/Main.java",
        "package org.hito.app;\n\nimport java.util.Scanner;\nimport org.hito.sums.Adder;\n\npublic class Main {\n  public static void main(String[] args) {\n    Scanner in = new Scanner(System.in);\n    System.out.println(new Adder(in.nextInt()).with(in.nextInt()));\n  }\n}\n"
      ),
      (
        "org/hito/sums/Adder.java",
        "package org.hito.sums;\n\npublic record Adder(int first) {\n  public int with(int other) { return first + other; }\n}\n"
      ),
    ],
    broken: ("class Main { String ñ = \"😀\" }\n", 1, 28),
    misfit: ("class Main {\n\tString ñ = \"😀\"; int x = ñ;\n}\n", 2, 26),
    warned: ("/* ñ😀 */ class Main { java.util.List all; }\n", 1, 32, "rawtypes"),
    crash:
      "public class Main {\n  public static void main(String[] args) {\n    System.out.println(args[args.length]);\n  }\n}\n",
    loop:
      "public class Main {\n  public static void main(String[] args) {\n    for (int x = 0; ; x++) { if (x == -5) x++; }\n  }\n}\n",
    hog:
      "import java.util.ArrayList;\n\npublic class Main {\n  public static void main(String[] args) {\n    var all = new ArrayList<byte[]>();\n    while (true) all.add(new byte[1 << 20]);\n  }\n}\n",
    greeting: (
      "Greeter.java",
      "public class Greeter {\n  public static String greet(String name) { return \"Hola, \" + name; }\n}\n"
    ),
    runner: (
      "Run.java",
      """
      public class Run {
        public static void main(String[] args) {
          String status = Greeter.greet("Ana").equals("Hola, Ana") ? "pass" : "fail";
          System.out.println("{\\"test\\": \\"greets\\", \\"status\\": \\"" + status + "\\"}");
        }
      }

      """
    ),
    // Java opens no descriptor by its number.
    command: ["/bin/sh", "-c", "exec java -Xmx64m -XX:+UseSerialGC -cp .hito/product Run >&3"])

  static let typescript = OptionalLanguage(
    language: "typescript",
    adder: [
      (
        "main.ts",
        "import { readFileSync } from 'node:fs';\nconst [a, b]: number[] = readFileSync(0, 'utf8').split(' ').map(Number);\nconsole.log(a + b);\n"
      )
    ],
    several: [
      (
        "main.ts",
        "import { readFileSync } from 'fs';\nimport { Adder } from './lib/adder';\nimport type { Numbers } from './lib/numbers';\nconst all: Numbers = readFileSync(0, 'utf8').split(' ').map(Number);\nconsole.log(new Adder(all).sum);\n"
      ),
      ("lib/numbers.ts", "export type Numbers = number[];\n"),
      (
        "lib/adder.ts",
        "import type { Numbers } from './numbers';\nexport class Adder {\n  readonly sum: number;\n  constructor(all: Numbers) { this.sum = all.reduce((a, b) => a + b, 0); }\n}\n"
      ),
    ],
    broken: ("const ñ = '😀'; const x = ;\n", 1, 26),
    misfit: ("const ñ = '😀'; const x: number = ñ;\n", 1, 22),
    warned: nil,
    crash: "const all: number[][] = [];\nconsole.log(all[0].length);\n",
    loop: "let x = 1;\nwhile (true) x = (x + 1) % 7;\n",
    hog:
      "const all: number[][] = [];\nwhile (true) all.push(new Array(1 << 17).fill(all.length + 0.5));\n",
    greeting: ("greeter.ts", "export const greet = (name: string): string => `Hola, ${name}`;\n"),
    runner: (
      "run.ts",
      """
      import { writeSync } from 'node:fs';
      import { greet } from './greeter';
      const status = greet('Ana') === 'Hola, Ana' ? 'pass' : 'fail';
      writeSync(3, JSON.stringify({ test: 'greets', status }) + '\\n');

      """
    ),
    command: ["node", "run.js"])
}
