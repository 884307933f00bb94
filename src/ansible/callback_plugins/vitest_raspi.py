"""Tells vitest-raspi what ansible-playbook does while it does it: one JSON object a line, on an inherited descriptor.

The events are described in events.ts; whoever changes one changes both. Written for ansible-core 2.14 and later.

Ansible hands every callback a cleaned copy of a result, in which no_log has already been replaced by a sentence
(TaskResult.clean_copy). Only these copies are read here, never a task's arguments, so nothing hidden gets out. What the
repository keeps in vaults is masked besides, because Ansible itself shows it wherever a playbook forgets no_log.
"""

import json
import math
import os
import re
import sys
import sysconfig
import time
from collections.abc import Mapping
from contextlib import contextmanager, nullcontext
from datetime import date
from importlib.util import source_from_cache
from itertools import islice

import ansible
from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as ansible_version

DOCUMENTATION = """
    name: vitest_raspi
    type: notification
    short_description: streams events to vitest-raspi
    description:
      - Writes one JSON object a line to the file descriptor that vitest-raspi hands over. Does nothing elsewhere.
"""

EVENTS_VERSION = 3
# What one string, one result and all items of one loop may take, in characters: a command's output has no bounds.
STRING_LIMIT = 64 * 1024
RESULT_LIMIT = 256 * 1024
# What an item that failed may take where the other items of its loop have used up everything.
FAILED_ITEM_LIMIT = 2 * 1024
LABEL_LIMIT = 200
# How many items of one loop are told of, and how many more that failed.
ITEM_LIMIT = 10_000
FAILED_ITEMS = 100
# Sent in fields of their own, repeated elsewhere, or (invocation) hidden by Ansible's own callbacks as well.
DROPPED = {"ansible_loop_var", "deprecations", "diff", "invocation", "results", "stderr_lines", "stdout_lines", "warnings"}
# The values of ansible_connection that lead through ssh: https://docs.ansible.com/ansible/latest/plugins/connection.html
SSH = {"ssh", "smart", "paramiko", "paramiko_ssh", "libssh"}
CENSORED_LABEL = "(censored due to no_log)"

# Python's stand-ins for bytes that were not UTF-8 (PEP 383). They are no Unicode.
SURROGATES = re.compile("[\ud800-\udfff]")

MASK = "***"
VAULT_HEADER = b"$ANSIBLE_VAULT;"
# Shorter values stay as they are: every "yes" or "1" would make the text unreadable.
SHORTEST_SECRET = 4
# Directories that hold no vaults, and how much is searched of each place: files, bytes of one, and how many of these tell
# whether it is text, as all vaults are.
NOT_SEARCHED = {".git", ".vitest", "node_modules", "__pycache__"}
SEARCHED_FILES = 20_000
SEARCHED_BYTES = 1 << 20
HEAD_BYTES = 8 << 10
# What a directory of a role has: one of these.
ROLE_PARTS = ("tasks", "handlers", "defaults", "vars", "files", "templates", "meta")


def lines_of(text):
    return [line for line in map(str.strip, text.split("\n")) if len(line) >= SHORTEST_SECRET]


def is_scalar(value):
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def leaves(value):
    """All scalars in what a YAML file holds, except booleans."""
    if isinstance(value, Mapping):
        value = value.values()
    # A vaulted value of older versions is a sequence, of the characters of its secret.
    elif not isinstance(value, (list, tuple)):
        return [value] if is_scalar(value) or is_vaulted(value) else []
    return [leaf for inner in value for leaf in leaves(inner)]


def is_vaulted(value):
    return type(value).__name__ in ("AnsibleVaultEncryptedUnicode", "EncryptedString")


def vaulted_values(places, loader):
    """What the vaults in `places` hold that can be opened with the run's secrets, line by line."""
    found = set()
    for path in vault_files(places):
        try:
            with open(path, "rb") as file:
                content = file.read()
            whole = content.startswith(VAULT_HEADER)
            if path.endswith((".yml", ".yaml", ".json")) or not os.path.splitext(path)[1]:
                try:
                    values = leaves(loader.load_from_file(path, cache=False))
                    found.update(line for value in values if whole or is_vaulted(value) for line in lines_of(str(value)))
                    continue
                except Exception:
                    pass  # It holds something else than YAML, as a key.
            if whole:
                found.update(lines_of(loader._vault.decrypt(content).decode("utf-8", "replace")))
        except Exception:
            continue  # Another vault's, whose password this run does not have: so it cannot tell its secrets either.
    return sorted(found, key=len, reverse=True)


def vault_files(places):
    """The files in `places`, which are directories or files, that hold something vaulted."""
    visited = set()
    for place in places:
        # Of each so many: a big one must not keep others from being searched.
        for path in islice(files_in(place, visited), SEARCHED_FILES):
            if has_vault(path):
                yield path


def files_in(place, visited):
    if os.path.isfile(place):
        yield place
    # Through links, as Ansible reads through them; nothing twice, so that they may lead in a circle.
    for directory, names, files in os.walk(place, followlinks=True):
        real = os.path.realpath(directory)
        # With pyvenv.cfg it is a virtual environment of Python, whatever its name.
        if real in visited or "pyvenv.cfg" in files:
            names.clear()
            continue
        visited.add(real)
        # Hidden ones last: other tools keep their thousands of files in them.
        names[:] = sorted((name for name in names if name not in NOT_SEARCHED), key=lambda name: (name[0] == ".", name))
        yield from (os.path.join(directory, name) for name in files)


def has_vault(path):
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > SEARCHED_BYTES:
            return False
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
            return b"\0" not in head and VAULT_HEADER in head + file.read()
    except OSError:
        return False


def roles_in(paths):
    """The roles that lie in `paths`: what else is there, as projects beside a role's, is none of the repository's."""
    # By os.walk, which passes over what is missing and what may not be listed.
    listed = [next(os.walk(path), (path, [], [])) for path in paths]
    entries = [os.path.join(path, name) for path, names, _ in listed for name in sorted(names)]
    return [entry for entry in entries if any(os.path.isdir(os.path.join(entry, part)) for part in ROLE_PARTS)]


class Budget:
    """Turns results into what JSON can hold, within a number of characters. What is left out shows as such."""

    # What must not be shown, the longest first.
    secrets = []

    def __init__(self, left):
        self.left = left
        self.cut = False

    def fit(self, value):
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            self.left -= 8
            return MASK if str(value) in self.secrets else int(value)
        if isinstance(value, float):
            self.left -= 8
            return value if math.isfinite(value) else str(value)
        if isinstance(value, bytes):
            return self.text(value.decode("utf-8", "replace"))
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self.mapping(value.items())
        if isinstance(value, (list, tuple, set, frozenset)):
            return self.sequence(value)
        if isinstance(value, date):
            return value.isoformat()
        # Its text might be a secret: str() of a vaulted value decrypts it.
        return f"<{type(value).__name__}>"

    def text(self, value):
        for secret in self.secrets:
            value = value.replace(secret, MASK)
        limit = max(0, min(STRING_LIMIT, self.left))
        if len(value) > limit:
            self.cut = True
            head = limit // 4
            tail = limit - head
            omitted = f"\n… {len(value) - limit} characters left out …\n"
            value = value[:head] + omitted + (value[-tail:] if tail else "")
        self.left -= len(value)
        return value if value.isascii() else SURROGATES.sub("\ufffd", value)

    def mapping(self, items):
        out = {}
        for key, value in items:
            if self.left <= 0:
                self.cut = True
                break
            out[self.text(str(key))] = self.fit(value)
        return out

    def sequence(self, values):
        out = []
        for value in values:
            if self.left <= 0:
                self.cut = True
                break
            out.append(self.fit(value))
        return out

    def result(self, result):
        shown = [(k, v) for k, v in result.items() if k not in DROPPED and not str(k).startswith("_ansible_")]
        # Lists and mappings last: they are what grows, and must not displace a message.
        shown.sort(key=lambda entry: isinstance(entry[1], (list, Mapping)))
        return self.mapping(shown)

    def diffs(self, result):
        diffs = result.get("diff") or []
        found = [self.diff(diff) for diff in (diffs if isinstance(diffs, list) else [diffs]) if isinstance(diff, Mapping)]
        return [diff for diff in found if diff.get("prepared") or diff.get("before") != diff.get("after")]

    def diff(self, diff):
        out = {}
        for key in ("before", "after", "before_header", "after_header", "prepared"):
            value = diff.get(key)
            if isinstance(value, (Mapping, list)):
                # Fit first: what it prints as must not be unbounded either.
                value = json.dumps(Budget(STRING_LIMIT).fit(value), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
            if value is not None:
                out[key] = self.text(str(value))
        for side in ("src", "dst"):
            if diff.get(f"{side}_binary"):
                out["prepared"] = "binary file, not shown\n"
            elif diff.get(f"{side}_larger"):
                out["prepared"] = f"larger than {diff[f'{side}_larger']} bytes, not shown\n"
        return out


# Tags of what Molecule skips: where that is all there is, nobody has mistaken himself.
MOLECULE_TAGS = {"notest", "molecule-notest", "molecule-idempotence-notest"}


def chosen():
    """What tasks were chosen by, on the command line, in the environment or in ansible.cfg; None where all are to run."""
    tags, skipped = (set(context.CLIARGS.get(name) or ()) for name in ("tags", "skip_tags"))
    found = {
        "tags": [] if "all" in tags else sorted(tags),
        "skip_tags": sorted(skipped - MOLECULE_TAGS),
        "start_at": context.CLIARGS.get("start_at_task"),
    }
    return found if any(found.values()) else None


def tasks_in(blocks):
    """The tasks that a playbook has in `blocks`; not those of files that it includes while it runs."""
    for entry in blocks:
        if hasattr(entry, "block"):
            yield from tasks_in([*entry.block, *entry.rescue, *entry.always])
        elif not entry.implicit and not is_ansibles(entry):
            yield entry


def is_ansibles(task):
    """Whether Ansible itself has put `task` there: it gathers facts before a play, and checks the arguments of a role."""
    name = task.action.rpartition(".")[2]
    if name == "gather_facts":
        return getattr(task, "_ds", None) is None
    # Not by its tags: it has those of its role and its play besides "always".
    return name == "validate_argument_spec" and "validate_args_context" in task.args


def is_include(task):
    """Whether `task` has others that Ansible looks for only where it runs."""
    return task.action.rpartition(".")[2] in ("include", "include_role", "include_tasks")


class Refusal(Exception):
    """Says why a playbook is not run on."""


def texts(values):
    """Messages of a result: strings, or mappings with a msg (deprecations; warnings since ansible-core 2.19)."""
    budget = Budget(STRING_LIMIT)
    return [budget.text(str(value.get("msg", "") if isinstance(value, Mapping) else value)) for value in values or []]


def is_rescued(task):
    """Tells whether a block catches the failure of `task`: it is in the block's own part, and there is a rescue part."""
    child, parent = task, task._parent
    while parent is not None:
        rescue = getattr(parent, "rescue", None)
        if rescue:
            elsewhere = [*rescue, *(getattr(parent, "always", None) or [])]
            if all(child._uuid != other._uuid for other in elsewhere):
                return True
        child, parent = parent, getattr(parent, "_parent", None)
    return False


def place(thing):
    """Where a play or task is written: (path, line), or (None, None)."""
    path, _, line = (thing.get_path() or "").rpartition(":")
    return (path, int(line)) if path and line.isdigit() else (None, None)


class Reads:
    """Notes which files and directories this process and its workers read: a line each, of a kind, a tab and the path.

    The kinds are `f` for a file that was as before the run when it was read first, `n` for one that was newer, `d` for a
    directory that was listed, and `w` for a file that the run has written, as far as results tell.

    Python tells its audit hooks of each file that is opened (https://docs.python.org/3/library/audit_events.html). What a
    program reads that a task starts here (a pipe lookup, rsync) is not seen.
    """

    # Of the system, Python and Ansible, which their versions tell; collections have versions of their own.
    LEFT_OUT = tuple(
        os.path.join(directory, "")
        for directory in {
            *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")),
            *("/bin", "/dev", "/lib", "/proc", "/run", "/sys", "/usr/bin", "/usr/lib"),
            os.path.dirname(ansible.__file__),
        }
    )
    COLLECTIONS = "/ansible_collections/"

    def __init__(self, file):
        # Appended to by all workers, a whole line at a time.
        self._fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._noted = set()
        self._since = time.time()
        self._paused = False
        sys.addaudithook(self._hook)

    @contextmanager
    def pause(self):
        """While it is this plugin that reads: for what the playbook is made of that counts for nothing."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def _hook(self, event, args):
        if self._paused:
            return
        try:
            if event == "open":
                path, mode, flags = args
                # os.open() may mean a path below a descriptor, and does so where a tree is removed.
                known = mode is not None or os.path.isabs(path)
                if known and flags & os.O_ACCMODE == os.O_RDONLY:
                    self.note("f", path)
            elif event in ("os.listdir", "os.scandir"):
                self.note("d", args[0])
        except Exception:
            pass  # It must not fail what it watches.

    def note(self, kind, path):
        if isinstance(path, int):
            return
        path = os.path.abspath(os.fsdecode("." if path is None else path))
        if path.endswith(".pyc"):
            path = source_from_cache(path)
        if (kind, path) in self._noted:
            return
        self._noted.add((kind, path))
        if kind == "f" and self._is_new(path):
            kind = "n"
        if "\n" in path or (f"{path}/".startswith(self.LEFT_OUT) and self.COLLECTIONS not in path):
            return
        os.write(self._fd, f"{kind}\t{path}\n".encode("utf-8", "surrogateescape"))

    def _is_new(self, path):
        try:
            return os.stat(path).st_ctime >= self._since
        except OSError:
            return False

    def note_written(self, result):
        """A file on this machine that a task has replaced: nothing of it was there for the run to read."""
        task, file = result._task, result._result.get("dest")
        action, host = task.action.rpartition(".")[2], task.delegate_to or result._host.get_name()
        if action == "fetch" or (action in ("copy", "template") and host == "localhost"):
            if isinstance(file, str):
                self.note("w", file)


def without_nothing(fields):
    return {key: value for key, value in fields.items() if value not in (None, False, [], {})}


class Loop:
    """What is told of a loop on one host, in bounded space: of the items beyond the limit only the first that failed."""

    def __init__(self):
        self.budget = Budget(RESULT_LIMIT)
        self.omitted = 0
        self._told = 0
        self._failures_told = 0

    def takes(self, status):
        if self._told < ITEM_LIMIT:
            self._told += 1
            return True
        if status == "failed" and self._failures_told < FAILED_ITEMS:
            self._failures_told += 1
            return True
        self.omitted += 1
        return False


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "vitest_raspi"

    def __init__(self):
        super().__init__()
        # Taken away, so that an ansible-playbook started by a task does not write into a descriptor of its own.
        place = os.environ.pop("VITEST_RASPI_CALLBACK", None)
        if place is None:
            self.disabled = True
            return
        place = json.loads(place)
        self._fd = place["fd"]
        try:
            os.set_inheritable(self._fd, False)
            with open(place["settings"], encoding="utf-8") as file:
                settings = json.load(file)
            self._connections = settings["connections"]
            self._vaults = settings["vaults"]
            self._reads = Reads(settings["reads"]) if settings.get("reads") else None
        except Exception as error:
            self._refuse(error)
        self._starts = {}
        self._loops = {}
        # The plays that have a Pi to work on, and whether any task of theirs has begun.
        self._plays = []
        self._begun = False

    def _send(self, event, **fields):
        # Straight to the descriptor: a buffer would be copied into every worker that Ansible forks, and written again.
        line = json.dumps({"event": event, "at": int(time.time() * 1000), **fields}, separators=(",", ":"))
        rest = memoryview(line.encode("ascii") + b"\n")
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            self.disabled = True  # Nobody reads any more.

    def v2_playbook_on_start(self, playbook):
        if self._reads:
            # The playbook has been parsed before this plugin was loaded, with the tasks and roles that it imports.
            for path in list(getattr(playbook._loader, "_FILE_CACHE", ())):
                self._reads.note("f", path)
        self._send("start", version=EVENTS_VERSION, ansible=ansible_version)
        self._hide_vaults(playbook._loader)

    def _hide_vaults(self, loader):
        if not loader._vault.secrets:
            return
        with self._reads.pause() if self._reads else nullcontext():
            places = [os.getcwd(), os.path.realpath(loader.get_basedir()), *self._vaults, *roles_in(C.DEFAULT_ROLES_PATH)]
            Budget.secrets = vaulted_values(dict.fromkeys(places), loader)
        if Budget.secrets:
            self._send("secrets", values=Budget.secrets)

    def v2_playbook_on_play_start(self, play):
        self._pin_connections(play)
        path, line = place(play)
        hosts = play.hosts if isinstance(play.hosts, str) else ",".join(map(str, play.hosts))
        # Which of the hosts that it was told of, in the order of the inventory.
        found = [host.get_name() for host in self._variables._inventory.get_hosts(play.hosts)]
        matched = [name for name in found if name in self._connections]
        if matched:
            self._plays.append(play)
        self._send("play", id=play._uuid, name=str(play.get_name()), hosts=hosts, matched=matched, path=path, line=line)

    def _pin_connections(self, play):
        """Lets no host_vars file of the repository lead a play from the emulated Pi to the real machine of that name.

        Variables files rank above the inventory file that has the Pi's address; what is set here ranks above those
        (https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#understanding-variable-precedence).
        """
        try:
            self._variables = play.get_variable_manager()
            for host, connection in self._connections.items():
                self._pin(host, connection, self._known(host), self._variables.set_host_variable)
        except Refusal as refusal:
            self._send("refused", reason=str(refusal))
            sys.exit(1)
        except Exception as error:
            self._refuse(error)

    def _refuse(self, error):
        """Ends Ansible, which only warns of a callback's exception and goes on, to whatever address it then has."""
        self._send("refused", reason=f"its connections could not be fixed: {type(error).__name__}: {error}")
        sys.exit(1)

    def _known(self, host):
        """The variables that inventory, group_vars and host_vars give `host`: not those of plays, which mean what they say."""
        found = self._variables._inventory.get_host(host)
        return self._variables.get_vars(host=found, include_hostvars=False) if found else {}

    def _pin(self, host, connection, known, set_variable):
        elsewhere = str(known.get("ansible_connection") or "ssh")
        if connection["sshOnly"] and "{{" not in elsewhere and elsewhere.rpartition(".")[2] not in SSH:
            raise Refusal(f"{host} has ansible_connection={elsewhere} in a variables file, which leads away from its Pi")
        pins = {**connection["always"], **{k: v for k, v in connection["ifSet"].items() if k in known}}
        for name, value in pins.items():
            set_variable(host, name, value)

    def _pin_again(self, result):
        """After a task that sets variables: include_vars and set_fact rank as high as what was pinned, and higher."""
        if result._task.action.rpartition(".")[2] not in ("include_vars", "set_fact"):
            return
        def set_fact(host, name, value):
            self._variables.set_nonpersistent_facts(host, {name: value})
        for host, connection in self._connections.items():
            facts = {**self._variables._vars_cache.get(host, {}), **self._variables._nonpersistent_fact_cache.get(host, {})}
            set_already = {name: value for name, value in facts.items() if name != "ansible_connection"}
            self._pin(host, connection, set_already, set_fact)

    def v2_playbook_on_no_hosts_matched(self):
        self._send("no_hosts")

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._task(task, handler=False)

    def v2_playbook_on_handler_task_start(self, task):
        self._task(task, handler=True)

    def v2_playbook_on_notify(self, handler, host):
        self._send("notify", host=host.get_name(), **self._described(handler))

    def _task(self, task, handler):
        self._begun = self._begun or not is_ansibles(task)
        action = str(getattr(task, "resolved_action", None) or task.action)
        self._send("task", id=task._uuid, action=action, handler=handler, **self._described(task))

    def _described(self, task):
        path, line = place(task)
        name = Budget(LABEL_LIMIT).text(str(task.name or task.action))
        return {"name": name, "role": str(task._role.get_name()) if task._role else None, "path": path, "line": line}

    def v2_runner_on_start(self, host, task):
        self._starts[host.get_name(), task._uuid] = time.monotonic()

    def v2_runner_retry(self, result):
        self._send(
            "retry",
            task=result._task._uuid,
            host=result._host.get_name(),
            attempt=result._result.get("attempts"),
            retries=result._result.get("retries"),
        )

    def v2_runner_on_ok(self, result):
        self._pin_again(result)
        self._result(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_skipped(self, result):
        self._result(result, "skipped")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result(result, "ignored" if ignore_errors else "rescued" if is_rescued(result._task) else "failed")

    def v2_runner_on_unreachable(self, result):
        self._result(result, "ignored" if result._task.ignore_unreachable is True else "unreachable")

    def _result(self, result, status):
        if self._reads:
            self._reads.note_written(result)
        task, host = result._task, result._host.get_name()
        started = self._starts.pop((host, task._uuid), None)
        loop = self._loops.pop((host, task._uuid), None)
        budget = Budget(RESULT_LIMIT)
        delegate = task.delegate_to
        fields = {
            "changed": bool(result._result.get("changed")),
            "ms": None if started is None else round((time.monotonic() - started) * 1000),
            "delegate": str(delegate) if delegate and delegate != host else None,
            "run_once": task.run_once is True,
            "attempts": result._result.get("attempts"),
            "diff": budget.diffs(result._result),
            "warnings": texts(result._result.get("warnings")),
            "deprecations": texts(result._result.get("deprecations")),
            "result": budget.result(result._result),
            "cut": budget.cut,
            "items_omitted": loop.omitted if loop else 0,
        }
        self._send("result", task=task._uuid, host=host, status=status, **without_nothing(fields))

    def v2_runner_item_on_ok(self, result):
        self._item(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_item_on_skipped(self, result):
        self._item(result, "skipped")

    def v2_runner_item_on_failed(self, result):
        self._item(result, "failed")

    def _item(self, result, status):
        if self._reads:
            self._reads.note_written(result)
        task, host = result._task, result._host.get_name()
        loop = self._loops.setdefault((host, task._uuid), Loop())
        if not loop.takes(status):
            return
        budget = loop.budget
        if status == "failed" and budget.left < FAILED_ITEM_LIMIT:
            budget = Budget(FAILED_ITEM_LIMIT)
        fields = {
            "changed": bool(result._result.get("changed")),
            "diff": budget.diffs(result._result) if budget.left > 0 else [],
            "result": budget.result(result._result),
        }
        self._send(
            "item",
            task=task._uuid,
            host=host,
            label=self._label(result._result),
            status=status,
            **without_nothing(fields),
        )

    def _label(self, result):
        if "censored" in result or result.get("_ansible_no_log"):
            return CENSORED_LABEL
        item = result.get("_ansible_item_label")
        item = result.get("item") if item is None else item
        item = Budget(LABEL_LIMIT).fit(item)
        return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self._send("stats", hosts=hosts, **without_nothing({"none_chosen": self._none_chosen()}))

    def _none_chosen(self):
        """What tasks were chosen by, and the tags that there are, where plays have tasks and that was none of them."""
        choice = None if self._begun else chosen()
        if choice is None:
            return None
        # Only now, where it can change nothing of the run any more.
        tasks = [task for play in self._plays for task in tasks_in(play.compile())]
        if not tasks:
            return None
        known = sorted({str(tag) for task in tasks for tag in task.tags})
        return {**choice, "known": known, **without_nothing({"includes": any(map(is_include, tasks))})}
