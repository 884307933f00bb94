"""Runs a command and ends everything it started when it ends, when it is told to, or when its parent is gone.

Usage: supervise.py PARENT_PID COMMAND [ARG ...]

A plain death signal reaches only the command itself, not what it has forked: ansible-playbook leaves workers and ssh
masters, mmdebstrap a whole chroot. As their subreaper (prctl(2), PR_SET_CHILD_SUBREAPER) this process inherits what
they leave behind, so that nothing gets away.
"""

import ctypes
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 1.0


def children_of(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        pass
    return found


def descendants():
    pending = children_of(os.getpid())
    found = []
    while pending:
        pid = pending.pop()
        found.append(pid)
        pending += children_of(pid)
    return found


def reap():
    """Collects ended children; returns False once there is none left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def send(signum):
    for pid in descendants():
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            pass


def end_all(grace):
    if grace:
        send(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while reap() and time.monotonic() < deadline:
            time.sleep(0.02)
    while reap():
        send(signal.SIGKILL)
        time.sleep(0.01)


def main():
    parent = int(sys.argv[1])
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def stop(signum, _frame):
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(name, signal.SIG_IGN)
        end_all(grace=signum != signal.SIGUSR1)
        os._exit(128 + signum)

    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(name, stop)
    # SIGUSR1 stands for the parent's death: nobody is left who could wait for a graceful end.
    prctl(PR_SET_PDEATHSIG, signal.SIGUSR1, 0, 0, 0)
    if os.getppid() != parent:
        stop(signal.SIGUSR1, None)

    child = os.fork()
    if child == 0:
        # Without a terminal: whoever would ask for a password there, as ssh and git do, too, fails in place of waiting.
        os.setsid()
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(name, signal.SIG_DFL)
        try:
            os.execvp(sys.argv[2], sys.argv[2:])
        except OSError as error:
            print(f"{sys.argv[2]}: {error.strerror}", file=sys.stderr)
            os._exit(127)

    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            break
    end_all(grace=True)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


main()
