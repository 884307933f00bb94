import { execa } from 'execa'

/**
 * The apt sources that a build of `suite` reads where the host is a Debian that uses another mirror than Debian's own:
 * lines of sources.list(5). None where Debian's own will do. The guest's own sources are the recipe's in any case.
 */
export async function hostMirrors(suite: string): Promise<string[]> {
  const format = ['--format', '$(LABEL)\t$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian']
  return mirrorLines(suite, await output('apt-get', ['indextargets', ...format]))
}

/** The apt sources for `suite` that follow from lines of `LABEL<tab>URI`, as apt-get indextargets gives them. */
export function mirrorLines(suite: string, targets: string): string[] {
  const uris = new Map<string, string>()
  for (const line of targets.split('\n')) {
    const [label = '', uri = ''] = line.split('\t')
    if (/^https?:/.test(uri) && !uris.has(label)) uris.set(label, uri)
  }
  const debian = uris.get('Debian')
  const security = uris.get('Debian-Security') ?? 'http://deb.debian.org/debian-security/'
  if (!debian || new URL(debian).hostname === 'deb.debian.org') return []
  return [
    `deb ${debian} ${suite} main`,
    `deb ${debian} ${suite}-updates main`,
    `deb ${security} ${suite}-security main`,
  ]
}

/** The environment that makes a build's apt use the proxy that the host's apt uses; `http_proxy` goes before it. */
export async function aptProxy(): Promise<{ http_proxy?: string }> {
  if (process.env.http_proxy) return {}
  const line = await output('apt-config', ['shell', 'proxy', 'Acquire::http::Proxy'])
  const proxy = /^proxy='(https?:.*)'$/m.exec(line)?.[1]
  return proxy ? { http_proxy: proxy } : {}
}

/** What a command writes; nothing where it is not there or fails: the host need not be a Debian. */
async function output(file: string, args: string[]): Promise<string> {
  const { stdout } = await execa(file, args, { reject: false })
  return stdout ?? ''
}
