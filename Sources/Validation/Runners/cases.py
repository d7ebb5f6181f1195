"""Runs a program once for each case: what it writes goes to Hito, which alone knows what it should."""

import binascii


def main():
    report = Report()
    seal()
    job = spec()
    report.line(begin=True)
    for index, case in enumerate(job["cases"]):
        argv = job["command"] + case.get("arguments", [])

        def start(argv=argv):
            os.chdir(job.get("folder", FOLDER))
            os.execvpe(argv[0], argv, os.environ)

        outcome = run_child(
            start, wall=job["wall"], cpu=job["cpu"], limit=job["limit"],
            stdin=case["input"].encode(), end_at_limit=True,
        )
        # Nothing that one case left running meets the next one.
        end_children()
        outcome["out"] = binascii.b2a_base64(outcome["out"], newline=False).decode()
        outcome["err"] = text(outcome["err"], 4000)
        report.line(case=index, **outcome)
    report.line(end=True)


main()
