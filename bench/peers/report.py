"""What the figures mean, and how they are shown: a table per scenario in the terminal, one table of
all in Markdown, everything in JSON.

A ratio is taken within a round, against the best peer of that round; shown is the median of the
rounds with the lowest and the highest.
"""

import json
import math
import statistics

from clouds import POLICIES
from recipes import LABELS, PEERS
from result import Result
from scenarios import ALL, BY_NAME

LESS, MORE = "less", "more"     # which way is better; None: neither

# figure -> (heading, factor, which way is better); {unit} is the scenario's.
FIGURES = {
    "rate": ("{unit}s/s", 1, MORE), "p50_us": ("p50 us", 1, LESS), "p99_us": ("p99 us", 1, LESS),
    "p999_us": ("p99.9 us", 1, LESS), "cpu_us": ("CPU us/{unit}", 1, LESS),
    "memory_mib": ("memory MiB", 1, LESS), "busy": ("core %", 100, None),
    "bytes_per_connection": ("bytes/connection", 1, LESS), "before_mib": ("before MiB", 1, None),
    "added_p50_us": ("added p50 us", 1, LESS), "added_p99_us": ("added p99 us", 1, LESS),
    "added_p999_us": ("added p99.9 us", 1, LESS), "direct_p50_us": ("direct p50 us", 1, None),
    "grown_kib": ("memory grew KiB", 1, LESS),
    "failed": ("failed", 1, LESS), "extra_ms": ("longest extra ms", 1, LESS),
    "slow": ("slow or failed", 1, None), "clean_s": ("clean after s", 1, LESS),
    "in_flight": ("in flight", 1, None),
    "get_failed": ("GET failed", 1, LESS), "get_extra_ms": ("GET longest extra ms", 1, LESS),
    "post_failed": ("POST failed", 1, LESS), "post_on_victims": ("POST on victims", 1, None),
    "share_before": ("share before %", 100, None), "share_later": ("share at 2 s %", 100, LESS),
    "share_end": ("share at end %", 100, None), "back_s": ("back after s", 1, LESS),
    "failed_after_return": ("failed since", 1, LESS),
    "unread": ("unread there", 1, None),
    "per_request": ("origin/client requests", 1, LESS), "mean_us": ("mean us", 1, LESS),
    "share_aws": ("2 ms cloud %", 100, None), "share_gcp": ("8 ms cloud %", 100, None),
    "share_azure": ("15 ms cloud %", 100, None),
    "off_mean_us": ("no cache mean us", 1, LESS), "off_p50_us": ("no cache p50 us", 1, LESS),
    "off_p99_us": ("no cache p99 us", 1, LESS), "warm_mean_us": ("warm mean us", 1, LESS),
    "warm_p50_us": ("warm p50 us", 1, LESS), "warm_p99_us": ("warm p99 us", 1, LESS),
    "asked": ("origin asked %", 100, LESS), "warm_asked": ("origin asked warm %", 100, LESS),
    "gain": ("p50 gain", 1, MORE), "warm_gain": ("warm p50 gain", 1, MORE),
    "purge_ms": ("purge ms", 1, LESS), "purge_most_ms": ("longest purge ms", 1, LESS),
    "calm_p50_us": ("calm p50 us", 1, None), "calm_p99_us": ("calm p99 us", 1, None),
    "calm_p999_us": ("calm p99.9 us", 1, None), "direct_p99_us": ("direct p99 us", 1, None),
    "direct_p999_us": ("direct p99.9 us", 1, None), "second": ("2nd thread %", 100, None),
    "origin_saw": ("origin requests", 1, LESS), "after_ms": ("last answer after ms", 1, LESS),
    "redis_us": ("Redis CPU us/{unit}", 1, LESS), "per_core": ("{unit}s/s per core", 1, MORE),
    "first_extra_us": ("extra p99 us, 1st s", 1, LESS),
    "later_extra_us": ("extra p99 us, later", 1, LESS), "open_ms": ("left alone after ms", 1, LESS),
    "distinct": ("distinct paths", 1, None), "former": ("hits before %", 100, None),
    "first_hits": ("hits in 1st s %", 100, MORE), "former_s": ("90 % of that after s", 1, LESS),
    "again": ("asked again", 1, LESS), "again_share": ("asked again %", 100, LESS),
    "everywhere_ms": ("everywhere after ms", 1, LESS),
    "everywhere_most_ms": ("at most ms", 1, LESS),
    "reclaimed_ms": ("out of Redis after ms", 1, LESS), "way_ms": ("there and back ms", 1, None),
    "required": ("required passed", 1, MORE), "optimal": ("optimal", 1, MORE),
    "surrogate": ("Surrogate-Control", 1, MORE), "check": ("checks: yes", 1, None),
}
# kind -> (columns of the terminal's table, those of them that README's table has)
SHOWN = {
    "closed": (("rate", "p50_us", "p99_us", "p999_us", "cpu_us", "memory_mib", "busy"),
               ("rate", "cpu_us")),
    "idle": (("bytes_per_connection", "before_mib", "memory_mib"), ("bytes_per_connection",)),
    "latency": (("added_p50_us", "added_p99_us", "added_p999_us", "direct_p50_us", "rate",
                 "p50_us", "p99_us", "p999_us", "cpu_us", "memory_mib"),
                ("added_p50_us", "added_p99_us")),
    "failover": (("failed", "extra_ms", "clean_s", "slow", "in_flight", "rate", "p50_us", "p99_us",
                  "p999_us", "cpu_us", "memory_mib"), ("failed", "extra_ms", "clean_s")),
    "generator": (("rate", "p50_us", "p99_us", "p999_us", "cpu_us", "memory_mib", "grown_kib"),
                  ("rate", "cpu_us")),
    "clouds": (("get_failed", "post_failed", "post_on_victims", "unread", "get_extra_ms", "clean_s",
                "share_before", "share_later", "share_end", "back_s", "failed_after_return",
                "per_request", "in_flight", "cpu_us"),
               ("get_failed", "post_failed", "get_extra_ms", "clean_s", "share_later")),
    "calm": (("per_request", "mean_us", "p50_us", "p99_us", "p999_us", "share_aws", "share_gcp",
              "share_azure", "failed", "rate", "cpu_us"),
             ("per_request", "mean_us", "p99_us")),
}
SHOWN["half"] = (("rate", "p50_us", "p99_us", "p999_us", "direct_p50_us", "direct_p99_us",
                  "direct_p999_us", "added_p999_us", "cpu_us", "memory_mib", "busy"),
                 ("p50_us", "p99_us", "p999_us"))
SHOWN["metadata"] = (("off_mean_us", "off_p50_us", "off_p99_us", "mean_us", "p50_us", "p99_us",
                      "warm_mean_us", "warm_p50_us", "warm_p99_us", "asked", "warm_asked", "gain",
                      "warm_gain"), ("mean_us", "p50_us", "p99_us", "warm_p99_us", "gain"))
SHOWN["simultaneous"] = (("origin_saw", "failed", "after_ms", "second"), ("origin_saw",))
SHOWN["purge"] = (("purge_ms", "purge_most_ms", "p50_us", "calm_p50_us", "p99_us", "calm_p99_us",
                   "p999_us", "calm_p999_us", "failed"), ("purge_ms", "p99_us"))
SHOWN["conformance"] = (("required", "optimal", "surrogate", "check"),
                        ("required", "optimal", "surrogate"))
SHOWN["tier"] = (("p50_us", "p99_us", "p999_us", "cpu_us", "redis_us", "per_core", "rate", "busy"),
                 ("p50_us", "p99_us", "cpu_us", "redis_us", "rate"))
SHOWN["trouble"] = (("first_extra_us", "later_extra_us", "extra_ms", "open_ms", "p99_us", "failed"),
                    ("first_extra_us", "later_extra_us", "extra_ms", "open_ms"))
SHOWN["cold"] = (("origin_saw", "distinct", "asked", "p50_us", "p99_us", "failed"),
                 ("origin_saw", "distinct", "p99_us"))
SHOWN["restart"] = (("former_s", "former", "first_hits", "asked", "failed"),
                    ("former_s", "first_hits", "asked"))
SHOWN["edge_lost"] = (("failed", "again", "again_share", "extra_ms", "p99_us", "asked"),
                      ("failed", "again", "extra_ms", "asked"))
SHOWN["fleet_purge"] = (("purge_ms", "everywhere_ms", "reclaimed_ms"),) * 2
SHOWN["far_purge"] = (("everywhere_ms", "everywhere_most_ms", "purge_ms", "way_ms"),) * 2
# Their rows are no subjects, and their tables in README their own.
OWN_TABLES = ("balance", "tier", "trouble", "cold", "restart", "edge_lost", "fleet_purge",
              "far_purge")
SHOWN["http2"] = SHOWN["handshakes"] = SHOWN["closed"]
SHOWN["balance"] = SHOWN["calm"]
# What others call a policy.
WORDS = {"haproxy least_requests": "leastconn", "haproxy round_robin": "roundrobin",
         "nginx least_requests": "least_conn"}
MARKS = ("<!-- figures -->\n", "<!-- /figures -->")


def label(name):
    """How a subject is called; of a policy ("nginx least_requests") the subject and its word."""
    subject, _, policy = name.partition(" ")
    return " ".join(filter(None, [LABELS.get(subject, subject), WORDS.get(name, policy)]))


def heading(figure, unit):
    return FIGURES[figure][0].format(unit=unit).replace("MiBs/s", "MiB/s")


def spread(values):
    """(median, least, greatest)"""
    return statistics.median(values), min(values), max(values)


def ratios(result, name, figure, peers):
    """The rounds' ratios of `name` to the best of `peers`; empty if there is nothing to divide.
    Where nothing is best (no failed request, say), a ratio to it says nothing."""
    better = {LESS: min, MORE: max}.get(FIGURES[figure][2])
    if better is None:
        return []
    found = []
    for turn in result.rounds:
        others = [turn[peer][figure] for peer in peers if figure in turn.get(peer, {})]
        if others and figure in turn.get(name, {}) and better(others) > 0:
            found.append(turn[name][figure] / better(others))
    return found


def peers_of(result):
    if result.scenario.kind == "balance":
        return tuple(f"{name} {policy}" for name, policy in POLICIES if name in PEERS)
    return ("wrk",) if result.scenario.kind == "generator" else PEERS


def summary(result):
    """subject -> figure -> {median, min, max, ratio: {median, min, max}}, as JSON has it."""
    out = {}
    names = dict.fromkeys(name for turn in result.rounds for name in turn)
    for name in names:
        figures = dict.fromkeys(f for turn in result.rounds for f in turn.get(name, {}))
        for figure in figures:
            values = [t[name][figure] for t in result.rounds if figure in t.get(name, {})]
            row = dict(zip(("median", "min", "max"), spread(values)))
            if figure in FIGURES and (found := ratios(result, name, figure, peers_of(result))):
                row["ratio"] = dict(zip(("median", "min", "max"), spread(found)))
            out.setdefault(name, {})[figure] = row
    return out


def number(value):
    """With as many digits as say something: 12.3M 12.3k 1234 12.3 0.0123"""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= 9.9995 * unit:
            return f"{_digits(value / unit)}{letter}"
    return _digits(value)


def _digits(value):
    if abs(value) >= 99.95 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.{max(2 - math.floor(math.log10(abs(value))), 0)}f}"


def range_of(row, factor=1):
    return f"{number(row['min'] * factor)}..{number(row['max'] * factor)}"


def table(result):
    """The scenario for the terminal: two lines per subject, medians and ranges below them."""
    scenario, rows = result.scenario, summary(result)
    # Without what nobody has in this scenario.
    columns = [c for c in SHOWN[scenario.kind][0] if any(c in row for row in rows.values())]
    key = [c for c in SHOWN[scenario.kind][1]
           if any("ratio" in row.get(c, {}) for row in rows.values())]
    heads = [heading(c, scenario.unit) for c in columns]
    lines = [["", *heads, *("x " + heading(c, scenario.unit) for c in key)]]
    for name, figures in rows.items():
        cells = [figures.get(c) for c in columns]
        scales = [FIGURES[c][1] for c in columns] + [1] * len(key)
        cells += [figures.get(c, {}).get("ratio") for c in key]
        lines.append([label(name)] + [number(c["median"] * s) if c else "-"
                                                 for c, s in zip(cells, scales)])
        lines.append([""] + [range_of(c, s) if c else "" for c, s in zip(cells, scales)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    out = [f"\n{scenario.name}: {scenario.title} (load by {result.load})"]
    if rows:
        out += ["  " + "  ".join([line[0].ljust(widths[0])] + [
            cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]).rstrip()
                for line in lines]
        peers = ", ".join(label(peer) for peer in peers_of(result) if peer in rows)
        if key:
            out.append(f"  x: ratio to the best of {peers} in the same round")
    out += [f"  {label(name)}: {why}" for name, why in result.cannot.items()]
    out += [f"  NOTE: {line}" for line in result.notes]
    out += [f"  WRONG: {line}" for line in result.complaints]
    return "\n".join(out)


def markdown(results, facts):
    """README's table: a row per scenario and main figure, a column per subject; what cannot be
    compared, and what one must know, stands below."""
    versions, machine, options = facts["versions"], facts["machine"], facts["options"]
    names = ["scrollgate", *PEERS]
    heads = [f"{LABELS[n]} {versions.get(n, '')}".rstrip() for n in names]
    lines = ["| scenario (`./dev bench`) | " + " | ".join(heads) + " | ratio to the best peer |",
             "|---|" + "---|" * (len(names) + 1)]
    for result in results:
        rows = summary(result)
        if result.scenario.kind in ("generator", *OWN_TABLES):
            continue
        for figure in SHOWN[result.scenario.kind][1]:
            if rows and not any(figure in figures for figures in rows.values()):
                continue
            cells = [_cell(result, rows, name, figure) for name in names]
            ratio = rows.get("scrollgate", {}).get(figure, {}).get("ratio")
            cells.append(f"{ratio['median']:.2f} [{ratio['min']:.2f}..{ratio['max']:.2f}]"
                         if ratio else "-")
            lines.append(f"| `{result.scenario.name}`, {heading(figure, result.scenario.unit)} | "
                         + " | ".join(cells) + " |")
    for result in results:
        if result.scenario.kind in OWN_TABLES:
            lines += ["", *_own_table(result)]
    lines += ["", f"Medians of {options['rounds']} alternating rounds of {options['seconds']} s; "
              "the ratio is the median of the rounds' own, with the least and the greatest. "
              f"{machine['cores']} {'virtual ' if machine['virtual'] else ''}cores of "
              f"{machine['processor']}, {machine['system']}, Linux {machine['kernel']}, "
              f"{machine['date']}.", "", *_remarks(results)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _own_table(result):
    """A row per policy, or whatever the figures are of, a column per figure."""
    figures = SHOWN[result.scenario.kind][1]
    yield (f"| `{result.scenario.name}`, {result.scenario.title} | "
           + " | ".join(heading(figure, result.scenario.unit) for figure in figures) + " |")
    yield "|---|" + "---|" * len(figures)
    rows = summary(result)
    for name in dict.fromkeys([*rows, *result.cannot]):
        cells = [_cell(result, rows, name, figure) for figure in figures]
        yield f"| {label(name)} | " + " | ".join(cells) + " |"


def _remarks(results):
    """What README's table cannot hold, one line for each, with the scenarios it is about."""
    found = {}
    for result in results:
        texts = [f"{label(n)}: {why}" for n, why in result.cannot.items()]
        texts += [f"load by {result.load}", *result.notes]
        texts += [f"WRONG: {line}" for line in result.complaints]
        for text in texts:
            found.setdefault(text, []).append(f"`{result.scenario.name}`")
    return [f"- {text} ({', '.join(dict.fromkeys(where))})" for text, where in found.items()]


def _cell(result, rows, name, figure):
    if figure in rows.get(name, {}):
        return number(rows[name][figure]["median"] * FIGURES[figure][1])
    why = result.cannot.get(name, "")
    return "not yet" if why.startswith("not yet") else "no" if why else "-"


def as_json(results, facts):
    return json.dumps({**facts, "scenarios": {r.scenario.name: {
        "title": r.scenario.title, "unit": r.scenario.unit, "load": r.load,
        "summary": summary(r), "cannot": r.cannot, "notes": r.notes,
        "complaints": r.complaints, "rounds": r.rounds} for r in results}}, indent=1) + "\n"


def from_json(texts):
    """(results, facts) from what as_json() made; of a scenario that is in several, the last. Raises
    ValueError if they are not of one machine and the same versions and options."""
    results, facts = {}, None
    for text in texts:
        said = json.loads(text)
        scenarios = said.pop("scenarios")
        if facts and _same(facts) != _same(said):
            raise ValueError("they are not of the same machine, versions and options")
        facts = said
        for name, row in scenarios.items():
            result = results[name] = Result(BY_NAME[name], row["load"])
            result.rounds, result.cannot = row["rounds"], row["cannot"]
            result.notes, result.complaints = row["notes"], row["complaints"]
    return [results[s.name] for s in ALL if s.name in results], facts


def _same(facts):
    machine = {k: v for k, v in facts["machine"].items() if k not in ("date", "busy_before")}
    return machine, facts["versions"], facts["options"]


def between_marks(page, text):
    """`page` with `text` between its two lines of MARKS. Raises ValueError without them."""
    before, begin, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not end:
        raise ValueError(f"there is no line {MARKS[0].strip()} with {MARKS[1]} after it")
    return before + begin + text + end + after
