// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: imports are internal unless a file says otherwise, and
/// existentials are spelled out.
let swift: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

/// Where Arrow C++ may be: the folders that `make setup` installs into. Folders that are not there
/// do no harm. Flags instead of pkg-config, because SwiftPM drops the run path of .pc files; and a
/// default, so that a plain `swift build` works as well.
let arrowPrefixes =
  Context.environment["HITO_ARROW"].map { [$0] }
  ?? [Context.environment["HOME"].map { "\($0)/.local" }, "/usr/local"].compactMap { $0 }
  .map { "\($0)/lib/hito/arrow" }
let arrowIncludes = arrowPrefixes.flatMap { ["-isystem", "\($0)/include"] }
let arrowLibraries = arrowPrefixes.flatMap {
  ["-L\($0)/lib", "-Xlinker", "-rpath", "-Xlinker", "\($0)/lib"]
}

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle: Target.Dependency = .product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let pluginLibrary: Target.Dependency = .product(
  name: "SwiftProtobufPluginLibrary", package: "swift-protobuf")

/// The program that libFuzzer drives, which has no `main` of its own: only where `make fuzz` builds it.
let fuzzers: [Target] =
  Context.environment["HITO_FUZZ"] == nil
  ? []
  : [
    .executableTarget(
      name: "hito-fuzz", dependencies: ["Fuzzing"], path: "Tests/Fuzz/Fuzzer",
      swiftSettings: swift + [.unsafeFlags(["-parse-as-library"])])
  ]

/// What runs inside the sandbox, in the languages that it judges; built into the program as it is.
let runners = [
  "cases.py",
  "children.py",
  "guard.py",
  "judge.py",
  "lines.py",
  "node.py",
  "node_jest.mjs",
  "node_preload.mjs",
  "node_reporter.mjs",
  "node_syntax.cjs",
  "node_turn.cjs",
  "node_turned.mjs",
  "steps.py",
  "suite.py",
  "suite_child.py",
  "suite_files.py",
  "turned.py",
  "turned_tools.py",
  "ts_build.cjs",
]

let package = Package(
  name: "hito",
  products: [
    .executable(name: "hito", targets: ["hito"]),
    .library(name: "HitoClient", targets: ["HitoClient"]),
    .executable(name: "hito-sandbox", targets: ["hito-sandbox"]),
    .executable(name: "protoc-gen-hito", targets: ["protoc-gen-hito"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0"),
  ],
  targets: [
    // The layers are drawn in docs/architecture.md; `make check` compares.

    // C
    .target(name: "CProtobufC", linkerSettings: [.linkedLibrary("protobuf-c")]),
    .target(
      name: "CMessages", dependencies: ["CProtobufC"], path: "Sources/Generated/CMessages"),
    .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .target(
      name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
    .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
    // libssl for the system's trust store, which the library does not ask for.
    .target(
      name: "CRabbitMQ", linkerSettings: [.linkedLibrary("rabbitmq"), .linkedLibrary("ssl")]),
    .target(
      name: "CArrow",
      cxxSettings: [.unsafeFlags(arrowIncludes)],
      linkerSettings: [
        .unsafeFlags(arrowLibraries),
        .linkedLibrary("parquet"), .linkedLibrary("arrow"),
      ]),
    .target(name: "CToml"),
    .systemLibrary(name: "CMd4c", providers: [.apt(["libmd4c-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    // Arithmetic: optimized in every configuration, or debug builds take seconds per text.
    .target(
      name: "CEmbed", cSettings: [.unsafeFlags(["-O3"])],
      linkerSettings: [.linkedLibrary("m")]),

    .target(name: "CSandbox"),
    // The launcher of sandboxes: a program of its own, so that the server never forks.
    .executableTarget(
      name: "hito-sandbox", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])],
      linkerSettings: [.unsafeFlags(["-static-executable"])]),

    // L1: import nothing but C, and each other
    .target(name: "OpenSSL", dependencies: ["COpenSSL"], swiftSettings: swift),
    .target(name: "Digits", swiftSettings: swift),
    .target(name: "Threads", swiftSettings: swift),
    .target(name: "TOML", dependencies: ["CToml"], swiftSettings: swift),
    .target(name: "Logs", dependencies: [logging], swiftSettings: swift),
    .target(name: "HTTPClient", dependencies: ["Threads", "CCurl"], swiftSettings: swift),
    .target(name: "JSON", swiftSettings: swift),
    .target(name: "Wire", swiftSettings: swift),
    .target(name: "Deflate", dependencies: ["CZlib"], swiftSettings: swift),
    .target(name: "Domain", dependencies: ["Digits", "JSON"], swiftSettings: swift),

    // L2: engines over ports; they import no contract
    .target(
      name: "Retrieval", dependencies: ["Domain", "Logs", "OpenSSL", logging], swiftSettings: swift),
    .target(name: "Writes", dependencies: ["Domain", "JSON", "Retrieval"], swiftSettings: swift),
    .target(
      name: "Replay", dependencies: ["Digits", "Domain", "OpenSSL", "Retrieval"],
      swiftSettings: swift),
    .target(
      name: "Agents",
      dependencies: ["Domain", "Digits", "JSON", "Logs", "Retrieval", "Writes", logging],
      swiftSettings: swift),
    .target(
      name: "EventLog", dependencies: ["Domain", "Logs", "OpenSSL", logging], swiftSettings: swift),
    .target(
      name: "Validation", dependencies: ["Domain", "JSON", "OpenSSL", logging],
      resources: runners.map { .embedInCode("Runners/\($0)") }, swiftSettings: swift),

    // L2: the contract
    .target(
      name: "RPC", dependencies: ["Wire", "Logs", logging, tracing], swiftSettings: swift),
    .target(
      name: "Contract", dependencies: ["RPC", "CMessages", "CProtobufC"], swiftSettings: swift),

    // One technology or concern each; siblings never import each other
    .target(
      name: "Transport",
      dependencies: ["Wire", "RPC", "Deflate", "Logs", "OpenSSL", nioCore, nioPosix, logging],
      swiftSettings: swift),
    .target(
      name: "PostgresStore",
      dependencies: ["Domain", "Digits", "JSON", "Logs", "Threads", "CLibPQ", logging],
      swiftSettings: swift),
    .target(
      name: "EventLake",
      dependencies: ["Domain", "Digits", "JSON", "Logs", "Threads", "CArrow", logging],
      swiftSettings: swift),
    .target(
      name: "Broker",
      dependencies: ["Domain", "JSON", "Logs", "Threads", "CRabbitMQ", logging],
      swiftSettings: swift),
    .target(
      name: "Models",
      dependencies: [
        "Domain", "JSON", "Logs", "Threads", "CEmbed", "HTTPClient", "OpenSSL", logging,
      ],
      swiftSettings: swift),
    .target(
      name: "Documents", dependencies: ["Domain", "TOML", "CMd4c", "CYAML"],
      swiftSettings: swift),
    .target(
      name: "Sandbox", dependencies: ["Domain", "Threads", "CSandbox"], swiftSettings: swift),
    .target(
      name: "Telemetry",
      dependencies: [
        "Domain", "HTTPClient", "JSON", "Logs", "RPC", logging, metrics, tracing,
      ],
      swiftSettings: swift),
    .target(
      name: "Service",
      dependencies: [
        "Agents", "Digits", "Domain", "EventLog", "JSON", "Logs", "Retrieval", "Writes", "RPC",
        "Contract", "OpenSSL", "Validation", logging,
      ],
      swiftSettings: swift),
    .target(
      name: "HitoClient", dependencies: ["Transport", "Contract", "RPC", "Wire", "OpenSSL"],
      swiftSettings: swift),

    .target(name: "DescriptorJSON", dependencies: ["Digits", "JSON"], swiftSettings: swift),

    // L4
    .executableTarget(
      name: "hito",
      dependencies: [
        "Agents", "Domain", "EventLog", "JSON", "Replay", "Retrieval", "RPC", "Contract", "OpenSSL",
        "Transport", "PostgresStore", "EventLake", "Broker", "Models", "Documents", "Sandbox",
        "Service",
        "Telemetry",
        "Validation",
        "HitoClient", "DescriptorJSON", "TOML", argumentParser,
        lifecycle,
        unixSignals,
        logging, metrics, tracing,
      ],
      swiftSettings: swift),

    // The generator
    .target(name: "CodeGen", dependencies: [pluginLibrary, protobuf], swiftSettings: swift),
    .executableTarget(
      name: "protoc-gen-hito", dependencies: ["CodeGen"], swiftSettings: swift),

    // Tests
    .target(name: "SeededRandom", path: "Tests/SeededRandom", swiftSettings: swift),
    .testTarget(
      name: "hitoTests",
      dependencies: [
        "hito", "Contract", "Domain", "PostgresStore", "Replay", "RPC", "Wire", "JSON",
        "DescriptorJSON",
        "TestSupport", "Transport", argumentParser, logging,
      ],
      swiftSettings: swift),
    .testTarget(name: "DigitsTests", dependencies: ["Digits"], swiftSettings: swift),
    .testTarget(name: "LogsTests", dependencies: ["Logs", logging], swiftSettings: swift),
    .testTarget(name: "ThreadsTests", dependencies: ["Threads"], swiftSettings: swift),
    .testTarget(
      name: "DeflateTests", dependencies: ["Deflate", "SeededRandom"], swiftSettings: swift),
    .testTarget(
      name: "WireTests", dependencies: ["Wire", "SeededRandom"], swiftSettings: swift),
    .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: swift),
    .testTarget(
      name: "DomainTests", dependencies: ["Domain", "JSON", "SeededRandom"], swiftSettings: swift),
    .testTarget(
      name: "WritesTests",
      dependencies: ["Writes", "Domain", "InMemoryStore", "Retrieval"],
      swiftSettings: swift),
    .testTarget(
      name: "RetrievalTests", dependencies: ["Retrieval", "Domain", logging], swiftSettings: swift),
    .testTarget(
      name: "AgentsTests", dependencies: ["Agents", "Domain", "JSON", "Retrieval", "SeededRandom"],
      swiftSettings: swift),
    .testTarget(
      name: "ValidationTests",
      dependencies: [
        "Validation", "Domain", "JSON", "Sandbox", "SeededRandom", logging,
      ],
      exclude: ["Exercises"], swiftSettings: swift),
    .testTarget(
      name: "EventLogTests",
      dependencies: ["EventLog", "Domain", "SeededRandom"], swiftSettings: swift),
    .testTarget(
      name: "RPCTests",
      dependencies: [
        "RPC", "Wire", logging, tracing,
        .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
      ],
      swiftSettings: swift),
    .testTarget(
      name: "TelemetryTests",
      dependencies: [
        "Telemetry", "Domain", "JSON", "RPC", metrics, tracing,
      ],
      swiftSettings: swift),
    .testTarget(
      name: "ContractTests", dependencies: ["Contract", "RPC"], swiftSettings: swift),
    .testTarget(
      name: "TransportTests",
      dependencies: [
        "Transport", "RPC", "SeededRandom", "Wire", "OpenSSL", nioCore, nioPosix, nioEmbedded,
        logging,
      ],
      swiftSettings: swift),
    .testTarget(
      name: "PostgresStoreTests",
      dependencies: [
        "PostgresStore", "Agents", "Domain", "EventLake", "EventLog", "InMemoryStore", "Retrieval",
        "TestSupport", "JSON", "SeededRandom", "cluster-probe", logging,
      ],
      swiftSettings: swift),
    .target(
      name: "TestSupport", dependencies: ["PostgresStore", logging], path: "Tests/Support",
      exclude: ["model_server.py"], swiftSettings: swift),
    .executableTarget(
      name: "cluster-probe", dependencies: ["PostgresStore", logging],
      path: "Tests/ClusterProbe", swiftSettings: swift),
    .executableTarget(
      name: "conformance-client", dependencies: ["HitoClient", "JSON"],
      path: "Tests/Conformance/adapters/SwiftClient", swiftSettings: swift),
    .testTarget(
      name: "EventLakeTests", dependencies: ["EventLake", "Domain", logging],
      swiftSettings: swift),
    .testTarget(
      name: "BrokerTests", dependencies: ["Broker", "Domain", "JSON", "SeededRandom"],
      swiftSettings: swift),
    .testTarget(
      name: "ModelsTests",
      dependencies: ["CEmbed", "Models", "Domain", "JSON", "OpenSSL", logging, nioCore, nioPosix],
      exclude: ["Vectors"], swiftSettings: swift),
    .testTarget(
      name: "HTTPClientTests", dependencies: ["HTTPClient", "OpenSSL", nioCore, nioPosix],
      swiftSettings: swift),
    .testTarget(
      name: "OpenSSLTests", dependencies: ["OpenSSL"], swiftSettings: swift),
    .testTarget(
      name: "SandboxTests",
      dependencies: ["Sandbox", "Domain"], exclude: ["Hostile"],
      swiftSettings: swift),
    .testTarget(
      name: "DocumentsTests", dependencies: ["Documents", "Domain", "Retrieval"],
      swiftSettings: swift),
    .target(
      name: "InMemoryStore", dependencies: ["Domain"], path: "Tests/InMemoryStore",
      swiftSettings: swift),
    .testTarget(
      name: "ServiceTests",
      dependencies: [
        "Service", "Agents", "Documents", "Domain", "EventLog", "Retrieval", "Contract",
        "RPC", "Wire", "InMemoryStore", "SeededRandom",
        logging,
      ],
      swiftSettings: swift),
    .testTarget(
      name: "HitoClientTests",
      dependencies: [
        "HitoClient", "Domain", "EventLog", "RPC", "Service", "OpenSSL", "Transport",
        "InMemoryStore", logging,
      ],
      swiftSettings: swift),
    .testTarget(
      name: "DescriptorJSONTests", dependencies: ["DescriptorJSON", "JSON", "SeededRandom"],
      exclude: ["Vectors"],
      swiftSettings: swift),
    .testTarget(name: "CodeGenTests", dependencies: ["CodeGen"], swiftSettings: swift),
    .target(
      name: "CFixtureMessages", dependencies: ["CMessages"],
      path: "Tests/Fixtures/CFixtureMessages"),
    .testTarget(
      name: "CodecTests",
      dependencies: ["Contract", "RPC", "CProtobufC", "CFixtureMessages"],
      swiftSettings: swift),

    // Fuzzing and simulation: what is done with an input or a seed, for tests and for programs
    .target(
      name: "CFuzzGuard", dependencies: ["CProtobufC", "CFixtureMessages"],
      path: "Tests/Fuzz/Guard", exclude: ["libfuzzer.c", "run.sh"]),
    .target(
      name: "Fuzzing",
      dependencies: [
        "CFuzzGuard", "Contract", "Documents", "Domain", "JSON", "OpenSSL", "RPC", "SeededRandom",
        "Service", "Transport", "Wire", nioCore, nioEmbedded, logging,
      ],
      path: "Tests/Fuzz/Fuzzing", swiftSettings: swift),
    .testTarget(
      name: "FuzzingTests", dependencies: ["Fuzzing", "RPC"], swiftSettings: swift),
    .executableTarget(
      name: "hito-simulate", dependencies: ["Fuzzing", argumentParser],
      path: "Tests/Fuzz/Simulate", swiftSettings: swift),

    .executableTarget(
      name: "exercism-check",
      dependencies: ["Validation", "Domain", "Sandbox", argumentParser, logging],
      path: "Tests/Exercism", swiftSettings: swift),

    // Benchmarks: programs that see of Hito only what every client sees
    .target(
      name: "BenchmarkSupport", dependencies: ["HitoClient", argumentParser],
      path: "Tests/Benchmarks/BenchmarkSupport", swiftSettings: swift),
    .executableTarget(
      name: "SandboxBench",
      dependencies: ["BenchmarkSupport", "Sandbox", "Domain", argumentParser],
      path: "Tests/Benchmarks/SandboxBench", swiftSettings: swift),
    .executableTarget(
      name: "StreamServer", dependencies: ["Contract", "OpenSSL", "RPC", "Transport", logging],
      path: "Tests/Benchmarks/StreamServer", swiftSettings: swift),
    .executableTarget(
      name: "ValidationBench",
      dependencies: [
        "BenchmarkSupport", "Validation", "Domain", "Sandbox", argumentParser, logging,
      ],
      path: "Tests/Benchmarks/ValidationBench", swiftSettings: swift),
  ]
    + ["RPCBench", "StoreBench", "RetrievalBench", "LakeBench", "GroupsBench"].map { name in
      .executableTarget(
        name: name, dependencies: ["BenchmarkSupport", "HitoClient", argumentParser],
        path: "Tests/Benchmarks/\(name)", swiftSettings: swift)
    } + fuzzers,
  cxxLanguageStandard: .cxx20
)
