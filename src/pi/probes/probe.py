"""Answers questions about this machine, many in one go.

main(queries) takes [{"kind": "file", "path": "/etc/hosts"}, ...], and prints as its last line, in JSON,
{"root": ..., "answers": [...]}, in the same order; an answer is {"error": ...} where the question could not be answered,
with "again": False where it would not be the next time either.
Needs Python 3.9 and nothing else. Modules are imported where they are needed, because each costs a tenth of a second
on an emulated Pi: json with what it imports costs a third of all that a question takes.
"""

import os
import stat
import sys

# What is written as JSON is Python as well, by these.
true, false, null = True, False, None

LIMIT = 1 << 20  # Bytes read of one file or answer: a Pi's emulated network carries 0.2 MiB/s.
LISTED = 20  # Names told of what is there instead.


class Unanswerable(Exception):
    pass


def command(*words):
    import subprocess

    env = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "C", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}
    try:
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", env=env)
    except FileNotFoundError:
        raise Unanswerable(f"there is no command {words[0]}") from None


def read(path):
    with open(path, "rb") as file:
        return file.read(LIMIT + 1)


def each(answer):
    def answer_all(queries):
        answers = []
        for query in queries:
            try:
                answers.append(answer(query))
            except Exception as error:
                answers.append({"error": describe(error)})
        return answers

    return answer_all


def describe(error):
    if isinstance(error, Unanswerable):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror.lower()}: {error.filename}" if error.filename else error.strerror.lower()
    return f"{type(error).__name__}: {error}"


def name_of(number, lookup):
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)


TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "pipe",
    stat.S_IFBLK: "block device",
    stat.S_IFCHR: "character device",
}


def file(query):
    import grp
    import pwd

    path = query["path"]
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return {"exists": False, **nearest_directory(path)}
    answer = {"exists": True, "type": TYPES[stat.S_IFMT(found.st_mode)]}
    if answer["type"] == "link":
        answer["target"] = os.readlink(path)
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return {**answer, "dangling": True}
    answer.update(
        mode=format(stat.S_IMODE(found.st_mode), "04o"),
        owner=name_of(found.st_uid, pwd.getpwuid),
        uid=found.st_uid,
        group=name_of(found.st_gid, grp.getgrgid),
        gid=found.st_gid,
        size=found.st_size,
    )
    if query.get("content") and stat.S_ISREG(found.st_mode):
        content = read(path)
        if len(content) > LIMIT:
            raise Unanswerable(f"{path} is larger than the {LIMIT} bytes that are compared")
        answer["content"] = content.decode(errors="replace")
    return answer


def nearest_directory(path):
    parent = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    names = sorted(entry.name + "/" * entry.is_dir() for entry in os.scandir(parent))
    return {"parent": parent, "siblings": names[:LISTED], "more": len(names[LISTED:])}


def texts(query):
    from glob import glob

    found = {}
    for path in sorted(path for pattern in query["patterns"] for path in glob(pattern)):
        if os.path.isfile(path):
            try:
                found[path] = read(path)[:LIMIT].decode(errors="replace")
            except OSError:
                found[path] = None
    return {"texts": found}


def run(query):
    done = command(*query["command"])
    answer = {"exitCode": done.returncode, "stdout": done.stdout[:LIMIT], "stderr": done.stderr[:LIMIT]}
    return {**answer, "cut": len(done.stdout) > LIMIT}


PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,SourcePath,"
    "Result,ExecMainStatus,Unit,TimersCalendar,ActiveEnterTimestampMonotonic"
)


def units(queries):
    names = [query["name"] for query in queries]
    done = command("systemctl", "show", "-p", PROPERTIES, "--", *names)
    blocks = done.stdout.strip("\n").split("\n\n")
    if done.returncode or len(blocks) != len(names):
        if len(names) == 1:
            raise Unanswerable(done.stderr.strip() or "systemctl show gave no answer")
        return [answer for query in queries for answer in each(lambda query: units([query])[0])([query])]
    return [unit(name, block) for name, block in zip(names, blocks)]


def unit(name, block):
    answer = {"calendar": []}
    for line in block.splitlines():
        key, _, value = line.partition("=")
        if key == "TimersCalendar":
            answer["calendar"].append(value.partition("OnCalendar=")[2].partition(" ;")[0])
        else:
            answer[key] = value
    started = int(answer.pop("ActiveEnterTimestampMonotonic", "") or 0)
    if started:
        import time

        # From the clock that nobody sets, so that it is right after the other one was set.
        since = time.clock_gettime(time.CLOCK_MONOTONIC) - started / 1e6
        answer["startedAt"] = round((time.time() - since) * 1000)
    source = answer.get("SourcePath", "")
    if source.startswith("/etc/init.d/"):
        from glob import glob

        # systemd calls every SysV script "generated"; whether it starts at boot is told by its links.
        links = glob(f"/etc/rc[2-5].d/S[0-9][0-9]{os.path.basename(source)}")
        answer["UnitFileState"] = "enabled" if links else "disabled"
    if answer.get("ActiveState") == "failed":
        answer["log"] = command("journalctl", "-q", "--no-pager", "-n", "8", "-o", "cat", "-u", name).stdout[:4000]
    if answer.get("LoadState") == "not-found":
        answer["similar"] = similar_units(name)
    return answer


def similar_units(name):
    stem, _, suffix = name.rpartition(".")
    found = set()
    for directory in ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"):
        if os.path.isdir(directory):
            found.update(os.listdir(directory))
    return sorted(other for other in found if stem[:4] in other and other.endswith("." + suffix))[:LISTED]


def failed_units(query):
    done = command("systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full")
    if done.returncode:
        raise Unanswerable(done.stderr.strip())
    names = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    return {"units": units([{"name": name} for name in names]) if names else []}


def packages(queries):
    shown = "${Package}\\t${binary:Package}\\t${db:Status-Status}\\t${Version}\\n"
    done = command("dpkg-query", "-W", "-f", shown, "--", *(query["name"] for query in queries))
    found = {}
    for line in done.stdout.splitlines():
        plain, qualified, status, version = line.split("\t")
        for name in (plain, qualified):
            if found.get(name, {}).get("status") != "installed":
                found[name] = {"status": status, "version": version}
    return [package(query, found.get(query["name"])) for query in queries]


def package(query, found):
    if not found or found["status"] == "not-installed":
        pattern = f"*{query['name'][:5]}*"
        shown = command("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\\n", pattern).stdout
        similar = [line.partition(" ")[2] for line in shown.splitlines() if line.startswith("installed ")]
        return {"status": "not-installed", "similar": similar[:LISTED]}
    compared = [
        command("dpkg", "--compare-versions", found["version"], operator, version).returncode == 0
        for operator, version in query.get("versions", [])
    ]
    return {**found, "satisfied": compared}


def ports(queries):
    sockets = [socket for query in {query["protocol"] for query in queries} for socket in listeners(query)]
    here = {(socket["protocol"], socket["port"]) for socket in sockets}
    if any(query.get("process") or (query["protocol"], query["port"]) not in here for query in queries):
        owners = socket_owners()
        for socket in sockets:
            socket["processes"] = sorted(owners.get(socket["inode"], []))
    return [{"listeners": [socket for socket in sockets if socket["protocol"] == query["protocol"]]} for query in queries]


def listeners(protocol):
    import socket

    listening = {"tcp": "0A", "udp": "07"}[protocol]  # TCP_LISTEN; TCP_CLOSE, which is what an unconnected UDP socket shows
    found = []
    for family, table in ((socket.AF_INET, protocol), (socket.AF_INET6, protocol + "6")):
        try:
            lines = read(f"/proc/net/{table}").decode().splitlines()[1:]
        except FileNotFoundError:
            continue  # A kernel without IPv6.
        for fields in map(str.split, lines):
            if fields[3] == listening:
                address, port = fields[1].split(":")
                # Words of four bytes, each in the machine's own order.
                words = [int(address[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(address), 8)]
                address = socket.inet_ntop(family, b"".join(words))
                found.append({"protocol": protocol, "address": address, "port": int(port, 16), "inode": fields[9]})
    return found


def socket_owners():
    owners = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for number in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{number}")
                if target.startswith("socket:["):
                    owners.setdefault(target[8:-1], set()).update(process_names(pid))
        except OSError:
            pass  # It ended meanwhile, or is another user's.
    return owners


def process_names(pid):
    # The kernel's name is cut at 15 bytes, and a program may choose its own: Node.js calls itself MainThread.
    program = os.path.basename(os.readlink(f"/proc/{pid}/exe")).replace(" (deleted)", "")
    return [program, read(f"/proc/{pid}/comm").decode(errors="replace").rstrip("\n")]


def user(query):
    import grp
    import pwd

    try:
        found = pwd.getpwnam(query["name"])
    except KeyError:
        return {"exists": False, "others": sorted(user.pw_name for user in pwd.getpwall() if 1000 <= user.pw_uid < 60000)}
    groups = [name_of(gid, grp.getgrgid) for gid in os.getgrouplist(found.pw_name, found.pw_gid)]
    answer = {
        "exists": True,
        "uid": found.pw_uid,
        "group": name_of(found.pw_gid, grp.getgrgid),
        "groups": sorted(groups),
        "shell": found.pw_shell,
        "home": found.pw_dir,
    }
    if query.get("keys"):
        try:
            lines = read(f"{found.pw_dir}/.ssh/authorized_keys").decode(errors="replace").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            lines = []
        answer["keys"] = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
    return answer


def group(query):
    import grp
    import pwd

    try:
        found = grp.getgrnam(query["name"])
    except KeyError:
        return {"exists": False, "others": sorted(group.gr_name for group in grp.getgrall() if 1000 <= group.gr_gid < 60000)}
    primary = [user.pw_name for user in pwd.getpwall() if user.pw_gid == found.gr_gid]
    return {"exists": True, "gid": found.gr_gid, "members": sorted({*found.gr_mem, *primary})}


def http(query):
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    url = urlsplit(query["url"])
    if url.scheme == "https":
        import ssl

        context = ssl._create_unverified_context() if query.get("insecure") else ssl.create_default_context()
        connection = HTTPSConnection(url.hostname, url.port, timeout=query["timeout"], context=context)
    else:
        connection = HTTPConnection(url.hostname, url.port, timeout=query["timeout"])
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        body = query.get("body")
        connection.request(query["method"], path, body and body.encode(), query["headers"])
        response = connection.getresponse()
        headers = {}
        for name, value in response.getheaders():
            name = name.lower()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        body = response.read(LIMIT + 1)
        if query.get("content") and len(body) > LIMIT:
            # A request may have changed something: it is not made again for what would be too long again.
            return {"error": f"its body is larger than the {LIMIT} bytes that are compared", "again": False}
        return {"status": response.status, "headers": headers, "body": body[:LIMIT].decode(errors="replace")}
    except (OSError, HTTPException) as error:
        return {"failure": describe(error)}
    finally:
        connection.close()


KINDS = {
    "file": each(file),
    "texts": each(texts),
    "command": each(run),
    "unit": units,
    "failedUnits": each(failed_units),
    "package": packages,
    "port": ports,
    "user": each(user),
    "group": each(group),
    "http": each(http),
}


def in_json(value):
    if isinstance(value, dict):
        return "{" + ",".join(f"{in_json(key)}:{in_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(in_json, value)) + "]"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else repr(value)


def quote(text):
    try:
        # The part of json that is in C: it imports nothing.
        from _json import encode_basestring_ascii
    except ImportError:
        from json import dumps as encode_basestring_ascii
    return encode_basestring_ascii(text)


def main(queries):
    answers = [None] * len(queries)
    for kind in dict.fromkeys(query["kind"] for query in queries):
        places = [place for place, query in enumerate(queries) if query["kind"] == kind]
        try:
            found = KINDS[kind]([queries[place] for place in places])
        except Exception as error:
            found = [{"error": describe(error)}] * len(places)
        for place, answer in zip(places, found):
            answers[place] = answer
    print("\n" + in_json({"root": os.geteuid() == 0, "answers": answers}), flush=True)


def serve():
    """Answers a list of questions a line, until there are no more."""
    # Whoever stays in a directory keeps it from being unmounted.
    os.chdir("/")
    for line in sys.stdin.buffer:
        main(eval(line))
