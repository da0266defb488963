"""Real servers as peers of a test."""
import os
import shutil
import socket
import subprocess

from .wait import eventually

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def start_server(add_cleanup, port, *command, stdout=subprocess.DEVNULL):
    """Runs `command` until the test's end and waits until it listens; the process."""
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                               stdout=stdout, stderr=subprocess.DEVNULL)

    def end():
        process.terminate()
        process.wait(10)
    add_cleanup(end)
    eventually(lambda: listens(port), f"{command[0]} listens on {port}")
    return process


def start_nginx(add_cleanup, folder, config, port):
    """nginx with this configuration, which is kept in `folder`. Only root may give it a user."""
    if os.geteuid() != 0:
        config = config.replace(" user root;", "")
    path = folder / "conf"
    path.write_text(config)
    return start_server(add_cleanup, port, NGINX, "-c", path)
