import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Makes a directory with `files`, texts by their paths, for the running test. */
export function repositoryOf(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'Play_books-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return dir
}

/**
 * An environment with an Ansible that knows `hosts`, with their groups, in whatever inventory it is asked for, and
 * `parent` as the group of all those groups; `hostvars` are the hosts' variables. With `error` it can read none, and says so.
 */
export function ansibleThatKnows(
  hosts: Record<string, string[]>,
  parent: string,
  hostvars: Record<string, object> = {},
  error?: string,
): NodeJS.ProcessEnv {
  const groups = [...new Set(Object.values(hosts).flat())]
  const members = (group: string) => Object.keys(hosts).filter((name) => hosts[name]?.includes(group))
  const list = {
    _meta: { hostvars },
    all: { children: [parent] },
    [parent]: { children: groups },
    ...Object.fromEntries(groups.map((group) => [group, { hosts: members(group) }])),
  }
  const dir = repositoryOf({
    'ansible-inventory': error
      ? `#!/bin/sh\necho 'ERROR! ${error}' >&2\nexit 1\n`
      : `#!/bin/sh\necho '${JSON.stringify(list)}'\n`,
    'ansible-config': "#!/bin/sh\necho '[]'\n",
  })
  for (const name of ['ansible-inventory', 'ansible-config']) chmodSync(join(dir, name), 0o755)
  return { PATH: `${dir}:/usr/bin:/bin` }
}
