import type { Login } from '../host/docker-login.ts'
import { isRepository } from '../host/oci-names.ts'
import type { RepositoryPlace } from './registry.ts'

/** The repository that `oci://REGISTRY/REPOSITORY` names, with the user and the password in it if any; a sentence that says what is wrong with it else. */
export function ociReference(text: string): { place: RepositoryPlace; login?: Login } | string {
  if (!URL.canParse(text)) return 'that is no URL'
  const { host, pathname, username, password } = new URL(text)
  // They have small letters only; names of others, such as GitHub's, are made so everywhere.
  const repository = pathname.replace(/^\/|\/$/g, '').toLowerCase()
  if (!host || !repository) return 'it names no repository of a registry'
  if (!isRepository(repository)) return `${repository} is no name of a repository`
  const [user, secret] = [username, password].map(decodeURIComponent)
  return {
    place: { registry: host.toLowerCase(), repository },
    ...(user && { login: { username: user, password: secret ?? '' } }),
  }
}
