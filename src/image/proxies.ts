import { Agent, Dispatcher, EnvHttpProxyAgent, interceptors } from 'undici'

/** The proxies of an environment by their URLs, which are empty where there is none. */
export interface Proxies {
  http: string
  https: string
}

/**
 * Goes to each server by the proxy for it, and follows redirections. As curl and apt have it, `http` is for http alone; undici's
 * own agent sends https through it as well. No proxy is asked for this host: there `localhost` would be another one.
 */
export class ByProxies extends Dispatcher {
  readonly #direct: Agent
  readonly #byProxy: EnvHttpProxyAgent
  readonly #dispatch: Dispatcher['dispatch']

  /** Throws where a proxy's URL is none. */
  constructor({ http, https }: Proxies, options: Agent.Options) {
    super()
    this.#byProxy = new EnvHttpProxyAgent({ ...options, httpProxy: http, httpsProxy: https })
    this.#direct = new Agent(options)
    const follow = interceptors.redirect({ maxRedirections: 10 })
    this.#dispatch = follow((request, handler) => {
      const { protocol, hostname } = new URL(request.origin ?? '')
      const isDirect = isThisHost(hostname) || (protocol === 'https:' && https === '')
      return (isDirect ? this.#direct : this.#byProxy).dispatch(request, handler)
    })
  }

  override dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#dispatch(request, handler)
  }

  override async destroy(): Promise<void> {
    await Promise.all([this.#direct.destroy(), this.#byProxy.destroy()])
  }
}

/** `hostname` as a URL has it, which writes addresses in one way. */
const isThisHost = (hostname: string) => /^(127\.[\d.]+|\[::1\]|(.+\.)?localhost\.?)$/.test(hostname)
