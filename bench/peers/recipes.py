"""How each subject is configured and started, and what it cannot do. See configs/."""

import os
import re
import resource
import shlex
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from errors import Failed

CONFIGS = Path(__file__).resolve().parent / "configs"
PEERS = ("nginx", "haproxy", "varnish", "trafficserver")
LABELS = {"nginx": "nginx", "haproxy": "HAProxy", "varnish": "Varnish",
          "trafficserver": "Traffic Server", "scrollgate": "Scrollgate", "origin": "direct"}


@dataclass(frozen=True)
class Recipe:
    """`commands` are run in this order, all of them in the foreground; the first one listens.
    @NAME@ in them is filled in as in the configuration files."""

    commands: tuple
    log_commands: tuple = ()        # besides, with the flag `log`
    environment: tuple = ()
    folders: tuple = ()


RECIPES = {
    "nginx": Recipe(("nginx -p @DIR@ -c @DIR@/nginx.conf",)),
    "origin": Recipe(("nginx -p @DIR@ -c @DIR@/nginx.conf",)),
    "haproxy": Recipe(("haproxy -db -f @DIR@/haproxy.cfg",)),
    "varnish": Recipe(("varnishd @ARGUMENTS@",),
                      ("varnishncsa -n @DIR@/varnish -w @DIR@/access.log",)),
    "trafficserver": Recipe(("traffic_server",), environment=(("TS_RUNROOT", "@DIR@"),),
                            folders=("run", "log", "cache")),
    "scrollgate": Recipe(("@BINARY@ run -c @DIR@/scrollgate.yaml",)),
}

# (subject, flag): why not. What Scrollgate cannot do yet it says itself, see support().
CANNOT = {
    ("varnish", "tls"): "no TLS: its manual puts a separate program in front of it",
    ("varnish", "clouds"): "left out: a cache; clouds are compared with balancers",
    ("trafficserver", "own"): "left out: it has no answers of its own but errors",
    ("trafficserver", "clouds"): "left out: a cache; clouds are compared with balancers",
    **{(name, "purge"): "left out: purges by tag only with modules that are not its own, or not"
       for name in PEERS},
}
# (subject, flag): what it lacks and is measured without.
WITHOUT = {
    ("nginx", "checks"): "active health checks, which its open version does not have",
    ("trafficserver", "checks"): "active health checks, which its core does not have",
    ("scrollgate", "checks"): "active health checks, which are not built yet",
    ("scrollgate", "retry500"): "retries by status, which are not built yet",
}


def fill(text, values):
    """Replaces every @NAME@."""
    return re.sub(r"@([A-Z][A-Z0-9_]*)@", lambda match: str(values[match[1]]), text)


def render(text, flags, values):
    """A configuration from its template: the lines whose flags hold, with the values in them."""
    lines, keep = [], [True]
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["@if"]:
            keep.append(keep[-1] and all((word.lstrip("!") in flags) != word.startswith("!")
                                         for word in words[1:]))
        elif words == ["@else"]:
            keep[-1] = keep[-2] and not keep[-1]
        elif words == ["@end"]:
            keep.pop()
        elif keep[-1]:
            lines.append(fill(line, values))
    return "\n".join(lines) + "\n"


def write_configuration(name, folder, flags, values):
    """Renders all files of the subject into `folder`; returns the values, completed."""
    if os.geteuid() == 0:
        flags = flags | {"root"}
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    values = {"DIR": folder, "BODY": "x" * 1024, "SCHEME": "https" if "tls" in flags else "http",
              "MAXCONN": descriptors * 3 // 4, "OPEN_FILES": min(20_000, descriptors // 2),
              **values}
    if name == "varnish":
        values["VSL_MASK"] = _all_varnish_records_masked()
    source = CONFIGS / name
    for path in source.rglob("*"):
        if path.is_file():
            target = folder / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(render(path.read_text(), flags, values))
    for inner in RECIPES[name].folders:
        (folder / inner).mkdir()
    arguments = folder / "arguments"
    if arguments.exists():
        values["ARGUMENTS"] = " ".join(line for line in arguments.read_text().splitlines()
                                       if not line.startswith("#"))
    return values


def commands(name, flags, values):
    """The subject's command lines as lists of words, and its additions to the environment."""
    recipe = RECIPES[name]
    lines = recipe.commands + (recipe.log_commands if "log" in flags else ())
    return ([shlex.split(fill(line, values)) for line in lines],
            {key: fill(value, values) for key, value in recipe.environment})


def _all_varnish_records_masked():
    """`-Begin,-End,…`: the manual's list of record kinds, each underlined."""
    manual = subprocess.run(["varnishd", "-x", "vsl"], capture_output=True, text=True,
                            check=True).stdout
    return ",".join(f"-{name}" for name in re.findall(r"^(\w+)\n-+$", manual, re.MULTILINE))


@dataclass(frozen=True)
class Support:
    """flags: those that the subject is configured with. why_not: a text if it cannot be measured.
    without: a text about what it is measured without."""

    flags: frozenset
    why_not: str = None
    without: str = None


def support(name, flags, folder, values):
    """Can the subject do what the flags ask for?

    Scrollgate is asked itself: its `check` refuses keys whose feature is not built yet. What stands
    in WITHOUT is not what a scenario is about; who has none of it goes without.
    """
    for flag in sorted(flags):
        if (name, flag) in CANNOT:
            return Support(flags, CANNOT[name, flag])
    program = shlex.split(fill(RECIPES[name].commands[0], defaultdict(str, values)))[0]
    if shutil.which(program) is None:
        return Support(flags, "not installed")
    if "three" in flags:
        flags = flags | {"checks"}
    optional = {flag for flag in flags if (name, flag) in WITHOUT}
    if name == "scrollgate":
        needed = flags - optional
        if missing := _not_built(folder, needed, values):
            return Support(flags, "not yet: " + ", ".join(missing))
        optional = {flag for flag in optional if _not_built(folder, needed | {flag}, values)}
        flags -= optional
    without = ", and ".join(WITHOUT[name, flag] for flag in sorted(optional))
    return Support(flags, None, without or None)


def _not_built(folder, flags, values):
    """What of the configuration Scrollgate does not have yet, in its words; empty if nothing."""
    said = _check(folder, flags, values)
    missing = re.findall(r": ([^:\n]+) (?:are|is) not built yet", said)
    if said and (not missing or len(missing) != len(said.splitlines())):
        raise Failed(f"scrollgate check refuses its configuration:\n{said}")
    return list(dict.fromkeys(missing))


def _check(folder, flags, values):
    """What `scrollgate check` has to say against the configuration; empty if nothing."""
    values = write_configuration("scrollgate", folder, flags, values)
    result = subprocess.run([values["BINARY"], "check", "-c", folder / "scrollgate.yaml"],
                            capture_output=True, text=True)
    return (result.stdout + result.stderr).strip() if result.returncode else ""
