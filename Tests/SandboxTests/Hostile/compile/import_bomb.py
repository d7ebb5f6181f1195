# expect: any
# compile: python3
# A module that imports copies of itself.
import os, sys
n = int(os.environ.get("N", "0"))
open(f"m{n}.py", "w").write(open(__file__).read())
os.environ["N"] = str(n + 1)
__import__(f"m{n}")
