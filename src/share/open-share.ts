import { resolve } from 'node:path'
import { RaspiError } from '../errors.ts'
import { dockerLogin, loginOf } from '../host/docker-login.ts'
import { expandHome } from '../host/paths.ts'
import type { Log } from '../host/progress.ts'
import { DirectoryPlace } from './directory-place.ts'
import { HttpPlace } from './http-place.ts'
import { OciPlace } from './oci-place.ts'
import { ociReference } from './oci-reference.ts'
import type { RegistryLogin } from './registry-auth.ts'
import { Share } from './share.ts'

/** What it takes to use a share. */
export interface ShareContext {
  cacheDir: string
  /** Where relative paths begin. @default the working directory */
  baseDir?: string | undefined
  env?: NodeJS.ProcessEnv
  log: Log
}

/**
 * The share that `option` names, else `$VITEST_RASPI_SHARE`: a directory, the URL of an HTTP server that takes PUT, or
 * `oci://REGISTRY/REPOSITORY`. `$VITEST_RASPI_SHARE_TOKEN` is a bearer token; of a registry it may be `USER:PASSWORD`, and
 * without it Docker's own log-in counts. Nothing where neither names a share. Throws a `RaspiError` of kind `options` where it is none of these.
 */
export function openShare(
  option: string | undefined,
  { cacheDir, baseDir = process.cwd(), env = process.env, log }: ShareContext,
): Share | undefined {
  const where = option || env.VITEST_RASPI_SHARE
  if (!where) return undefined
  const scheme = schemeOf(where)
  // Paths follow what is given, and nothing follows a query; what is in one may be secret, so it is not shown either.
  if (scheme && /[?#]/.test(where))
    throw wrong('what follows a ? or a # in it has no place in the URLs of its files')
  if (scheme && !isDecodable(where)) throw wrong('a % in its user or its password is to be written %25')
  if (scheme === 'http' || scheme === 'https') {
    if (!URL.canParse(where)) throw wrong('that is no URL')
    return new Share(new HttpPlace(where, env.VITEST_RASPI_SHARE_TOKEN), { cacheDir, log })
  }
  if (scheme === 'oci') {
    const found = ociReference(where)
    if (typeof found === 'string') throw wrong(found)
    const { place, login = tokenLogin(env.VITEST_RASPI_SHARE_TOKEN) } = found
    const oci = new OciPlace(place, async () => login ?? dockerLogin(place.registry, env))
    return new Share(oci, { cacheDir, log })
  }
  if (scheme) throw wrong(`there is no way to use ${scheme}:// for it`)
  return new Share(new DirectoryPlace(shareAt(where, baseDir)), { cacheDir, log })

  function wrong(why: string): RaspiError {
    const name = option ? 'raspi({ share })' : 'VITEST_RASPI_SHARE'
    return new RaspiError('options', `${name} cannot be used: ${why}.`, {
      hint: 'It is a directory, an http:// or https:// URL of a server that takes PUT, or oci://REGISTRY/REPOSITORY.',
    })
  }
}

/** The share `where` for whoever has another working directory: the path of a directory is absolute. */
export function shareAt(where: string, baseDir: string): string {
  return schemeOf(where) ? where : resolve(baseDir, expandHome(where))
}

const schemeOf = (where: string) => /^([a-z][a-z0-9+.-]*):\/\//i.exec(where)?.[1]?.toLowerCase()

function isDecodable(where: string): boolean {
  if (!URL.canParse(where)) return true
  const { username, password } = new URL(where)
  try {
    decodeURIComponent(`${username}:${password}`)
    return true
  } catch {
    return false
  }
}

/** What a token is for a registry. A bearer's has no colon. */
function tokenLogin(token: string | undefined): RegistryLogin | undefined {
  return token ? (loginOf(token) ?? { bearer: token }) : undefined
}
