"""Runs the battery: python3 tests/battery/run.py [--against scrollgate|nginx|haproxy]
[--only requests|responses] [--case NAME] [--verbose]. Ends with 1 if a case has no due outcome."""
import argparse
import pathlib
import queue
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import cases        # noqa: E402
import judge        # noqa: E402
import peers        # noqa: E402

LANES = 4


def play(kind, against="scrollgate", only=None):
    """The verdicts of all cases of `kind`, in the file's order, and what the proxy's end said."""
    wanted = [c for c in cases.load(kind) if only is None or only in (c.name, c.group)]
    lanes = [judge.Lane() for _ in range(LANES)]
    proxy = peers.start(against, lanes)
    todo = queue.SimpleQueue()
    for index, case in enumerate(wanted):
        todo.put((index, case))
    verdicts = [None] * len(wanted)
    one = judge.judge_request if kind == "requests" else judge.judge_response

    def work(lane):
        while True:
            try:
                index, case = todo.get_nowait()
            except queue.Empty:
                return
            try:
                verdicts[index] = one(lane, case)
            except Exception as problem:
                verdicts[index] = judge.Verdict(case, seen=f"could not be judged: {problem!r}")
    threads = [threading.Thread(target=work, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    problem = proxy.close()
    for lane in lanes:
        lane.origin.close()
    return verdicts, problem


def table(verdicts):
    """One line per class: how many cases had a due outcome."""
    groups = {}
    for verdict in verdicts:
        good, total = groups.get(verdict.case.group, (0, 0))
        groups[verdict.case.group] = (good + verdict.ok, total + 1)
    lines = [f"  {name:<20} {good:>3} of {total}" for name, (good, total) in groups.items()]
    good, danger = sum(v.ok for v in verdicts), sum(bool(v.danger) for v in verdicts)
    lines.append(f"  {'all':<20} {good:>3} of {len(verdicts)}, {danger} dangerous")
    return "\n".join(lines)


def failures(verdicts):
    return [f"{v.case.group}/{v.case.name}: due {v.case.text}; saw {v.seen}"
            + (f"; DANGER {'; '.join(v.danger)}" if v.danger else "")
            for v in verdicts if not v.ok]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", default="scrollgate",
                        choices=["scrollgate", "nginx", "haproxy"])
    parser.add_argument("--only", choices=["requests", "responses"])
    parser.add_argument("--case", help="one case or one class")
    parser.add_argument("--verbose", action="store_true", help="print every case")
    options = parser.parse_args()
    bad = 0
    for kind in [options.only] if options.only else ["requests", "responses"]:
        started = time.monotonic()
        verdicts, problem = play(kind, options.against, options.case)
        print(f"{kind} against {options.against}, {time.monotonic() - started:.1f} s")
        print(table(verdicts))
        for line in failures(verdicts):
            print(" -", line)
        if options.verbose:
            for verdict in verdicts:
                print("  ", verdict.case.name, "->", verdict.seen)
        if problem:
            print(problem)
        bad += sum(not v.ok for v in verdicts) + bool(problem)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
