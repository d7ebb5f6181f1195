// The Swift client as a program under test of Tests/Conformance/runner.py: see docs/conformance.md for the lines.
import Glibc
import JSON

let adapter = Adapter()
while let line = readLine() {
  guard let request = JSONValue(parsing: line), let id = request["id"]?.integerValue else {
    exit(65)
  }
  adapter.take(request, id: id)
}
exit(0)
