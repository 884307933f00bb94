const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const repository = `${component}(?:/${component})*`
const tag = '\\w[\\w.-]{0,127}'

/** An image's repository and its tag, by default `latest`; the port of a registry is no tag. */
export function split(name: string): [repo: string, tag: string] {
  const [, repo = name, tag = 'latest'] = /^(.*?)(?::([^:/]+))?$/.exec(name) ?? []
  return [repo, tag]
}

/** Whether an image may be called so. https://pkg.go.dev/github.com/distribution/reference */
export const isImageName = (name: string) =>
  new RegExp(`^(?:[\\w.-]+(?::\\d+)?/)?${repository}(?::${tag})?$`).test(name)

/** Whether a repository of a registry may be called so. */
export const isRepository = (name: string) => new RegExp(`^${repository}$`).test(name)

/** Whether a tag may be called so. */
export const isTag = (name: string) => new RegExp(`^${tag}$`).test(name)

/** The registry of an image: its name begins with it where that looks like a host, and else is one of Docker Hub's. */
export function registryOf(name: string): string {
  const [first = '', ...rest] = name.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io'
}
