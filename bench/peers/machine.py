"""What was compared, and where: versions of all subjects, and the machine."""

import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path

# How each says its version; the first thing that looks like one is taken.
VERSIONS = {
    "nginx": ["nginx", "-v"], "haproxy": ["haproxy", "-v"], "varnish": ["varnishd", "-V"],
    "trafficserver": ["traffic_server", "--version"], "wrk": ["wrk", "-v"],
    "redis-server": ["redis-server", "--version"],
    "h2load": ["h2load", "--version"], "openssl": ["openssl", "version"],
}


def version(command):
    said = subprocess.run([str(w) for w in command], capture_output=True, text=True)
    found = re.search(r"\d+\.\d+(\.\d+)*", re.sub(r"using root.*", "", said.stderr + said.stdout))
    return found[0] if found else "unknown"


def versions(scrollgate):
    """name -> version of what is installed; with our own two if `scrollgate` is a binary's path."""
    found = {name: version(command) for name, command in VERSIONS.items()
             if shutil.which(command[0])}
    if scrollgate:
        found["scrollgate"] = version([scrollgate, "--version"])
        bench = Path(scrollgate).with_name("scrollgate-bench")
        if bench.exists():
            found["scrollgate-bench"] = version([bench, "--version"])
    return found


def describe():
    """The processor, cores, kernel and system, as a dict of texts and numbers."""
    information = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", information, re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="(.*)"$', Path("/etc/os-release").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal: +(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {"processor": model[1] if model else platform.machine(),
            "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "system": system[1] if system else platform.platform(),
            "memory_gib": round(int(memory[1]) / 2 ** 20, 1),
            "virtual": "hypervisor" in information,
            "date": time.strftime("%Y-%m-%d")}


class Cores:
    """Reads how busy cores are, by everybody and by thieves (other virtual machines)."""

    TICKS = os.sysconf("SC_CLK_TCK")

    @classmethod
    def busy_s(cls, core=None):
        """Seconds for which programs ran on the core (or all) so far, stolen time included.
        Without the time of interrupts: processes are not charged for it either."""
        word = "cpu" if core is None else f"cpu{core}"
        fields = re.search(rf"^{word} +(.*)$", Path("/proc/stat").read_text(), re.MULTILINE)[1]
        user, nice, system, _idle, _wait, _irq, _softirq, steal = map(int, fields.split()[:8])
        return (user + nice + system + steal) / cls.TICKS


def busy_share(seconds=1.0):
    """How busy all cores together are while we do nothing, from 0 to 1."""
    before = Cores.busy_s()
    time.sleep(seconds)
    return (Cores.busy_s() - before) / seconds / (os.cpu_count() or 1)
