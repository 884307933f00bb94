import { execa } from 'execa'

const debianItself = 'http://deb.debian.org/debian/'

/** What a build takes from the archive. */
export interface Wanted {
  securityUpdates: boolean
}

/**
 * The apt sources that a build of `suite` reads: lines of sources.list(5). Those of the host, where it is a Debian that
 * uses another mirror than Debian's own; none where mmdebstrap's will do. The guest's own are the recipe's in any case.
 */
export async function sourcesFor(suite: string, wanted: Wanted): Promise<string[]> {
  const format = ['--format', '$(LABEL)\t$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian']
  return sourceLines(suite, wanted, await output('apt-get', ['indextargets', ...format]))
}

/** The same where apt-get indextargets gives the lines `targets`, each `LABEL<tab>URI`. */
export function sourceLines(suite: string, { securityUpdates }: Wanted, targets: string): string[] {
  const uris = new Map<string, string>()
  for (const line of targets.split('\n')) {
    const [label = '', uri = ''] = line.split('\t')
    if (/^https?:/.test(uri) && !uris.has(label)) uris.set(label, uri)
  }
  const debian = uris.get('Debian') ?? debianItself
  const security = uris.get('Debian-Security') ?? 'http://deb.debian.org/debian-security/'
  if (securityUpdates && new URL(debian).hostname === new URL(debianItself).hostname) return []
  return [
    `deb ${debian} ${suite} main`,
    `deb ${debian} ${suite}-updates main`,
    ...(securityUpdates ? [`deb ${security} ${suite}-security main`] : []),
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
