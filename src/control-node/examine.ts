import type Dockerode from 'dockerode'
import * as z from 'zod'
import { runIn } from '../engine/docker/exec.ts'
import { RaspiError } from '../errors.ts'
import { isAtLeast } from '../host/programs.ts'
import { tools } from '../host/tools.ts'

/** Who a container's commands are run as. */
export interface ContainerUser {
  uid: number
  gid: number
  /** Its own directory there. */
  home: string
}

/** What a container has. */
export interface Found {
  /** The version of ansible-core. */
  ansible: string
  /** Whether the directory of the probe is the same there as here. */
  shared: boolean
  /** One that is, but may not be read there. */
  unreadable?: string
}

/** ssh starts for nobody whose uid has no name. */
const nameUser = `
import pwd, sys
uid, gid, home = sys.argv[1:]
try:
    pwd.getpwuid(int(uid))
except KeyError:
    with open("/etc/passwd", "a") as file:
        file.write(f"ansible:x:{uid}:{gid}::{home}:/bin/sh\\n")
`

const look = `
import json, os, shutil, subprocess, sys
home, token, mark, *roots = sys.argv[1:]
os.makedirs(home, 0o700, exist_ok=True)
found = {"lacks": [name for name in ("ansible-playbook", "ssh") if not shutil.which(name)], "shared": False, "unreadable": [], "version": ""}
try:
    with open(token) as file:
        read = file.read()
    with open(mark, "w") as file:
        file.write(read)
    found["shared"] = True
    found["unreadable"] = [root for root in roots if not os.access(root, os.R_OK | (os.X_OK if os.path.isdir(root) else 0))]
except OSError:
    pass
if "ansible-playbook" not in found["lacks"]:
    asked = subprocess.run(["ansible-playbook", "--version"], capture_output=True, text=True, env={**os.environ, "HOME": home, "LC_ALL": "C.UTF-8"})
    found["version"] = asked.stdout or asked.stderr
print(json.dumps(found))
`

const lookedSchema = z.object({
  ...{
    lacks: z.array(z.string()),
    shared: z.boolean(),
    unreadable: z.array(z.string()),
    version: z.string(),
  },
})

/**
 * Looks whether a container of `image` serves, gives its `user` a name and a directory, and tells whether the file `token` is
 * there, from which it makes the file `mark`, and whether it may read `roots` then. Throws a `RaspiError` where it does not serve.
 */
export async function examine(
  container: Dockerode.Container,
  image: string,
  { uid, gid, home }: ContainerUser,
  {
    token,
    mark,
    roots,
    signal,
  }: { token: string; mark: string; roots: readonly string[]; signal?: AbortSignal },
): Promise<Found> {
  const unfit = (why: string) =>
    new RaspiError('host', `Ansible cannot run in a container of ${image}: ${why}.`, {
      hint: `It needs ansible-core from version ${tools.ansiblePlaybook.minimum} on, python3 and OpenSSH's client. By default one is built: ansible: { container: true }.`,
    })
  const named = await runIn(
    container,
    ['python3', '-c', nameUser, ...[uid, gid].map(String), home],
    undefined,
    { user: '0:0', signal },
  )
  // As a shell tells it; the engine puts its own words into the output.
  if (named.exitCode === 126 || named.exitCode === 127) throw unfit('it has no python3')
  const asked = await runIn(container, ['python3', '-c', look, home, token, mark, ...roots], undefined, {
    ...{ user: `${uid}:${gid}`, signal },
  })
  if (named.exitCode !== 0 || asked.exitCode !== 0) {
    const said = [named, asked].map(({ stderr, stdout }) => (stderr || stdout).trim()).filter(Boolean)
    throw unfit(said[0]?.split('\n').at(-1) ?? 'it does not answer')
  }
  const { lacks, shared, unreadable, version } = lookedSchema.parse(JSON.parse(asked.stdout))
  if (lacks.length > 0) throw unfit(`it has no ${lacks.join(', no ')}`)
  const { pattern } = tools.ansiblePlaybook.version
  const ansible = pattern.exec(version)?.[1]
  if (ansible === undefined)
    throw unfit(`its ansible-playbook tells no version: ${version.trim().split('\n').at(-1)}`)
  if (!isAtLeast(ansible, tools.ansiblePlaybook.minimum))
    throw unfit(`its ansible-core is ${ansible}, and too old`)
  return { ansible, shared, ...(unreadable[0] !== undefined && { unreadable: unreadable[0] }) }
}
